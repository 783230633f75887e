//! [Slice](https://onnx.ai/onnx/operators/onnx__Slice.html), versions 1 to 13.
//!
//! `data` of any type, from `starts` to `ends` along `axes` in `steps`. Starts and ends beyond the data mean its edges, negative
//! ones count from the end. Where they begin and end are attributes before version 10, and inputs from then on; `axes` and
//! `steps` must be constant.

use tract_onnx::model::{ParsingContext, optional_inputs};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::array::Slice;

use super::lowered::{axis, constant_ints, lowered};
use super::operator::{Operator, wire_operator};
use super::stock::{Built, built};
use super::{bounded, dimensions, tensors};
use crate::error::{Error, Result};

pub(super) fn build(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    if context.onnx_operator_set_version < 10 {
        return build_1(context, node);
    }
    let mut inputs = optional_inputs(node).skip(3);
    let (axes, steps) = (inputs.next().flatten(), inputs.next().flatten());
    built(lowered(context, node, 1, move |name, model, inputs| {
        let &[x, starts, ends, ..] = inputs else {
            bail!("expected 3 inputs or more, got {}", inputs.len());
        };
        let constant = |input: Option<usize>| input.map(|i| constant_ints(model, inputs[i]));
        let axes = constant(axes).transpose()?;
        let steps = constant(steps).transpose()?;
        let mut n_axes = axes.as_ref().map(Vec::len);
        for (what, limits) in [("starts", starts), ("ends", ends)] {
            let shape = &model.outlet_fact(limits)?.shape;
            let [len] = shape.dims() else {
                let what = format!("input {what}: expected 1 dimension, got {}", shape.rank());
                return Err(tensors::invalid(what).into());
            };
            if let Ok(len) = len.to_usize() {
                check_len(what, len, *n_axes.get_or_insert(len))?;
            }
        }
        let n_axes = n_axes
            .ok_or_else(|| tensors::invalid("input starts: how many values it has is not known"))?;
        if let Some(steps) = &steps {
            check_len("steps", steps.len(), n_axes)?;
        }
        let rank = model.outlet_fact(x)?.rank();
        let axes = axes.unwrap_or_else(|| (0..n_axes as i64).collect());
        let mut wire = x;
        for (i, on) in axes.into_iter().enumerate() {
            let on = axis(on, rank)?;
            let step = steps.as_ref().map_or(1, |steps| steps[i]);
            let name = format!("{name}.{i}");
            wire = slice_axis(&name, model, [wire, starts, ends], [i, on], step)?;
        }
        Ok(tvec![wire])
    }))
}

fn build_1(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    let starts: Vec<i64> = node.get_attr_vec("starts")?;
    let ends: Vec<i64> = node.get_attr_vec("ends")?;
    let all = (0..starts.len() as i64).collect();
    let axes: Vec<i64> = node.get_attr_opt_vec("axes")?.unwrap_or(all);
    check_len("starts", starts.len(), axes.len())?;
    check_len("ends", ends.len(), axes.len())?;
    built(lowered(context, node, 1, move |name, model, inputs| {
        let mut wire = inputs[0];
        let rank = model.outlet_fact(wire)?.rank();
        let starts = model.add_const(format!("{name}.starts"), tensor1(&starts))?;
        let ends = model.add_const(format!("{name}.ends"), tensor1(&ends))?;
        for (i, &on) in axes.iter().enumerate() {
            let name = format!("{name}.{i}");
            wire = slice_axis(&name, model, [wire, starts, ends], [i, axis(on, rank)?], 1)?;
        }
        Ok(tvec![wire])
    }))
}

fn check_len(what: &str, len: usize, expected: usize) -> Result<()> {
    if len == expected {
        return Ok(());
    }
    let message = format!("{what}: {len} values for {expected} axes");
    Err(tensors::invalid(message))
}

/// Slices axis `on` of `x` from number `i` of `starts` to that of `ends`.
fn slice_axis(
    name: &str,
    model: &mut TypedModel,
    [x, starts, ends]: [OutletId; 3],
    [i, on]: [usize; 2],
    step: i64,
) -> TractResult<OutletId> {
    if step == 0 {
        return Err(tensors::invalid("input steps: 0").into());
    }
    let known = |outlet| TractResult::Ok(model.outlet_fact(outlet)?.konst.clone());
    let len = model.outlet_fact(x)?.shape[on].clone();
    let known_now = match (known(starts)?, known(ends)?) {
        (Some(starts), Some(ends)) => Some((nth(&starts, i)?, nth(&ends, i)?)),
        _ => None,
    };
    let Some((start, end)) = known_now.filter(|(start, _)| is_for_any_len(start, &len, step))
    else {
        let range = Range {
            i,
            axis: on,
            step,
            len: model.symbols.new_with_prefix("len"),
        };
        return Ok(wire_operator("Slice", name, model, range, &[x, starts, ends])?[0]);
    };
    let (start, end) = bounds(&start, &end, &len, step);
    let slice = bounded::guarded(Slice::new(on, start, end));
    let wire = model.wire_node(format!("{name}.slice"), slice, &[x])?;
    if step == 1 {
        return Ok(wire[0]);
    }
    Ok(wire_operator("Slice", name, model, Steps { axis: on, step }, &wire)?[0])
}

/// Number `i` of starts or ends, which may be counted in symbols.
fn nth(limits: &Tensor, i: usize) -> TractResult<TDim> {
    let limits = dimensions::of_tensor(limits)?;
    let limits = limits.try_as_plain_ram()?;
    let nth = limits.as_slice::<TDim>()?.get(i).cloned();
    nth.ok_or_else(|| tensors::invalid("inputs starts and ends: fewer values than axes").into())
}

/// Beyond any dimension, also one that is not known.
const FAR: i64 = i32::MAX as i64;

/// Whether [`bounds`] can tell what a slice has of a dimension whatever it turns out to be, or that there is too little of it:
/// one that goes backwards from before the first element has that one, which no sum of symbols says.
fn is_for_any_len(start: &TDim, len: &TDim, step: i64) -> bool {
    let is_near = step.unsigned_abs() < FAR.unsigned_abs();
    len.to_i64().is_ok() || (is_near && (step > 0 || !start.prove_strict_negative()))
}

/// What onnxruntime takes for an end at the last element in the direction of the steps, also where these go backwards.
const TO_THE_END: [i64; 2] = [i32::MAX as i64, i64::MAX];

/// The first element that a slice has of `len`, and the one after its last, in the order in which they lie; the same if it has
/// none.
fn bounds(start: &TDim, end: &TDim, len: &TDim, step: i64) -> (TDim, TDim) {
    if let (Ok(start), Ok(end), Ok(len)) = (start.to_i64(), end.to_i64(), len.to_i64()) {
        let (start, end) = known_bounds(start, end, len, step);
        return (start.to_dim(), end.to_dim());
    }
    let is_far = |limit: &TDim, sign: i64| {
        limit
            .to_i64()
            .is_ok_and(|limit| limit.saturating_mul(sign) >= FAR)
    };
    let from_start = |limit: &TDim| {
        if limit.prove_strict_negative() {
            limit.clone() + len
        } else {
            limit.clone()
        }
    };
    let nothing = (0.to_dim(), 0.to_dim());
    if step > 0 {
        if is_far(start, 1) || is_far(end, -1) {
            return nothing;
        }
        let first = if is_far(start, -1) {
            0.to_dim()
        } else {
            from_start(start)
        };
        let end = if is_far(end, 1) {
            len.clone()
        } else {
            from_start(end)
        };
        return (first, end);
    }
    let is_to_the_end = end.to_i64().is_ok_and(|end| TO_THE_END.contains(&end));
    let first = if is_to_the_end || is_far(end, -1) {
        0.to_dim()
    } else if is_far(end, 1) {
        return nothing;
    } else {
        from_start(end) + 1
    };
    let end = if is_far(start, 1) {
        len.clone()
    } else if is_far(start, -1) {
        1.to_dim()
    } else {
        from_start(start) + 1
    };
    (first, end)
}

/// As [`bounds`], of numbers: starts and ends are clamped as the specification says.
fn known_bounds(start: i64, end: i64, len: i64, step: i64) -> (i64, i64) {
    if len == 0 {
        return (0, 0);
    }
    let from_start = |limit: i64| {
        if limit < 0 {
            limit.saturating_add(len)
        } else {
            limit
        }
    };
    let (first, end) = if step > 0 {
        let within = |limit: i64| from_start(limit).clamp(0, len);
        (within(start), within(end))
    } else {
        let last = from_start(start).clamp(0, len - 1);
        let before_first = if TO_THE_END.contains(&end) {
            -1
        } else {
            from_start(end).clamp(-1, len)
        };
        (before_first + 1, last + 1)
    };
    (first, end.max(first))
}

/// How many elements of `len` there are in steps of `step`.
fn n_steps(len: usize, step: i64) -> usize {
    let step = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    len.div_ceil(step)
}

/// Every so many elements of `x` along `axis`, `first` and `end` being the first and the one after the last of them, from the
/// last one on if `step` is negative.
fn stepped(x: &Tensor, axis: usize, [first, end]: [usize; 2], step: i64) -> TractResult<Tensor> {
    let n = n_steps(end - first, step);
    if n == 0 {
        let mut shape: TVec<usize> = x.shape().into();
        shape[axis] = 0;
        return tensors::empty(x.datum_type(), &shape);
    }
    if step == 1 {
        return x.slice(axis, first, end);
    }
    let step_by = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    let places = (0..n).map(|at| {
        let offset = at.saturating_mul(step_by);
        if step > 0 {
            first + offset
        } else {
            end - 1 - offset
        }
    });
    let slices = places.map(|place| x.slice(axis, place, place + 1));
    let slices: Vec<Tensor> = slices.collect::<TractResult<_>>()?;
    Tensor::stack_tensors(axis, &slices)
}

/// Every so many elements along an axis, from the last one on if `step` is negative.
#[derive(Debug)]
struct Steps {
    axis: usize,
    step: i64,
}

impl Operator for Steps {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        let mut shape = x.shape.to_tvec();
        let len = &mut shape[self.axis];
        *len = match len.to_usize() {
            Ok(known) => n_steps(known, self.step).to_dim(),
            Err(_) => {
                (len.clone() + (self.step.unsigned_abs() as i64 - 1)) / self.step.unsigned_abs()
            }
        };
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let all = [0, x.shape()[self.axis]];
        Ok(tvec![stepped(x, self.axis, all, self.step)?.into_tvalue()])
    }
}

/// Slices an axis of the first input from one of the numbers in the second to one in the third, which only a run knows.
#[derive(Debug)]
struct Range {
    /// Which of the numbers.
    i: usize,
    axis: usize,
    step: i64,
    /// How many elements there will be.
    len: Symbol,
}

impl Operator for Range {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, starts, ends] = tensors::inputs(inputs)?;
        for (what, limits) in [("starts", starts), ("ends", ends)] {
            if !matches!(
                limits.datum_type,
                DatumType::I32 | DatumType::I64 | DatumType::TDim
            ) {
                let got = limits.datum_type;
                let message = format!("input {what}: expected int32 or int64, got {got:?}");
                return Err(tensors::invalid(message));
            }
        }
        let mut fact = x.without_value();
        fact.shape.set(self.axis, self.len.to_dim());
        Ok(tvec![fact])
    }

    fn has_data_dependent_shape(&self) -> bool {
        true
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let limit = |input: usize| {
            let limit = nth(&inputs[input], self.i)?.to_i64();
            limit.map_err(|error| TractError::from(Error::input(error)))
        };
        let len = i64::try_from(x.shape()[self.axis])?;
        let (first, end) = known_bounds(limit(1)?, limit(2)?, len, self.step);
        let range = [usize::try_from(first)?, usize::try_from(end)?];
        Ok(tvec![
            stepped(x, self.axis, range, self.step)?.into_tvalue()
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_within_the_data() {
        const MIN: i64 = i64::MIN;
        const MAX: i64 = i64::MAX;
        let scope = SymbolScope::default();
        let n = scope.sym("n");
        let mut symbols = SymbolValues::default();
        symbols.set(&n, 6);
        for (start, end, step, expected) in [
            (0, MAX, 1, 0..6),
            (MIN, MAX, 1, 0..6),
            (1, -1, 1, 1..5),
            (-2, MAX, 1, 4..6),
            (MAX, MAX, 1, 0..0),
            (1 << 32, 1 << 32, 1, 0..0),
            (1 << 31, MAX, 1, 0..0),
            (2, MIN, 1, 0..0),
            (MAX, MIN, -1, 0..6),
            (-1, MIN, -2, 0..6),
            (4, 1, -1, 2..5),
            (MIN, MIN, -1, 0..1),
            (3, MAX, -1, 0..4),
            (3, 1 << 32, -1, 0..0),
        ] {
            let case = format!("{start}:{end}:{step}");
            let (first, last) = known_bounds(start, end, 6, step);
            assert_eq!(last - first, expected.end - expected.start, "{case}");
            if last > first {
                assert_eq!(first..last, expected, "{case}");
            }
            let (first, last) = bounds(&start.to_dim(), &end.to_dim(), &n.to_dim(), step);
            let size = |dim: TDim| dim.eval(&symbols).to_i64().expect("is known");
            assert_eq!(size(first)..size(last), expected, "{case} of n");
        }
        assert_eq!(known_bounds(0, 9, 0, -1), (0, 0));
        assert_eq!(known_bounds(4, 2, 6, 1), (4, 4));
        assert_eq!(known_bounds(9, 12, 6, 1), (6, 6));
    }

    #[test]
    fn steps_go_either_way() {
        let x = tensor1(&[0, 1, 2, 3, 4]);
        for (range, step, expected) in [
            ([0, 5], 2, &[0, 2, 4][..]),
            ([0, 5], -2, &[4, 2, 0]),
            ([1, 4], -1, &[3, 2, 1]),
            ([1, 4], 1, &[1, 2, 3]),
            ([0, 5], i64::MAX, &[0]),
            ([0, 5], i64::MIN, &[4]),
            ([2, 2], 1, &[]),
            ([2, 2], -3, &[]),
        ] {
            let got = stepped(&x, 0, range, step).expect("slices");
            assert_eq!(got, tensor1(expected), "{range:?} {step}");
        }
    }
}
