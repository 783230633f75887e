use crate::runner::{Differences, run};

const DIFFERENCES: Differences = Differences {
    accepted: &[],
    refused: &[
        ("Slice/past_the_end-False", UNKNOWN),
        ("Slice/backwards_past_the_end-False", UNKNOWN),
    ],
    refused_in_part: &[],
    otherwise: &[],
};

const UNKNOWN: &str = "tract takes no limit beyond a dimension that is not known";

#[test]
fn lowering() {
    run("lowering", &DIFFERENCES);
}
