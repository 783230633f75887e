use crate::runner::{Differences, run};

#[test]
fn svm_regressor() {
    let differences = Differences {
        accepted: &[
            (
                "edge/kernel_params_absent",
                "the specification makes kernel_params optional",
            ),
            (
                "edge/linear_kernel_params_absent",
                "the specification makes kernel_params optional",
            ),
        ],
        refused: &[
            (
                "edge/coefficients_long",
                "a coefficient without its support vector, which onnxruntime leaves out",
            ),
            (
                "edge/rho_long",
                "a second rho, which onnxruntime leaves out",
            ),
            (
                "edge/linear_with_vectors",
                "support vectors of which n_supports says that there are none",
            ),
        ],
        refused_in_part: &[],
        otherwise: &[],
    };
    run("svm_regressor", &differences);
}
