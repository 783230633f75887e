//! [Slice](https://onnx.ai/onnx/operators/onnx__Slice.html), versions 1 to 13.
//!
//! `data` of any type, from `starts` to `ends` along `axes` in `steps`. Starts and ends beyond the data mean its edges, negative
//! ones count from the end. Where they begin and end are attributes before version 10, and inputs from then on; `axes` and
//! `steps` must be constant.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::guard::memory;
use crate::onnx::attributes::Attributes;
use crate::operator::axes::{constant_ints, resolve};
use crate::operator::node::{constant, wire_operator};
use crate::operator::{Built, Operator, dimensions};
use crate::value::tensors;

/// From version 10 on.
pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let [axes, steps] = [3, 4].map(|index| attributes.input(index));
    Ok(Built::expansion(move |name, model, inputs| {
        let [x, starts, ends] = [inputs[0], inputs[1], inputs[2]];
        let ints = |what, input: Option<usize>| {
            input
                .map(|input| constant_ints(what, model, inputs[input]))
                .transpose()
        };
        let (axes, steps) = (ints("axes", axes)?, ints("steps", steps)?);
        let mut n_axes = axes.as_ref().map(Vec::len);
        for (what, limits) in [("starts", starts), ("ends", ends)] {
            let shape = &model.outlet_fact(limits)?.shape;
            let [len] = shape.dims() else {
                let what = format!("input {what}: expected 1 dimension, got {}", shape.rank());
                return Err(error::invalid(what).into());
            };
            if let Ok(len) = len.to_usize() {
                check_len(what, len, *n_axes.get_or_insert(len))?;
            }
        }
        let n_axes = n_axes
            .ok_or_else(|| error::invalid("input starts: how many values it has is not known"))?;
        if let Some(steps) = &steps {
            check_len("steps", steps.len(), n_axes)?;
        }
        let axes = axes.unwrap_or_else(|| (0..n_axes as i64).collect());
        wire(name, model, [x, starts, ends], &axes, steps.as_deref())
    }))
}

/// Before version 10.
pub(crate) fn build_1(attributes: &mut Attributes<'_>) -> Result<Built> {
    let mut ints = |name| -> Result<Vec<i64>> {
        let ints = attributes.optional_ints(name)?;
        Ok(ints.ok_or_else(|| attributes.missing(name))?.to_vec())
    };
    let (starts, ends) = (ints("starts")?, ints("ends")?);
    let all = || (0..starts.len() as i64).collect();
    let axes = attributes.optional_ints("axes")?;
    let axes: Vec<i64> = axes.map_or_else(all, <[i64]>::to_vec);
    check_len("starts", starts.len(), axes.len())?;
    check_len("ends", ends.len(), axes.len())?;
    Ok(Built::expansion(move |name, model, inputs| {
        let starts = constant(&format!("{name}.starts"), model, tensor1(&starts))?;
        let ends = constant(&format!("{name}.ends"), model, tensor1(&ends))?;
        wire(name, model, [inputs[0], starts, ends], &axes, None)
    }))
}

fn check_len(what: &str, len: usize, expected: usize) -> Result<()> {
    if len == expected {
        return Ok(());
    }
    let message = format!("{what}: {len} values for {expected} axes");
    Err(error::invalid(message))
}

/// Slices `x` along each of `axes`.
fn wire(
    name: &str,
    model: &mut TypedModel,
    [x, starts, ends]: [OutletId; 3],
    axes: &[i64],
    steps: Option<&[i64]>,
) -> TractResult<TVec<OutletId>> {
    let rank = model.outlet_fact(x)?.rank();
    let mut wire = x;
    for (i, &on) in axes.iter().enumerate() {
        let (on, step) = (resolve(on, rank)?, steps.map_or(1, |steps| steps[i]));
        wire = slice_axis(name, model, [wire, starts, ends], [i, on], step)?;
    }
    Ok(tvec![wire])
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
        return Err(error::invalid("input steps: 0").into());
    }
    let known = |outlet| TractResult::Ok(model.outlet_fact(outlet)?.konst.clone());
    let len = model.outlet_fact(x)?.shape[on].clone();
    let limits = match (known(starts)?, known(ends)?) {
        (Some(starts), Some(ends)) => Some((nth(&starts, i)?, nth(&ends, i)?)),
        _ => None,
    };
    let n_kept = match &limits {
        Some((start, end)) if is_for_any_len(start, end, &len, step) => {
            let (first, end) = bounds(start, end, &len, step);
            n_steps(&(end - first), step)
        }
        _ => model.symbols.new_with_prefix("len").to_dim(),
    };
    let numbers = limits.and_then(|(start, end)| Some([start.to_i64().ok()?, end.to_i64().ok()?]));
    let inputs: &[OutletId] = match numbers {
        Some(_) => &[x],
        None => &[x, starts, ends],
    };
    let slice = Slice {
        axis: on,
        step,
        numbers,
        i,
        n_kept,
    };
    wire_operator("Slice", name, model, slice, inputs)
}

/// Number `i` of starts or ends, which may be counted in symbols.
fn nth(limits: &Tensor, i: usize) -> TractResult<TDim> {
    let limits = dimensions::of_tensor(limits)?;
    let limits = limits.try_as_plain_ram()?;
    let nth = limits.as_slice::<TDim>()?.get(i).cloned();
    nth.ok_or_else(|| error::invalid("inputs starts and ends: fewer values than axes").into())
}

/// Beyond any dimension, also one that is not known.
const FAR: i64 = i32::MAX as i64;

/// Whether [`bounds`] can tell what a slice has of a dimension whatever it turns out to be, but 0: not where a number of
/// elements may be more than there are, nor where a slice goes backwards from before the first element, which is that one.
fn is_for_any_len(start: &TDim, end: &TDim, len: &TDim, step: i64) -> bool {
    if len.to_i64().is_ok() {
        return true;
    }
    if step < 0 {
        let is_near = step.unsigned_abs() < FAR.unsigned_abs();
        return is_near && !start.prove_strict_negative();
    }
    let may_be_more = match (start.to_i64(), end.to_i64()) {
        (Ok(..=-2), Ok(end)) => end >= FAR,
        (Ok(0..), Ok(end)) => (1..FAR).contains(&end),
        _ => false,
    };
    step < FAR && !may_be_more
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
fn n_steps(len: &TDim, step: i64) -> TDim {
    let step = step.unsigned_abs();
    match len.to_i64() {
        Ok(len) => (len.max(0) as u64).div_ceil(step).to_dim(),
        Err(_) if step == 1 => len.clone(),
        Err(_) => (len.clone() + (step as i64 - 1)) / step,
    }
}

/// Every so many elements of `x` along `axis`, `first` and `end` being the first and the one after the last of them, from the
/// last one on if `step` is negative.
fn stepped(x: &Tensor, axis: usize, [first, end]: [usize; 2], step: i64) -> TractResult<Tensor> {
    let step_by = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    let n = (end - first).div_ceil(step_by);
    if n == 0 {
        let mut shape: TVec<usize> = x.shape().into();
        shape[axis] = 0;
        return tensors::empty(x.datum_type(), &shape);
    }
    if step == 1 {
        return x.slice(axis, first, end);
    }
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

/// Every so many elements along an axis, from the last one on if `step` is negative. Its further inputs are starts and ends,
/// unless these are numbers that are known.
#[derive(Debug)]
struct Slice {
    axis: usize,
    step: i64,
    /// Where the slice starts and ends.
    numbers: Option<[i64; 2]>,
    /// Which of the starts and ends is for this axis.
    i: usize,
    /// How many elements there are along the axis.
    n_kept: TDim,
}

impl Operator for Slice {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let Some((x, limits)) = inputs.split_first() else {
            return Err(error::invalid("expected 3 inputs, got 0"));
        };
        for (what, limits) in ["starts", "ends"].into_iter().zip(limits) {
            if !matches!(
                limits.datum_type,
                DatumType::I32 | DatumType::I64 | DatumType::TDim
            ) {
                let got = limits.datum_type;
                let message = format!("input {what}: expected int32 or int64, got {got:?}");
                return Err(error::invalid(message));
            }
        }
        let mut fact = x.without_value();
        fact.shape.set(self.axis, self.n_kept.clone());
        Ok(tvec![fact])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.axis > 0 && self.numbers.is_some()
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let limit = |input: usize| {
            let limit = nth(&inputs[input], self.i)?.to_i64();
            limit.map_err(|error| TractError::from(Error::input(error)))
        };
        let [start, end] = match self.numbers {
            Some(numbers) => numbers,
            None => [limit(1)?, limit(2)?],
        };
        let len = i64::try_from(x.shape()[self.axis])?;
        let (first, end) = known_bounds(start, end, len, self.step);
        let range = [usize::try_from(first)?, usize::try_from(end)?];
        memory::ask_for_inputs(&inputs[..1])?;
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
