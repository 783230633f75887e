//! [Round](https://onnx.ai/onnx/operators/onnx__Round.html), versions 11 and 22.
//!
//! `X` float or double of any shape gives `Y` of the same type and shape: the nearest integers, halves going to the even
//! one. tract's own does not take double.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::elementwise::{Elementwise, Function, map};
use super::operator::node_operator;
use crate::error::Result;

#[derive(Debug)]
struct Round;

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    Ok(node_operator(attributes, Elementwise(Round)))
}

impl Function for Round {
    fn output_type(x: DatumType) -> DatumType {
        x
    }

    fn eval(&self, x: &Tensor) -> TractResult<Tensor> {
        if x.datum_type() == DatumType::F32 {
            map(x, f32::round_ties_even)
        } else {
            map(x, f64::round_ties_even)
        }
    }
}
