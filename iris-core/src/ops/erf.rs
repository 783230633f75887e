//! [Erf](https://onnx.ai/onnx/operators/onnx__Erf.html), versions 9 and 13.
//!
//! `X` float of any shape gives `Y` of the same type and shape, as in onnxruntime, which has no other type either.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::elementwise::map;
use super::operator::{Operator, node_operator};
use super::tensors;
use crate::error::Result;

#[derive(Debug)]
struct Erf;

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    Ok(node_operator(attributes, Erf))
}

impl Operator for Erf {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        if x.datum_type != DatumType::F32 {
            let got = x.datum_type;
            return Err(tensors::invalid(format!(
                "input: expected float, got {got:?}"
            )));
        }
        Ok(tvec![x.datum_type.fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let erf = map(&inputs[0], |x: f32| libm::erf(f64::from(x)) as f32)?;
        Ok(tvec![erf.into_tvalue()])
    }
}
