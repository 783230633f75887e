//! [IsNaN](https://onnx.ai/onnx/operators/onnx__IsNaN.html), versions 9 to 20.
//!
//! `X` float or double of any shape gives `Y` bool of the same shape. tract's own does not take double.

use tract_onnx::tract_hir::internal::InferenceOp;

use super::attributes::Attributes;
use super::operator::node_operator;
use super::predicate::{OfEach, Predicate};
use crate::error::Result;

#[derive(Debug)]
struct IsNaN;

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    Ok(node_operator(attributes, OfEach(IsNaN)))
}

impl Predicate for IsNaN {
    fn holds(&self, x: f64) -> bool {
        x.is_nan()
    }
}
