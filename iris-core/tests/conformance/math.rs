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
    refused: &[
        ("Gemm/float32-00-(3, ", GEMM_ROWS),
        ("Gemm/float32-01-(3, ", GEMM_ROWS),
        ("Gemm/float64-00-(3, ", GEMM_ROWS),
        ("Gemm/float64-01-(3, ", GEMM_ROWS),
    ],
    otherwise: &[],
};

const CAST_1: &str = "version 1, which onnxruntime has no kernel for";
const GEMM_ROWS: &str = "C has a number of rows, while A has any";

#[test]
fn math() {
    run("math", &DIFFERENCES);
}
