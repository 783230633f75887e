//! Runs scikit-learn models exported to ONNX, with no Python: the embedded iris model, or any file.
//!
//! ```
//! assert_eq!(iris_core::predict(&[[5.9, 3.0, 5.1, 2.3]])?, [2]);
//!
//! let probabilities = iris_core::predict_proba(&[[5.9, 3.0, 5.1, 2.3]])?;
//! assert_eq!(probabilities.dim(), (1, 3));
//! # Ok::<(), iris_core::Error>(())
//! ```
//!
//! [`Model`] loads other files; [`Model::run`] takes whatever their graphs take.
//!
//! Arithmetic uses the best vector instructions the processor has. The environment variable `IRIS_SIMD`, read once, forces
//! a level: `baseline`, `v3` (AVX2 and FMA) or `v4` (AVX-512). Answers do not depend on it. Models do not load where it
//! names a level that is not there.

#![forbid(unsafe_code)]

mod error;
mod labels;
mod model;
mod ops;
mod prediction;
mod rows;
mod samples;
mod value;

pub use error::{Error, ErrorKind, Result};
pub use labels::Labels;
pub use model::{
    Dimension, Limits, LoadOptions, Metadata, Model, Output, Outputs, ValueInfo, ValueType,
    interruptible,
};
pub use ops::{OperatorInfo, operators};
pub use prediction::Prediction;
pub use rows::{Element, Row, Rows};
pub use samples::Samples;
pub use value::{ElementType, Elements, Feed, TensorView, Value};

use ndarray::Array2;

/// The README's Rust is compiled as documentation is.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Predicts the iris class of each row of a batch `[n_samples, 4]` with the embedded model: 0, 1 or 2.
///
/// # Errors
/// As [`Model::predict`].
pub fn predict(rows: impl Rows) -> Result<Vec<i64>> {
    match Model::iris()?.predict(rows)? {
        Prediction::Labels(Labels::Int(labels)) => Ok(labels),
        _ => Err(Error::new(
            ErrorKind::Run,
            "the iris model has integer labels",
        )),
    }
}

/// Predicts the probabilities of the three iris classes, `[n_samples, 3]`, for a batch `[n_samples, 4]`, with the
/// embedded model.
///
/// # Errors
/// As [`Model::predict_proba`].
pub fn predict_proba(rows: impl Rows) -> Result<Array2<f32>> {
    Model::iris()?.predict_proba(rows)
}
