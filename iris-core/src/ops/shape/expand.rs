//! [Expand](https://onnx.ai/onnx/operators/onnx__Expand.html), versions 8 and 13.
//!
//! `input` of any type, repeated so that it has the shape to which its own and `shape` broadcast.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::broadcast::multi_broadcast;

use crate::error::{Error, Result};
use crate::model::{limits, memory};
use crate::ops::attributes::Attributes;
use crate::ops::operator::{Built, Operator, wire_operator};
use crate::ops::{axes, cast, tensors};

pub(in crate::ops) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
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
        let [x, _] = tensors::inputs(inputs)?;
        let shape = multi_broadcast(&[x.shape.dims(), &self.dims]).map_err(tensors::invalid)?;
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let shape = tensors::sizes("shape", &inputs[1])?;
        let shape = multi_broadcast(&[x.shape(), &shape]).map_err(Error::input)?;
        Ok(tvec![repeated(x, &shape)?.into_tvalue()])
    }
}

/// `x` broadcast to `shape`.
fn repeated(x: &Tensor, shape: &[usize]) -> TractResult<Tensor> {
    limits::check_tensor(shape.iter().copied(), x.datum_type().size_of())?;
    if let Some(texts) = memory::texts(x) {
        memory::ask_for_broadcast(texts, shape.iter().product())?;
    }
    x.broadcast_to_shape(shape)
}
