use crate::runner::{Differences, run};

const DIFFERENCES: Differences = Differences {
    accepted: &[
        ("Equal/types", TWO_TYPES),
        ("Greater/types", TWO_TYPES),
        ("GreaterOrEqual/types", TWO_TYPES),
        ("Less/types", TWO_TYPES),
        ("LessOrEqual/types", TWO_TYPES),
    ],
    refused: &[],
    refused_in_part: &[],
    otherwise: &[],
};

const TWO_TYPES: &str = "operands of two types are compared in one that holds both";

#[test]
fn lowering() {
    run("lowering", &DIFFERENCES);
}
