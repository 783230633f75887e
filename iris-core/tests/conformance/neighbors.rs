use crate::runner::{Differences, run};

const DIFFERENCES: Differences = Differences {
    accepted: &[
        (
            "nearest/no_rows",
            "onnxruntime's ArrayFeatureExtractor takes no empty lists of indices",
        ),
        (
            "distances/radius",
            "onnxruntime's ArrayFeatureExtractor takes no negative indices",
        ),
    ],
    refused: &[],
    refused_in_part: &[],
    otherwise: &[(
        "nearest/cdist_distances",
        "onnxruntime's CDist expands the square of the difference, which loses digits",
    )],
};

#[test]
fn neighbors() {
    run("neighbors", &DIFFERENCES);
}
