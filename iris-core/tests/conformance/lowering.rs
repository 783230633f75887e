use crate::runner::{Differences, run};

const DIFFERENCES: Differences = Differences {
    accepted: &[],
    refused: &[],
    refused_in_part: &[],
    otherwise: &[],
};

#[test]
fn lowering() {
    run("lowering", &DIFFERENCES);
}
