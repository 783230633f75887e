//! [Sigmoid](https://onnx.ai/onnx/operators/onnx__Sigmoid.html), versions 1 to 13.
//!
//! `X` float or double of any shape gives `Y` of the same type and shape. tract's own does not take double, and makes a
//! number of NaN.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::elementwise::{Elementwise, Function, map};
use super::operator::node_operator;
use crate::error::Result;

#[derive(Debug)]
struct Sigmoid;

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    // A hint of version 1 about memory.
    attributes.ints("consumed_inputs")?;
    Ok(node_operator(attributes, Elementwise(Sigmoid)))
}

impl Function for Sigmoid {
    fn output_type(x: DatumType) -> DatumType {
        x
    }

    /// Where `exp` overflows, the answer is 0, as it should be.
    fn eval(&self, x: &Tensor) -> TractResult<Tensor> {
        if x.datum_type() == DatumType::F32 {
            map(x, |x: f32| 1.0 / (1.0 + (-x).exp()))
        } else {
            map(x, |x: f64| 1.0 / (1.0 + (-x).exp()))
        }
    }
}
