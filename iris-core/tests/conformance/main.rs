//! Recorded cases of single operators, one family of operators a file, against what onnxruntime answered.
#![allow(missing_docs, clippy::unwrap_used)]

mod activations;
mod categorical;
#[path = "../common/mod.rs"]
mod common;
mod extremes;
mod levels;
mod linear;
mod lowering;
mod math;
mod neighbors;
mod recurrent;
mod runner;
mod svm;
mod svm_regressor;
mod text;
mod trees;
