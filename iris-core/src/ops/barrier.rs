//! Matrix products, of factors that are kept as they are and fit each other.
//!
//! tract takes a broadcast out from before a matrix product, whatever shape the product then has: it answers with other
//! numbers, with fewer rows, or not at all.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_hir::tract_core::ops::konst::Const;
use tract_onnx::tract_hir::tract_core::ops::source::TypedSource;

use super::operator::{Operator, wire_operator, wire_outputs};
use super::tensors;
use crate::error::{Error, Result};

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

/// Two dimensions of factors: which factor, and which of its axes.
type Pair = [(usize, usize); 2];

/// Gives what it is given, if these dimensions are the same: tract multiplies without looking, past the end of what is
/// shorter.
#[derive(Debug)]
struct SameSizes(Vec<Pair>);

impl Operator for SameSizes {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let outputs = inputs.iter().map(|x| x.datum_type.fact(x.shape.iter()));
        Ok(outputs.collect())
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        for pair in &self.0 {
            let [expected, got] = pair.map(|(factor, axis)| inputs[factor].shape()[axis]);
            if got != expected {
                let [(_, a), (factor, b)] = pair;
                let message = format!(
                    "dimension {b} of factor {factor}: expected {expected}, as dimension {a} of another, got {got}"
                );
                return Err(Error::input(message).into());
            }
        }
        Ok(wanted.iter().map(|&index| inputs[index].clone()).collect())
    }
}

/// The product of `factors`, whose `axes` these are; it is called `name`.
pub(super) fn wire_product(
    name: &str,
    model: &mut TypedModel,
    axes: AxesMapping,
    factors: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    let unproven = unproven(model, &axes, factors)?;
    let factors = if unproven.is_empty() {
        wire_barriers(name, model, factors)?
    } else {
        let name = format!("{name}.factors");
        wire_outputs(
            "SameSizes",
            &name,
            model,
            SameSizes(unproven),
            factors,
            factors.len(),
        )?
    };
    let first = factors.first().context("a product of nothing")?;
    let operating_dt = model.outlet_fact(*first)?.datum_type;
    let product = EinSum {
        axes,
        operating_dt,
        q_params: None,
    };
    model.wire_node(name, product, &factors)
}

/// Which dimensions must be the same and are not by their names: all of an axis but those of 1, which are repeated where the
/// product has the axis.
fn unproven(
    model: &TypedModel,
    axes: &AxesMapping,
    factors: &[OutletId],
) -> TractResult<Vec<Pair>> {
    let facts = factors.iter().map(|&factor| model.outlet_fact(factor));
    let facts: Vec<&TypedFact> = facts.collect::<TractResult<_>>()?;
    let mut unproven = vec![];
    for axis in axes.iter_all_axes() {
        let is_summed = axis.outputs.iter().all(TVec::is_empty);
        let places = axis.inputs.iter().enumerate();
        let places = places.flat_map(|(factor, axes)| axes.iter().map(move |&axis| (factor, axis)));
        let mut first = None;
        for (factor, axis) in places {
            let dim = facts.get(factor).and_then(|fact| fact.shape.get(axis));
            let Some(dim) = dim.filter(|dim| is_summed || !dim.is_one()) else {
                continue;
            };
            match first {
                None => first = Some((factor, axis, dim)),
                Some((_, _, expected)) if dim == expected => {}
                // Plans for one column and any number of rows do not end.
                Some((_, _, expected)) if is_summed && (dim.is_one() || expected.is_one()) => {
                    let message =
                        format!("factor {factor}: expected {expected} numbers, got {dim}");
                    return Err(tensors::invalid(message).into());
                }
                Some((other, its_axis, _)) => unproven.push([(other, its_axis), (factor, axis)]),
            }
        }
    }
    Ok(unproven)
}

/// The `factors` of a product that `name`s the node, none of which can be a broadcast.
fn wire_barriers(
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
