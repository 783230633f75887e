//! What goes into a matrix product, kept as it is.
//!
//! tract takes a broadcast out from before a matrix product, whatever shape the product then has: it answers with other
//! numbers, with fewer rows, or not at all.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::konst::Const;
use tract_onnx::tract_hir::tract_core::ops::source::TypedSource;

use super::operator::{Operator, wire_operator};
use super::tensors;
use crate::error::Result;

/// Gives what it is given. tract does not look through it.
#[derive(Debug)]
struct Barrier;

impl Operator for Barrier {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        Ok(tvec![x.datum_type.fact(x.shape.iter())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        Ok(inputs.into())
    }
}

/// The `factors` of a product that `name`s the node, none of which can be a broadcast.
pub(super) fn wire_factors(
    name: &str,
    model: &mut TypedModel,
    factors: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    let mut wires = TVec::new();
    for (index, &factor) in factors.iter().enumerate() {
        let op = &model.node(factor.node).op;
        if op.is::<Const>() || op.is::<TypedSource>() {
            wires.push(factor);
        } else {
            let name = format!("{name}.factor_{index}");
            wires.extend(wire_operator("Barrier", &name, model, Barrier, &[factor])?);
        }
    }
    Ok(wires)
}
