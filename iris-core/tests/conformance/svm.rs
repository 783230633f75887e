use crate::runner::{Differences, run};

#[test]
fn svm() {
    let differences = Differences {
        accepted: &[(
            "edge/kernel_params_absent",
            "the specification makes kernel_params optional",
        )],
        refused: &[
            (
                "edge/clipped_2",
                "prob_a and prob_b have values for pairs that there are not",
            ),
            (
                "edge/clipped_3",
                "prob_a and prob_b have values for pairs that there are not",
            ),
            (
                "edge/one_class_",
                "coefficients have values for pairs that there are not",
            ),
        ],
        refused_in_part: &[],
        otherwise: &[
            (
                "edge/beyond_f32_",
                "onnxruntime rounds the input to float first; scikit-learn computes in double",
            ),
            (
                "edge/overflow_f64",
                "onnxruntime rounds the input to float first; scikit-learn computes in double",
            ),
        ],
    };
    run("svm", &differences);
}
