//! [Tile](https://onnx.ai/onnx/operators/onnx__Tile.html), versions 6 and 13.
//!
//! `input` of any type, repeated along each of its dimensions as often as `repeats` says.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::guard::{budget, memory};
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, axes, facts};
use crate::ops::shape::cast;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::expansion(|name, model, inputs| {
        let repeats = axes::dimensions("repeats", model, inputs[1])?;
        let times = cast::wire_integers(&format!("{name}.repeats"), model, inputs[1])?;
        let tile = Tile { repeats };
        Ok(tvec![wire_operator(
            "Tile",
            name,
            model,
            tile,
            &[inputs[0], times]
        )?])
    }))
}

#[derive(Debug)]
struct Tile {
    /// What the second input is, as far as that is known.
    repeats: TVec<TDim>,
}

impl Operator for Tile {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, _] = facts::inputs(inputs)?;
        if self.repeats.len() != x.rank() {
            let (repeats, rank) = (self.repeats.len(), x.rank());
            let message = format!("input repeats: {repeats} values for {rank} dimensions");
            return Err(error::invalid(message));
        }
        let dims = x.shape.iter().zip(&self.repeats);
        let dims = dims.map(|(dim, times)| dim.clone() * times);
        Ok(tvec![x.datum_type.fact(dims.collect::<TVec<TDim>>())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let repeats = facts::sizes("repeats", &inputs[1])?;
        let sizes = x.shape().iter().zip(&repeats);
        let sizes: TVec<usize> = sizes
            .map(|(&dim, &times)| dim.saturating_mul(times))
            .collect();
        budget::check_tensor(sizes.iter().copied(), x.datum_type().size_of())?;
        if let Some(texts) = memory::texts(x) {
            memory::ask_for_broadcast(texts, sizes.iter().product())?;
        }
        let mut tiled = x.clone().into_tensor();
        for (axis, &size) in sizes.iter().enumerate() {
            let len = x.shape()[axis];
            if size != len {
                let indices: Vec<usize> = (0..len).cycle().take(size).collect();
                tiled = axes::select(&tiled, axis, &indices)?;
            }
        }
        Ok(tvec![tiled.into_tvalue()])
    }
}
