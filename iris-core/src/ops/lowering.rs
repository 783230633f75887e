//! Operators of ai.onnx whose attributes became constant inputs, and others, in terms of tract's.

use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::array::{AddDims, Slice, Split, Squeeze, StridedSlice};
use tract_onnx::tract_hir::tract_core::ops::array::{DynSlice, GatherNd};

use super::lowered::{axis, constant_ints, lowered};
use super::operator::{Operator, wire_operator};
use super::stock::{Built, built};
use super::tensors;
use crate::error::Result;

fn axes(axes: &[i64]) -> Vec<isize> {
    axes.iter().map(|&axis| axis as isize).collect()
}

/// tract looks for as many indices as there are without knowing how many each needs.
pub(super) fn gather_nd(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let batch_dims: usize = node.get_attr_opt("batch_dims")?.unwrap_or(0);
    built(lowered(
        context,
        node,
        usize::MAX,
        move |name, model, inputs| {
            let &[x, indices] = inputs else {
                bail!("expected 2 inputs, got {}", inputs.len());
            };
            let rank = model.outlet_fact(x)?.rank();
            let indices = &model.outlet_fact(indices)?.shape;
            let n_each = indices.last().and_then(|dim| dim.to_usize().ok());
            let fits = |n_each: usize| {
                n_each > 0
                    && batch_dims < indices.rank()
                    && n_each <= rank.saturating_sub(batch_dims)
            };
            if !n_each.is_some_and(fits) {
                let message = format!("indices of shape {indices:?} into {rank} dimensions");
                return Err(tensors::invalid(message).into());
            }
            model.wire_node(name, GatherNd::new(batch_dims), inputs)
        },
    ))
}

pub(super) fn shape(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let start: i64 = node.get_attr_opt("start")?.unwrap_or(0);
    let end: i64 = node.get_attr_opt("end")?.unwrap_or(i64::MAX);
    built(lowered(
        context,
        node,
        usize::MAX,
        move |name, model, inputs| {
            let &[x] = inputs else {
                bail!("expected 1 input, got {}", inputs.len());
            };
            let shape = model.outlet_fact(x)?.shape.to_tvec();
            let range = |at| clamped(at, shape.len() as i64) as usize;
            let (start, end) = (range(start), range(end));
            let dims = &shape[start..end.max(start)];
            Ok(tvec![model.add_const(name, tensor1(dims))?])
        },
    ))
}

/// Place `at` of `len`, counted from the end if it is negative, or the nearest that there is.
fn clamped(at: i64, len: i64) -> i64 {
    let from_start = if at < 0 { at.saturating_add(len) } else { at };
    from_start.clamp(0, len)
}

/// Where it begins and ends are attributes before version 10.
pub(super) fn slice(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    if context.onnx_operator_set_version >= 10 {
        let mut inputs = optional_inputs(node).skip(3);
        let (axes, steps) = (inputs.next().flatten(), inputs.next().flatten());
        return built(lowered(context, node, 1, move |name, model, inputs| {
            let &[x, starts, ends, ..] = inputs else {
                bail!("expected 3 inputs or more, got {}", inputs.len());
            };
            for (what, limits) in [("starts", starts), ("ends", ends)] {
                let rank = model.outlet_fact(limits)?.rank();
                if rank != 1 {
                    // tract reads the first number of each line of a matrix, be there lines or not.
                    let what = format!("input {what}: expected 1 dimension, got {rank}");
                    return Err(tensors::invalid(what).into());
                }
            }
            let constant = |input: Option<usize>| input.map(|i| constant_ints(model, inputs[i]));
            let rank = model.outlet_fact(x)?.rank();
            let axes = match constant(axes).transpose()? {
                Some(axes) => axes,
                None => (0..rank as i64).collect(),
            };
            let steps = constant(steps).transpose()?.unwrap_or_default();
            let mut wire = x;
            for (i, on) in axes.into_iter().enumerate() {
                let on = axis(on, rank)?;
                let step = steps.get(i).copied().unwrap_or(1);
                let name = format!("{name}.{i}");
                wire = slice_axis(&name, model, [wire, starts, ends], i, on, step)?;
            }
            Ok(tvec![wire])
        }));
    }
    let starts: Vec<i64> = node.get_attr_vec("starts")?;
    let ends: Vec<i64> = node.get_attr_vec("ends")?;
    let all = (0..starts.len() as i64).collect();
    let axes: Vec<i64> = node.get_attr_opt_vec("axes")?.unwrap_or(all);
    if starts.len() != axes.len() || ends.len() != axes.len() {
        let (starts, ends) = (starts.len(), ends.len());
        bail!("{starts} starts and {ends} ends of {} axes", axes.len());
    }
    built(lowered(context, node, 1, move |name, model, inputs| {
        let mut wire = inputs[0];
        let rank = model.outlet_fact(wire)?.rank();
        let starts = model.add_const(format!("{name}.starts"), tensor1(&starts))?;
        let ends = model.add_const(format!("{name}.ends"), tensor1(&ends))?;
        for (i, &on) in axes.iter().enumerate() {
            let name = format!("{name}.{i}");
            wire = slice_axis(&name, model, [wire, starts, ends], i, axis(on, rank)?, 1)?;
        }
        Ok(tvec![wire])
    }))
}

/// Slices axis `on` of `x` from number `i` of `starts` to that of `ends`, which need not be constant if `step` is 1.
fn slice_axis(
    name: &str,
    model: &mut TypedModel,
    [x, starts, ends]: [OutletId; 3],
    i: usize,
    on: usize,
    step: i64,
) -> TractResult<OutletId> {
    let step = i32::try_from(step)
        .ok()
        .filter(|step| !matches!(*step, 0 | i32::MIN));
    let Some(step) = step else {
        return Err(tensors::invalid("input steps: 0, or more than any dimension").into());
    };
    let known = |outlet| TractResult::Ok(model.outlet_fact(outlet)?.konst.clone());
    let (Some(start), Some(end)) = (known(starts)?, known(ends)?) else {
        if step != 1 {
            return Err(tensors::invalid(
                "input steps: not 1, where it starts or ends is not constant",
            )
            .into());
        }
        let mut limits: TVec<OutletId> = tvec![x];
        for (what, limit) in [("start", starts), ("end", ends)] {
            let one =
                model.wire_node(format!("{name}.{what}s"), Slice::new(0, i, i + 1), &[limit])?;
            limits.extend(model.wire_node(format!("{name}.{what}"), AxisOp::Rm(0), &one)?);
        }
        let len = model.symbols.new_with_prefix("len").to_dim();
        return Ok(model.wire_node(name, DynSlice::new(on, len), &limits)?[0]);
    };
    let len = model.outlet_fact(x)?.shape[on].clone();
    let (start, end) = if step > 0 {
        let start = near(&start, |limit| if limit <= -FAR { 0 } else { limit })?;
        (
            start,
            near(&end, |limit| if limit >= FAR { i64::MAX } else { limit })?,
        )
    } else {
        let start = near(&start, |limit| if limit >= FAR { -1 } else { limit })?;
        (
            start,
            near(&end, |limit| if limit <= -FAR { i64::MIN } else { limit })?,
        )
    };
    let rules = StridedSlice {
        optional_axes_input: None,
        optional_steps_input: None,
        begin_mask: 0,
        end_mask: 0,
        shrink_axis_mask: 0,
    };
    let mut steps = vec![1; i];
    steps.push(step);
    let range = rules.prepare_one_dim(i, &len, &start, &end, &steps)?;
    let (start, end) = if step > 0 {
        (range.begin, range.end)
    } else {
        (range.end + 1, range.begin + 1)
    };
    let is_empty = matches!((start.to_i64(), end.to_i64()), (Ok(start), Ok(end)) if end < start);
    let end = if is_empty { start.clone() } else { end };
    let wire = model.wire_node(format!("{name}.slice"), Slice::new(on, start, end), &[x])?;
    if step == 1 {
        return Ok(wire[0]);
    }
    Ok(wire_operator("Slice", name, model, Steps { axis: on, step }, &wire)?[0])
}

/// Beyond any dimension, also one that is not known.
const FAR: i64 = i32::MAX as i64;

/// The limits of a slice, with those that are far as `replace` says; tract knows the greatest numbers alone.
fn near(limits: &Tensor, replace: impl Fn(i64) -> i64) -> TractResult<Tensor> {
    if limits.datum_type() == DatumType::TDim {
        return Ok(limits.clone());
    }
    let limits = limits.cast_to::<i64>()?;
    let limits = limits.try_as_plain_ram()?;
    let limits = limits.as_slice::<i64>()?;
    let near: Vec<i64> = limits.iter().map(|&limit| replace(limit)).collect();
    Ok(tensor1(&near))
}

/// Every so many places along an axis, from the last one on if `step` is negative.
#[derive(Debug)]
struct Steps {
    axis: usize,
    step: i32,
}

impl Operator for Steps {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        let mut shape = x.shape.to_tvec();
        let step = u64::from(self.step.unsigned_abs());
        shape[self.axis] = (shape[self.axis].clone() + (step as i64 - 1)) / step;
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let len = x.shape()[self.axis];
        let step = self.step.unsigned_abs() as usize;
        let mut places: Vec<usize> = (0..len).step_by(step).collect();
        if self.step < 0 {
            places
                .iter_mut()
                .for_each(|place| *place = len - 1 - *place);
        }
        if places.is_empty() {
            return Ok(tvec![inputs[0].clone()]);
        }
        let slices = places
            .into_iter()
            .map(|place| x.slice(self.axis, place, place + 1));
        let slices: Vec<Tensor> = slices.collect::<TractResult<_>>()?;
        Ok(tvec![
            Tensor::stack_tensors(self.axis, &slices)?.into_tvalue()
        ])
    }
}

/// The sizes are an attribute before version 13, and then a constant input; without them they are equal.
pub(super) fn split(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let on = node.get_attr_opt("axis")?.unwrap_or(0);
    let n_outputs = node.output.len();
    let sizes: Option<Vec<usize>> = node.get_attr_opt_vec("split")?;
    if context.onnx_operator_set_version < 13 || node.input.len() == 1 {
        return built(expand(Split::new(on, n_outputs, sizes)));
    }
    built(lowered(context, node, 1, move |name, model, inputs| {
        let &[x, sizes] = inputs else {
            bail!("expected 2 inputs, got {}", inputs.len());
        };
        let sizes = constant_ints(model, sizes)?;
        let sizes: Vec<usize> = sizes
            .into_iter()
            .map(usize::try_from)
            .collect::<std::result::Result<_, _>>()?;
        let fact = model.outlet_fact(x)?;
        let len = &fact.shape[axis(on as i64, fact.rank())?];
        let sum = sizes
            .iter()
            .try_fold(0_usize, |sum, &size| sum.checked_add(size));
        if sum.is_none_or(|sum| len.to_usize().is_ok_and(|len| len != sum)) {
            bail!("{len} split into {sizes:?}");
        }
        Split::new(on, sizes.len(), Some(sizes)).wire(name, model, &[x])
    }))
}

/// The axes are an attribute before version 13, and then a constant input; without them they are all that can be.
pub(super) fn squeeze(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    if context.onnx_operator_set_version < 13 {
        let on: Option<Vec<i64>> = node.get_attr_opt_vec("axes")?;
        return built(expand(Squeeze::new(on.map(|on| axes(&on)))));
    }
    built(lowered(context, node, 1, |name, model, inputs| {
        let fact = model.outlet_fact(inputs[0])?.clone();
        let on: Vec<usize> = match inputs {
            [_, on] => {
                let on = constant_ints(model, *on)?;
                let on = on.into_iter().map(|on| axis(on, fact.rank()));
                on.collect::<TractResult<_>>()?
            }
            _ => (0..fact.rank())
                .filter(|&on| fact.shape[on].is_one())
                .collect(),
        };
        if let Some(&on) = on.iter().find(|&&on| !fact.shape[on].is_one()) {
            bail!("axis {on} has dimension {}, not 1", fact.shape[on]);
        }
        let on = on.into_iter().map(|on| on as isize).collect();
        Squeeze::new(Some(on)).wire(name, model, &inputs[..1])
    }))
}

/// The axes are an attribute before version 13, and then a constant input.
pub(super) fn unsqueeze(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    if context.onnx_operator_set_version < 13 {
        let on: Vec<i64> = node.get_attr_vec("axes")?;
        return built(expand(AddDims::new(axes(&on))));
    }
    built(lowered(context, node, 1, |name, model, inputs| {
        let &[x, on] = inputs else {
            bail!("expected 2 inputs, got {}", inputs.len());
        };
        let on = constant_ints(model, on)?;
        let rank = model.outlet_fact(x)?.rank() + on.len();
        on.iter().try_for_each(|&on| axis(on, rank).map(drop))?;
        AddDims::new(axes(&on)).wire(name, model, &[x])
    }))
}
