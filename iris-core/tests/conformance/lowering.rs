use crate::runner::{Differences, run};

const DIFFERENCES: Differences = Differences {
    accepted: &[],
    refused: &[],
    otherwise: &[],
};

#[test]
fn lowering() {
    run("lowering", &DIFFERENCES);
}
