//! Recorded cases of single operators, one family of operators a file, against what onnxruntime answered.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod runner;
mod svm;
