//! Sums, and where the largest or the smallest is, along one dimension.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::Simd;

use crate::kernels::along::Along;
use crate::kernels::real::Real;

/// The sum of the squares of `numbers`, made in double.
#[inline(always)]
pub(crate) fn sum_of_squares<S: Simd, T: Real>(simd: S, numbers: &[T]) -> f64 {
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

/// The sums along the middle of three dimensions, each divided by `divisor`, made in double.
pub(crate) fn sums<T: Real>(x: &[T], along: Along, divisor: f64) -> Vec<T> {
    let Along { outer, len, inner } = along;
    if inner == 1 && len > 0 {
        let lines = x.chunks_exact(len);
        return lines
            .map(|line| mean(line.iter().copied(), divisor))
            .collect();
    }
    let line = |o: usize, i: usize| (0..len).map(move |at| x[(o * len + at) * inner + i]);
    (0..outer)
        .flat_map(|o| (0..inner).map(move |i| mean(line(o, i), divisor)))
        .collect()
}

#[inline(always)]
fn mean<T: Real>(line: impl Iterator<Item = T>, divisor: f64) -> T {
    let sum = line.fold(0.0, |sum, x| sum + x.to_f64());
    T::from_f64(sum / divisor)
}

/// For each line along the middle of three dimensions the place of its best element: the first one takes the lead, and every
/// later one that `is_better` than the leader takes it over.
///
/// NaN is better than nothing and nothing is better than NaN, so a NaN leads only from the first place on. Lines have one
/// element or more.
pub(crate) fn best<T: Copy>(x: &[T], along: Along, is_better: impl Fn(T, T) -> bool) -> Vec<i64> {
    let Along { outer, len, inner } = along;
    let mut places = Vec::with_capacity(outer * inner);
    if inner == 1 && len > 0 {
        let lines = x.chunks_exact(len);
        places.extend(lines.map(|line| best_of(line.iter().copied(), &is_better)));
        return places;
    }
    for o in 0..outer {
        for i in 0..inner {
            let line = (0..len).map(|at| x[(o * len + at) * inner + i]);
            places.push(best_of(line, &is_better));
        }
    }
    places
}

#[inline(always)]
fn best_of<T: Copy>(mut line: impl Iterator<Item = T>, is_better: impl Fn(T, T) -> bool) -> i64 {
    let Some(first) = line.next() else {
        return 0;
    };
    let mut best = (first, 0);
    for (at, x) in (1..).zip(line) {
        let is_better = is_better(x, best.0);
        // Two choices, neither of which is a branch, since which is the best cannot be foretold.
        best.0 = if is_better { x } else { best.0 };
        best.1 = if is_better { at } else { best.1 };
    }
    best.1
}

#[cfg(test)]
mod tests {
    use pulp::{Scalar, WithSimd};

    use super::*;
    use crate::kernels::simd;

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
        assert_eq!(sums(&x[..4], along(2, 2, 1), 1.0), [6.0, 3.0]);
        assert_eq!(sums(&x[..4], along(1, 2, 2), 2.0), [-0.5, 5.0]);
        assert_eq!(sums(&x[..0], along(2, 0, 1), 1.0), [0.0, 0.0]);
        let largest = |x, along| best(x, along, |x, best| x > best);
        assert_eq!(largest(&x[..4], along(2, 2, 1)), [1, 1]);
        assert_eq!(largest(&x[..4], along(1, 2, 2)), [0, 0]);
        assert_eq!(largest(&x[..4], along(1, 4, 1)), [1]);
        assert_eq!(largest(&x[3..], along(1, 3, 1)), [0]);
        assert_eq!(largest(&x[4..], along(1, 2, 1)), [0]);
        let smallest = |x, along| best(x, along, |x, best| x < best);
        assert_eq!(smallest(&x[..4], along(2, 2, 1)), [0, 0]);
        assert_eq!(smallest(&x[..4], along(1, 2, 2)), [1, 0]);
        assert_eq!(smallest(&x[2..], along(1, 4, 1)), [2]);
        assert_eq!(smallest(&x[5..], along(1, 1, 1)), [0]);
    }
}
