//! [IsNaN](https://onnx.ai/onnx/operators/onnx__IsNaN.html), versions 9 to 20.
//!
//! `X` float or double of any shape gives `Y` bool of the same shape. tract's own does not take double.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::elementwise::{Elementwise, Function, map};
use super::operator::node_operator;
use crate::error::Result;

#[derive(Debug)]
struct IsNaN;

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    Ok(node_operator(attributes, Elementwise(IsNaN)))
}

impl Function for IsNaN {
    fn output_type(_x: DatumType) -> DatumType {
        DatumType::Bool
    }

    fn eval(&self, x: &Tensor) -> TractResult<Tensor> {
        if x.datum_type() == DatumType::F32 {
            map(x, f32::is_nan)
        } else {
            map(x, f64::is_nan)
        }
    }
}
