//! Support vector machines and linear models whose arrays do not go together.

use iris_core::ErrorKind::InvalidAttribute;
use tract_onnx::pb::AttributeProto;

use crate::common::onnx::*;
use crate::{attack, check, ml, replaced};

pub(crate) fn regressor() -> Vec<AttributeProto> {
    vec![
        string("kernel_type", "LINEAR"),
        floats("kernel_params", &[0.5, 0.0, 3.0]),
        int("n_supports", 2),
        floats("support_vectors", &[1.0, 0.0, 0.0, 1.0]),
        floats("coefficients", &[1.0, -1.0]),
        floats("rho", &[0.1]),
    ]
}

/// onnxruntime#27699, #27901, #27950, #27952, #28001, #28255 (2026), CVE-less at the time: reads behind the attributes.
#[test]
fn support_vector_machines() {
    let regressor = regressor();
    let of = |attribute| ml("SVMRegressor", &replaced(&regressor, attribute));
    let linear = [
        floats("coefficients", &[1.0, 2.0, 3.0]),
        floats("intercepts", &[0.0, 0.0]),
        ints("classlabels_ints", &[0, 1]),
    ];
    check(vec![
        attack(
            "few coefficients (onnxruntime#27901)",
            of(floats("coefficients", &[1.0])),
            InvalidAttribute,
            "coefficients: expected 2 values, got 1",
        ),
        attack(
            "no rho (onnxruntime#27901)",
            of(floats("rho", &[])),
            InvalidAttribute,
            "rho",
        ),
        attack(
            "few support vectors (onnxruntime#27901)",
            of(floats("support_vectors", &[1.0, 0.0, 0.0])),
            InvalidAttribute,
            "support_vectors",
        ),
        attack(
            "no support vectors",
            of(floats("support_vectors", &[])),
            InvalidAttribute,
            "support_vectors",
        ),
        attack(
            "a huge number of vectors (onnxruntime#28001)",
            of(int("n_supports", i64::MAX)),
            InvalidAttribute,
            "",
        ),
        attack(
            "a negative number of vectors",
            of(int("n_supports", -2)),
            InvalidAttribute,
            "n_supports",
        ),
        attack(
            "few kernel parameters",
            of(floats("kernel_params", &[0.5])),
            InvalidAttribute,
            "kernel_params",
        ),
        attack(
            "short rho of a classifier (onnxruntime#27699)",
            changed_svm("rho", |a| a.floats.truncate(1)),
            InvalidAttribute,
            "rho: expected 3 values, got 1",
        ),
        attack(
            "short probabilities",
            changed_svm("prob_a", |a| a.floats.truncate(2)),
            InvalidAttribute,
            "prob_a",
        ),
        attack(
            "a negative number of vectors of a class (onnxruntime#27952)",
            changed_svm("vectors_per_class", |a| a.ints[1] = -1),
            InvalidAttribute,
            "vectors_per_class: -1 vectors",
        ),
        attack(
            "vectors of a class that overflow (onnxruntime#27952)",
            changed_svm("vectors_per_class", |a| a.ints = vec![i64::MAX; 3]),
            InvalidAttribute,
            "vectors_per_class",
        ),
        attack(
            "vectors of more classes than there are (onnxruntime#27952)",
            changed_svm("vectors_per_class", |a| a.ints.push(1)),
            InvalidAttribute,
            "vectors_per_class",
        ),
        attack(
            "coefficients of classes and features that do not go together (onnxruntime#27989)",
            ml("LinearClassifier", &linear),
            InvalidAttribute,
            "coefficients",
        ),
    ]);
}
