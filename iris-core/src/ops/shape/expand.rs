//! [Expand](https://onnx.ai/onnx/operators/onnx__Expand.html), versions 8 and 13.
//!
//! `input` of any type, repeated so that it has the shape to which its own and `shape` broadcast.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::broadcast::multi_broadcast;

use crate::error;
use crate::error::{Error, Result};
use crate::guard::{budget, memory};
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, axes, facts};
use crate::ops::shape::cast;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::expansion(|name, model, inputs| {
        let dims = axes::dimensions("shape", model, inputs[1])?;
        let shape = cast::wire_integers(&format!("{name}.shape"), model, inputs[1])?;
        let expand = Expand { dims };
        Ok(tvec![wire_operator(
            "Expand",
            name,
            model,
            expand,
            &[inputs[0], shape]
        )?])
    }))
}

#[derive(Debug)]
struct Expand {
    /// What the second input is, as far as that is known.
    dims: TVec<TDim>,
}

impl Operator for Expand {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, _] = facts::inputs(inputs)?;
        let shape = multi_broadcast(&[x.shape.dims(), &self.dims]).map_err(error::invalid)?;
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let shape = facts::sizes("shape", &inputs[1])?;
        let shape = multi_broadcast(&[x.shape(), &shape]).map_err(Error::input)?;
        Ok(tvec![repeated(x, &shape)?.into_tvalue()])
    }
}

/// `x` broadcast to `shape`.
fn repeated(x: &Tensor, shape: &[usize]) -> TractResult<Tensor> {
    budget::check_tensor(shape.iter().copied(), x.datum_type().size_of())?;
    if let Some(texts) = memory::texts(x) {
        memory::ask_for_broadcast(texts, shape.iter().product())?;
    }
    x.broadcast_to_shape(shape)
}
