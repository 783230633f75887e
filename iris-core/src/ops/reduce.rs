//! [ReduceL2](https://onnx.ai/onnx/operators/onnx__ReduceL2.html),
//! [ReduceLogSum](https://onnx.ai/onnx/operators/onnx__ReduceLogSum.html),
//! [ReduceLogSumExp](https://onnx.ai/onnx/operators/onnx__ReduceLogSumExp.html) and
//! [ReduceSumSquare](https://onnx.ai/onnx/operators/onnx__ReduceSumSquare.html), versions 1 to 18.
//!
//! `data` float, double, int32 or int64 gives `reduced` of the same type, without the dimensions `axes` or, if `keepdims`
//! is set, with 1 in their places. `axes` is an attribute before version 18 and then an optional input, which must be
//! constant; without them all dimensions are reduced, or none if `noop_with_empty_axes` is set. tract's own overflow where
//! the logarithm of a sum of exponentials does not, and do not take int64.

use pulp::Scalar;
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::axes;
use super::kernels::exponential::log_sum_exp;
use super::kernels::reduce::sum_of_squares;
use super::operator::{Operator, node_operator};
use super::tensors::{self, with_f64s};
use crate::error::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reducer {
    L2,
    LogSum,
    LogSumExp,
    SumSquare,
}

#[derive(Debug)]
struct Reduce {
    reducer: Reducer,
    /// Those of the attribute; empty is as good as absent.
    axes: Vec<i64>,
    has_axes_input: bool,
    keep_dims: bool,
    noop_with_empty_axes: bool,
}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let axes = attributes.ints("axes")?.to_vec();
    build_with(attributes, axes, false, false)
}

/// Version 18.
pub(super) fn build_18(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let noop = attributes.int("noop_with_empty_axes")?.unwrap_or(0) != 0;
    let has_axes_input = attributes
        .node()
        .input
        .get(1)
        .is_some_and(|i| !i.is_empty());
    build_with(attributes, vec![], has_axes_input, noop)
}

fn build_with(
    attributes: &mut Attributes<'_>,
    axes: Vec<i64>,
    has_axes_input: bool,
    noop_with_empty_axes: bool,
) -> Result<Box<dyn InferenceOp>> {
    let reducer = match attributes.node().op_type.as_str() {
        "ReduceL2" => Reducer::L2,
        "ReduceLogSum" => Reducer::LogSum,
        "ReduceLogSumExp" => Reducer::LogSumExp,
        _ => Reducer::SumSquare,
    };
    let keep_dims = attributes.int("keepdims")?.unwrap_or(1) != 0;
    let reduce = Reduce {
        reducer,
        axes,
        has_axes_input,
        keep_dims,
        noop_with_empty_axes,
    };
    Ok(node_operator(attributes, reduce))
}

/// The strides in the result of the dimensions of `shape`: 0 for those that `reduced` says.
fn result_strides(shape: &[usize], reduced: &[bool]) -> Vec<usize> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1;
    for axis in (0..shape.len()).rev() {
        if !reduced[axis] {
            strides[axis] = stride;
            stride *= shape[axis];
        }
    }
    strides
}

/// For each element of a tensor of `shape`, in order, where in the result it goes.
fn targets<'s>(shape: &'s [usize], strides: &'s [usize]) -> impl Iterator<Item = usize> + 's {
    let mut index = vec![0; shape.len()];
    let mut target = 0;
    (0..shape.iter().product()).map(move |_| {
        let here = target;
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            target += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
            target -= strides[axis] * shape[axis];
        }
        here
    })
}

/// Reduces `values` into `volume` results; `targets` says which each goes to.
fn reduce<I: Iterator<Item = f64> + Clone, J: Iterator<Item = usize>>(
    reducer: Reducer,
    values: I,
    targets: impl Fn() -> J,
    volume: usize,
) -> Vec<f64> {
    let mut sums = vec![0.0_f64; volume];
    match reducer {
        Reducer::L2 | Reducer::SumSquare => {
            for (x, target) in values.zip(targets()) {
                sums[target] += x * x;
            }
            if reducer == Reducer::L2 {
                sums.iter_mut().for_each(|sum| *sum = sum.sqrt());
            }
        }
        Reducer::LogSum => {
            for (x, target) in values.zip(targets()) {
                sums[target] += x;
            }
            sums.iter_mut().for_each(|sum| *sum = sum.ln());
        }
        Reducer::LogSumExp => {
            let mut maxima = vec![f64::NEG_INFINITY; volume];
            for (x, target) in values.clone().zip(targets()) {
                maxima[target] = maxima[target].max(x);
            }
            // Infinities are not to be subtracted from themselves.
            for maximum in maxima.iter_mut().filter(|maximum| maximum.is_infinite()) {
                *maximum = 0.0;
            }
            for (x, target) in values.zip(targets()) {
                sums[target] += (x - maxima[target]).exp();
            }
            for (sum, maximum) in sums.iter_mut().zip(maxima) {
                *sum = sum.ln() + maximum;
            }
        }
    }
    sums
}

/// The sums of the squares of integers, which wrap around as onnxruntime's do.
fn sum_squares(
    values: impl Iterator<Item = i64>,
    targets: impl Iterator<Item = usize>,
    volume: usize,
) -> Vec<i64> {
    let mut sums = vec![0_i64; volume];
    for (x, target) in values.zip(targets) {
        sums[target] = sums[target].wrapping_add(x.wrapping_mul(x));
    }
    sums
}

impl Reduce {
    /// Which of the `rank` dimensions are reduced.
    fn reduced(&self, rank: usize, axes: &[i64]) -> Result<Vec<bool>> {
        if axes.is_empty() {
            return Ok(vec![!self.noop_with_empty_axes; rank]);
        }
        let mut reduced = vec![false; rank];
        for &axis in axes {
            reduced[axes::resolve(axis, rank)?] = true;
        }
        Ok(reduced)
    }

    fn result_shape<D: Clone + From<usize>>(&self, shape: &[D], reduced: &[bool]) -> TVec<D> {
        let dims = shape.iter().zip(reduced);
        dims.filter_map(|(dim, &is_reduced)| match (is_reduced, self.keep_dims) {
            (false, _) => Some(dim.clone()),
            (true, true) => Some(D::from(1)),
            (true, false) => None,
        })
        .collect()
    }

    fn input_axes(axes: &Tensor) -> TractResult<Vec<i64>> {
        let axes = axes.cast_to::<i64>()?;
        Ok(axes.try_as_plain_ram()?.as_slice::<i64>()?.to_vec())
    }
}

impl Operator for Reduce {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let (x, axes) = if self.has_axes_input {
            let [x, axes] = tensors::inputs(inputs)?;
            let axes = axes
                .konst
                .as_ref()
                .ok_or_else(|| tensors::invalid("input axes: not a constant"))?;
            (x, Self::input_axes(axes).map_err(tensors::invalid)?)
        } else {
            let [x] = tensors::inputs(inputs)?;
            (x, self.axes.clone())
        };
        tensors::check_numeric("data", x)?;
        let reduced = self.reduced(x.rank(), &axes)?;
        let shape = self.result_shape::<TDim>(&x.shape.to_tvec(), &reduced);
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let axes = if self.has_axes_input {
            Self::input_axes(&inputs[1])?
        } else {
            self.axes.clone()
        };
        let reduced = self.reduced(x.rank(), &axes)?;
        let strides = result_strides(x.shape(), &reduced);
        let shape = self.result_shape(x.shape(), &reduced);
        let volume = shape.iter().product();
        let targets = || targets(x.shape(), &strides);
        let datum_type = x.datum_type();
        let result = if self.reducer == Reducer::SumSquare && datum_type.is_integer() {
            let x = x.cast_to::<i64>()?;
            let x = x.try_as_plain_ram()?;
            let values = x.as_slice::<i64>()?.iter().copied();
            let sums = sum_squares(values, targets(), volume);
            if datum_type == DatumType::I32 {
                tensors::from_vec(&shape, sums.iter().map(|&sum| sum as i32).collect())
            } else {
                tensors::from_vec(&shape, sums)
            }
        } else if let (Reducer::LogSumExp, DatumType::F32, [outer @ .., true]) =
            (self.reducer, datum_type, &reduced[..])
            && outer.iter().all(|is_reduced| !is_reduced)
            && x.len() > 0
        {
            let len = x.shape()[x.rank() - 1];
            let sums = log_sum_exp(x.try_as_plain_ram()?.as_slice()?, len);
            tensors::from_vec(&shape, sums)
        } else if let (Reducer::SumSquare, DatumType::F32, [outer @ .., true]) =
            (self.reducer, datum_type, &reduced[..])
            && outer.iter().all(|is_reduced| !is_reduced)
            && x.len() > 0
        {
            let lines = x.try_as_plain_ram()?;
            let lines = lines
                .as_slice::<f32>()?
                .chunks_exact(x.shape()[x.rank() - 1]);
            let sums = lines.map(|line| sum_of_squares(Scalar::new(), line) as f32);
            tensors::from_vec(&shape, sums.collect())
        } else {
            let y = with_f64s!(x, x => reduce(self.reducer, x, targets, volume));
            match datum_type {
                DatumType::F32 => tensors::from_vec(&shape, y.iter().map(|&y| y as f32).collect()),
                DatumType::F64 => tensors::from_vec(&shape, y),
                DatumType::I32 => tensors::from_vec(&shape, y.iter().map(|&y| y as i32).collect()),
                _ => tensors::from_vec(&shape, y.iter().map(|&y| y as i64).collect()),
            }
        }?;
        Ok(tvec![result.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_elements_go() {
        let cases: [(&[usize], &[bool], &[usize]); 6] = [
            (&[], &[], &[0]),
            (&[0, 2], &[true, false], &[]),
            (&[2, 2], &[false, true], &[0, 0, 1, 1]),
            (&[2, 2], &[true, false], &[0, 1, 0, 1]),
            (&[2, 2], &[false, false], &[0, 1, 2, 3]),
            (&[2, 1, 3], &[true, true, false], &[0, 1, 2, 0, 1, 2]),
        ];
        for (shape, reduced, expected) in cases {
            let strides = result_strides(shape, reduced);
            let targets: Vec<_> = targets(shape, &strides).collect();
            assert_eq!(targets, expected, "{shape:?} {reduced:?}");
        }
    }

    #[test]
    fn log_sum_exp_does_not_overflow() {
        const INFINITY: f64 = f64::INFINITY;
        let cases: [(&[f64], f64); 7] = [
            (&[], -INFINITY),
            (&[1000.0, 2000.0], 2000.0),
            (&[-1000.0, -2000.0], -1000.0),
            (&[0.0, 0.0], std::f64::consts::LN_2),
            (&[INFINITY, 1.0], INFINITY),
            (&[INFINITY, -INFINITY], INFINITY),
            (&[-INFINITY, -INFINITY], -INFINITY),
        ];
        for (x, expected) in cases {
            let targets = || x.iter().map(|_| 0);
            let y = reduce(Reducer::LogSumExp, x.iter().copied(), targets, 1);
            assert_eq!(y, [expected], "{x:?}");
        }
        let x = [f64::NAN, 1.0];
        let y = reduce(Reducer::LogSumExp, x.into_iter(), || [0, 0].into_iter(), 1);
        assert!(y[0].is_nan());
    }
}
