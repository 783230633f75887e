//! [Pad](https://onnx.ai/onnx/operators/onnx__Pad.html), versions 1 to 25, whose `pads` are constant and none of them negative.
//!
//! Modes are `constant`, `edge` and `reflect`.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::array::{Pad, PadMode};

use crate::error;
use crate::error::Result;
use crate::guard::budget::check_tensor;
use crate::onnx::attributes::Attributes;
use crate::operator::axes::{constant_ints, resolve};
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, facts};

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let mode = attributes.string("mode")?.unwrap_or("constant");
    let fill = match mode {
        "constant" => Some(attributes.float("value")?.unwrap_or(0.0)),
        "edge" | "reflect" => None,
        mode => return Err(attributes.invalid("mode", format!("{mode:?} is not supported"))),
    };
    let is_reflected = mode == "reflect";
    let version = attributes.version();
    let name = if version == 1 { "paddings" } else { "pads" };
    let of_attribute = match version {
        ..11 => {
            let pads = attributes.optional_ints(name)?;
            Some(pads.ok_or_else(|| attributes.missing(name))?.to_vec())
        }
        _ => None,
    };
    let [pads, value, axes] = [1, 2, 3].map(|index| attributes.input(index));
    Ok(Built::expansion(move |name, model, inputs| {
        let rank = model.outlet_fact(inputs[0])?.rank();
        let pads = match (of_attribute, pads) {
            (Some(pads), _) => pads,
            (None, Some(input)) => constant_ints("pads", model, inputs[input])?,
            (None, None) => return Err(error::invalid("input pads: missing").into()),
        };
        let axes = match axes {
            Some(input) => constant_ints("axes", model, inputs[input])?,
            None => (0..rank as i64).collect(),
        };
        let axes = axes.into_iter().map(|on| resolve(on, rank));
        let axes: Vec<usize> = axes.collect::<Result<_>>()?;
        let wrong = || error::invalid(format!("pads: {pads:?} for axes {axes:?}"));
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
        Ok(tvec![wire_operator("Pad", name, model, pad, &inputs[..1])?])
    }))
}

/// tract's operator, where its output is not too large.
#[derive(Debug)]
struct Bounded(Pad);

impl Operator for Bounded {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
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
