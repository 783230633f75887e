//! [Pad](https://onnx.ai/onnx/operators/onnx__Pad.html), versions 1 to 25, whose `pads` are constant and none of them negative.
//!
//! Modes are `constant`, `edge` and `reflect`.

use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::array::{Pad, PadMode};

use super::lowered::{axis, constant_ints, lowered};
use super::operator::{Operator, wire_operator};
use super::stock::{Built, built};
use super::tensors;
use crate::error::Result;
use crate::model::limits::check_tensor;

pub(super) fn build(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let mode = node.get_attr_opt("mode")?.unwrap_or("constant");
    let fill = match mode {
        "constant" => Some(node.get_attr_opt("value")?.unwrap_or(0.0_f32)),
        "edge" | "reflect" => None,
        mode => bail!("attribute mode: {mode:?} is not supported"),
    };
    let is_reflected = mode == "reflect";
    let version = context.onnx_operator_set_version;
    let name = if version == 1 { "paddings" } else { "pads" };
    let of_attribute: Option<Vec<i64>> = if version < 11 {
        Some(node.get_attr_vec(name)?)
    } else {
        None
    };
    let mut inputs = optional_inputs(node).skip(2);
    let (value, axes) = (inputs.next().flatten(), inputs.next().flatten());
    built(lowered(context, node, 1, move |name, model, inputs| {
        let rank = model.outlet_fact(inputs[0])?.rank();
        let pads = match (&of_attribute, inputs) {
            (Some(pads), _) => pads.clone(),
            (None, &[_, pads, ..]) => constant_ints(model, pads)?,
            _ => bail!("expected 2 inputs or more, got {}", inputs.len()),
        };
        let axes = match axes {
            Some(input) => constant_ints(model, inputs[input])?,
            None => (0..rank as i64).collect(),
        };
        let axes = axes.into_iter().map(|on| axis(on, rank));
        let axes: Vec<usize> = axes.collect::<TractResult<_>>()?;
        let wrong = || tensors::invalid(format!("pads: {pads:?} for axes {axes:?}"));
        let mut padded = vec![(0, 0); rank];
        if pads.len() != 2 * axes.len() {
            return Err(wrong().into());
        }
        for (i, &on) in axes.iter().enumerate() {
            let pad = |at: usize| usize::try_from(pads[at]).map_err(|_| wrong());
            padded[on] = (pad(i)?, pad(i + axes.len())?);
        }
        let value = match value {
            Some(input) => model.outlet_fact(inputs[input])?.konst.clone(),
            None => None,
        };
        let mode = match (fill, value) {
            (Some(_), Some(value)) => PadMode::Constant(value),
            (Some(fill), None) => PadMode::Constant(rctensor0(fill)),
            (None, _) if is_reflected => PadMode::Reflect,
            (None, _) => PadMode::Edge,
        };
        let pad = Bounded(Pad::new(padded, mode));
        wire_operator("Pad", name, model, pad, &inputs[..1])
    }))
}

/// tract's operator, where its output is not too large.
#[derive(Debug)]
struct Bounded(Pad);

impl Operator for Bounded {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        let mut dims: TVec<TDim> = tvec![];
        let mut known: TVec<usize> = tvec![];
        for (dim, &(before, after)) in x.shape.iter().zip(&self.0.pads) {
            let added = before.saturating_add(after).min(i64::MAX as usize / 2);
            known.push(dim.to_usize().unwrap_or(1).saturating_add(added));
            dims.push(dim.clone() + added);
        }
        check_tensor(known.iter().copied(), x.datum_type.size_of())?;
        Ok(tvec![x.datum_type.fact(dims)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let padded = x.shape().iter().zip(&self.0.pads);
        let padded = padded.map(|(&len, &(a, b))| len.saturating_add(a).saturating_add(b));
        check_tensor(padded, x.datum_type().size_of())?;
        self.0.eval(&EvalContext::out_of_plan(), tvec![x.clone()])
    }
}
