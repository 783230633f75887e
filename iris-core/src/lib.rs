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

mod control;
mod error;
mod guard;
mod kernels;
mod load;
mod model;
mod onnx;
mod operator;
mod ops;
mod optimize;
mod plan;
mod programs;
mod registry;
mod rewrite;
mod value;

use ndarray::Array2;

pub use crate::error::{Error, ErrorKind, Result};
pub use crate::guard::budget::Limits;
pub use crate::guard::interrupt::interruptible;
pub use crate::load::options::LoadOptions;
pub use crate::model::Model;
pub use crate::model::metadata::Metadata;
pub use crate::model::outputs::{Output, Outputs};
pub use crate::model::prediction::Prediction;
pub use crate::model::rows::{Element, Row, Rows};
pub use crate::model::samples::Samples;
pub use crate::onnx::signature::{Dimension, ValueInfo, ValueType};
pub use crate::registry::{OperatorInfo, operators};
pub use crate::value::Value;
pub use crate::value::element::ElementType;
pub use crate::value::feed::Feed;
pub use crate::value::labels::Labels;
pub use crate::value::view::{Elements, TensorView};

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
