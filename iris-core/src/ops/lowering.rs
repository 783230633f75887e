//! Operators of ai.onnx whose attributes became constant inputs, and others, in terms of tract's.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::array::{AddDims, Split, Squeeze};

use super::lowered::{axis, constant_ints, lowered};
use super::stock::{Built, built};

fn axes(axes: &[i64]) -> Vec<isize> {
    axes.iter().map(|&axis| axis as isize).collect()
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

/// The sizes are an attribute before version 13, and then a constant input; without them they are equal.
pub(super) fn split(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let on: i64 = node.get_attr_opt("axis")?.unwrap_or(0);
    let n_outputs = node.output.len();
    let sizes: Option<Vec<usize>> = node.get_attr_opt_vec("split")?;
    if context.onnx_operator_set_version < 13 || node.input.len() == 1 {
        return built(lowered(context, node, 1, move |name, model, inputs| {
            let &[x] = inputs else {
                bail!("expected 1 input, got {}", inputs.len());
            };
            let on = axis(on, model.outlet_fact(x)?.rank())?;
            Split::new(on as isize, n_outputs, sizes.clone()).wire(name, model, &[x])
        }));
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
        let on = axis(on, fact.rank())?;
        let len = &fact.shape[on];
        let sum = sizes
            .iter()
            .try_fold(0_usize, |sum, &size| sum.checked_add(size));
        if sum.is_none_or(|sum| len.to_usize().is_ok_and(|len| len != sum)) {
            bail!("{len} split into {sizes:?}");
        }
        Split::new(on as isize, sizes.len(), Some(sizes)).wire(name, model, &[x])
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
