//! Sums, and where the largest or the smallest is, along one dimension.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::Simd;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::nn::{Reduce as TractReduce, Reducer};

use crate::error::Result;
use crate::ops::axes::Along;
use crate::ops::operator::Operator;
use crate::ops::real::Real;
use crate::ops::tensors;

#[derive(Debug)]
pub(super) struct Reduce {
    axis: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Sum,
    ArgMax,
    ArgMin,
}

impl Reduce {
    /// `op`, if it is one of ours.
    pub(super) fn new(op: &TractReduce, inputs: &[&TypedFact]) -> Option<Self> {
        let (&[axis], [x]) = (&op.axes[..], inputs) else {
            return None;
        };
        let kind = match op.reducer {
            Reducer::Sum => Kind::Sum,
            Reducer::ArgMax(false) => Kind::ArgMax,
            Reducer::ArgMin(false) => Kind::ArgMin,
            _ => return None,
        };
        let is_ours = matches!(x.datum_type, DatumType::F32 | DatumType::F64);
        (is_ours && axis < x.rank()).then_some(Self { axis, kind })
    }
}

/// The sum of the squares of `numbers`, made in double.
#[inline(always)]
pub(in crate::ops) fn sum_of_squares<S: Simd, T: Real>(simd: S, numbers: &[T]) -> f64 {
    const SUMS: usize = 8;
    let (chunks, rest) = numbers.as_chunks::<SUMS>();
    // As many of them are used as it takes for eight sums.
    let mut vectors = [simd.splat_f64s(0.0); SUMS];
    for chunk in chunks {
        let x = T::doubles(simd, *chunk);
        for (sum, &x) in vectors.iter_mut().zip(S::as_simd_f64s(&x).0) {
            *sum = simd.add_f64s(*sum, simd.mul_f64s(x, x));
        }
    }
    let mut sums = [0.0; SUMS];
    for (sums, vector) in S::as_mut_simd_f64s(&mut sums).0.iter_mut().zip(vectors) {
        *sums = vector;
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += x.to_f64() * x.to_f64();
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// The sums along the middle of three dimensions, made in double.
fn sums<T: Real>(x: &[T], along: Along) -> Vec<T> {
    let Along { outer, len, inner } = along;
    if inner == 1 && len > 0 {
        let lines = x.chunks_exact(len);
        return lines
            .map(|line| T::from_f64(line.iter().map(|x| x.to_f64()).sum()))
            .collect();
    }
    let sum = |o: usize, i: usize| {
        let line = (0..len).map(|at| x[(o * len + at) * inner + i].to_f64());
        T::from_f64(line.sum())
    };
    (0..outer)
        .flat_map(|o| (0..inner).map(move |i| sum(o, i)))
        .collect()
}

/// Where the first of the elements is than which no other `is_better`, along the middle of three dimensions; what is not a
/// number is no better than `worst`.
fn best<T: Real>(x: &[T], along: Along, worst: f64, is_better: impl Fn(T, T) -> bool) -> Vec<i64> {
    let Along { outer, len, inner } = along;
    let worst = T::from_f64(worst);
    let mut places = Vec::with_capacity(outer * inner);
    if inner == 1 && len > 0 {
        let lines = x.chunks_exact(len);
        places.extend(lines.map(|line| first_best(line.iter().copied(), worst, &is_better)));
        return places;
    }
    for o in 0..outer {
        for i in 0..inner {
            let line = (0..len).map(|at| x[(o * len + at) * inner + i]);
            places.push(first_best(line, worst, &is_better));
        }
    }
    places
}

#[inline(always)]
fn first_best<T: Copy>(
    line: impl Iterator<Item = T>,
    worst: T,
    is_better: impl Fn(T, T) -> bool,
) -> i64 {
    let mut best = (worst, 0);
    for (at, x) in line.enumerate() {
        let is_better = is_better(x, best.0);
        // Two choices, neither of which is a branch, since which is the best cannot be foretold.
        best.0 = if is_better { x } else { best.0 };
        best.1 = if is_better { at as i64 } else { best.1 };
    }
    best.1
}

impl Operator for Reduce {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        let mut shape: TVec<TDim> = x.shape.to_tvec();
        shape[self.axis] = 1.to_dim();
        let datum_type = match self.kind {
            Kind::Sum => x.datum_type,
            Kind::ArgMax | Kind::ArgMin => DatumType::I64,
        };
        Ok(tvec![datum_type.fact(shape)])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.axis > 0
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        fn reduced<T: Real>(kind: Kind, x: &Tensor, axis: usize) -> TractResult<Tensor> {
            let along = Along::new(x.shape(), axis);
            let mut shape: TVec<usize> = x.shape().into();
            shape[axis] = 1;
            let x = x.try_as_plain_ram()?;
            let x = x.as_slice::<T>()?;
            match kind {
                Kind::Sum => tensors::from_vec(&shape, sums(x, along)),
                Kind::ArgMax => {
                    let places = best(x, along, f64::NEG_INFINITY, |x, best| x > best);
                    tensors::from_vec(&shape, places)
                }
                Kind::ArgMin => {
                    let places = best(x, along, f64::INFINITY, |x, best| x < best);
                    tensors::from_vec(&shape, places)
                }
            }
        }
        let x = &inputs[0];
        let result = if x.datum_type() == DatumType::F32 {
            reduced::<f32>(self.kind, x, self.axis)
        } else {
            reduced::<f64>(self.kind, x, self.axis)
        }?;
        Ok(tvec![result.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Scalar, WithSimd};

    use super::*;
    use crate::ops::simd;

    struct SumOfSquares<'a>(&'a [f32]);

    impl WithSimd for SumOfSquares<'_> {
        type Output = f64;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> f64 {
            sum_of_squares(simd, self.0)
        }
    }

    #[test]
    fn sums_all_squares() {
        let x: Vec<f32> = (1..=19).map(|x| x as f32).collect();
        for len in [0, 1, 7, 8, 19] {
            let expected: f32 = x[..len].iter().map(|x| x * x).sum();
            let expected = f64::from(expected);
            assert_eq!(sum_of_squares(Scalar::new(), &x[..len]), expected, "{len}");
            let got = simd::dispatch(SumOfSquares(&x[..len]));
            assert_eq!(got, expected, "{len}");
        }
    }

    #[test]
    fn reduces_along_any_dimension() {
        let x = [1.0, 5.0, -2.0, 5.0, f64::NEG_INFINITY, f64::NAN];
        let along = |outer, len, inner| Along { outer, len, inner };
        assert_eq!(sums(&x[..4], along(2, 2, 1)), [6.0, 3.0]);
        assert_eq!(sums(&x[..4], along(1, 2, 2)), [-1.0, 10.0]);
        assert_eq!(sums(&x[..0], along(2, 0, 1)), [0.0, 0.0]);
        let largest = |x, along| best(x, along, f64::NEG_INFINITY, |x, best| x > best);
        assert_eq!(largest(&x[..4], along(2, 2, 1)), [1, 1]);
        assert_eq!(largest(&x[..4], along(1, 2, 2)), [0, 0]);
        assert_eq!(largest(&x[..4], along(1, 4, 1)), [1]);
        assert_eq!(largest(&x[3..], along(1, 3, 1)), [0]);
        assert_eq!(largest(&x[4..], along(1, 2, 1)), [0]);
        let smallest = |x, along| best(x, along, f64::INFINITY, |x, best| x < best);
        assert_eq!(smallest(&x[..4], along(2, 2, 1)), [0, 0]);
        assert_eq!(smallest(&x[..4], along(1, 2, 2)), [1, 0]);
        assert_eq!(smallest(&x[2..], along(1, 4, 1)), [2]);
        assert_eq!(smallest(&x[5..], along(1, 1, 1)), [0]);
    }
}
