use crate::runner::{Differences, run};

const DIFFERENCES: Differences = Differences {
    accepted: &[
        ("TopK/values_only", "an output that nothing asks for"),
        ("TopK/indices_only", "an output that nothing asks for"),
        ("Cast/1-FLOAT", CAST_1),
        ("Cast/1-DOUBLE", CAST_1),
        ("Cast/1-INT", CAST_1),
        ("Cast/1-BOOL", CAST_1),
    ],
    refused: &[],
    refused_in_part: &[],
    otherwise: &[("skl2onnx/MultinomialNB-float32", WIDE)],
};

/// onnxruntime is 8e-5 away from the same model in double, we are 4e-6.
const WIDE: &str = "a softmax of large numbers, which are added in double";
const CAST_1: &str = "version 1, which onnxruntime has no kernel for";

#[test]
fn math() {
    run("math", &DIFFERENCES);
}
