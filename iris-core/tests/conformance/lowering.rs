use crate::runner::{Differences, run};

const DIFFERENCES: Differences = Differences {
    accepted: &[],
    refused: &[],
    refused_in_part: &[],
    otherwise: &[("Mean/overflow-rows", IN_DOUBLE)],
};

const IN_DOUBLE: &str = "the sum is no larger than a double, in which it is computed";

#[test]
fn lowering() {
    run("lowering", &DIFFERENCES);
}
