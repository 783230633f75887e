//! Softmax, and logarithms of sums of exponentials, of lines of floats, computed in double.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{NullaryFnOnce, Simd, WithSimd};

use crate::kernels::exp::exp;
use crate::kernels::lanes::{Blocks, LANES, Numbers, Scratch, for_each_block, store};
use crate::kernels::post_transform::PostTransform;
use crate::kernels::simd;

/// Fills `values` with the softmax of the lines of `x`, each of `len` numbers, of which there is one.
pub(crate) fn softmax(x: &[f32], len: usize, values: &mut [f32]) {
    if x.len() / len >= LANES {
        simd::dispatch(SoftmaxLines::new(x, len, values));
    } else {
        simd::dispatch(FewLines { x, len, values });
    }
}

/// The same of few lines, one after the other.
struct FewLines<'a> {
    x: &'a [f32],
    len: usize,
    values: &'a mut [f32],
}

impl NullaryFnOnce for FewLines<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { x, len, values } = self;
        let mut powers = vec![0.0; block_len(len)];
        let blocks = x.chunks(powers.len());
        for (x, values) in blocks.zip(values.chunks_mut(powers.len())) {
            let powers = &mut powers[..x.len()];
            fill_powers(x, len, powers);
            let lines = powers.chunks_exact(len).zip(values.chunks_exact_mut(len));
            for (powers, values) in lines {
                let scale = powers.iter().sum::<f64>().recip();
                for (value, power) in values.iter_mut().zip(powers) {
                    *value = (*power * scale) as f32;
                }
            }
        }
    }
}

/// Softmax of lines of floats, several lines at a time.
struct SoftmaxLines<'a> {
    x: &'a [f32],
    len: usize,
    scratch: Scratch,
    values: &'a mut [f32],
}

impl<'a> SoftmaxLines<'a> {
    fn new(x: &'a [f32], len: usize, values: &'a mut [f32]) -> Self {
        Self {
            x,
            len,
            scratch: Scratch::new(len, x.len() / len),
            values,
        }
    }
}

impl WithSimd for SoftmaxLines<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for_each_block(simd, self.x.len() / self.len, &mut self);
    }
}

impl Blocks for SoftmaxLines<'_> {
    #[inline(always)]
    fn block<S: Simd, const L: usize>(&mut self, simd: S, first: usize, n: usize) {
        let columns = &mut self.scratch.lanes::<L>()[..self.len];
        Numbers::Float(self.x).load(simd, first, n, columns);
        PostTransform::Softmax.apply_to_lanes(columns);
        store(simd, columns, self.values, first, n);
    }
}

/// The largest number of a line.
#[inline(always)]
fn largest(line: &[f32]) -> f64 {
    let largest = |a: f32, &b: &f32| if b > a { b } else { a };
    f64::from(line.iter().fold(f32::NEG_INFINITY, largest))
}

/// How many numbers are looked at together: whole lines.
fn block_len(len: usize) -> usize {
    len * (512 / len).max(1)
}

/// Fills `powers` with `e` to the power of what each number of `x` is above the largest of its line.
#[inline(always)]
fn fill_powers(x: &[f32], len: usize, powers: &mut [f64]) {
    for (line, powers) in x.chunks_exact(len).zip(powers.chunks_exact_mut(len)) {
        let base = largest(line);
        for (power, &x) in powers.iter_mut().zip(line) {
            *power = f64::from(x) - base;
        }
    }
    for power in powers {
        *power = exp(*power);
    }
}

/// The logarithms of the sums of the exponentials of each line of `len` numbers.
struct LogSums<'a> {
    x: &'a [f32],
    len: usize,
}

impl NullaryFnOnce for LogSums<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn call(self) -> Vec<f32> {
        let len = self.len;
        let mut powers = vec![0.0; block_len(len)];
        let mut sums = Vec::with_capacity(self.x.len() / len);
        for x in self.x.chunks(powers.len()) {
            let powers = &mut powers[..x.len()];
            fill_powers(x, len, powers);
            for (powers, line) in powers.chunks_exact(len).zip(x.chunks_exact(len)) {
                let largest = largest(line);
                // An infinity cannot be subtracted from itself; what is not a number is not seen as the largest.
                sums.push(if largest.is_finite() {
                    (powers.iter().sum::<f64>().ln() + largest) as f32
                } else if line.iter().any(|x| x.is_nan()) {
                    f32::NAN
                } else {
                    largest as f32
                });
            }
        }
        sums
    }
}

/// The logarithms of the sums of the exponentials of the lines of `x`, each of `len` numbers, of which there is one.
pub(crate) fn log_sum_exp(x: &[f32], len: usize) -> Vec<f32> {
    simd::dispatch(LogSums { x, len })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFINITY: f32 = f32::INFINITY;

    fn alone(x: &[f32]) -> Vec<f32> {
        let mut values = vec![0.0; x.len()];
        softmax(x, x.len(), &mut values);
        values
    }

    #[test]
    fn overflows_where_the_result_does() {
        assert_eq!(alone(&[1e30, 1e30]), [0.5, 0.5]);
        assert_eq!(alone(&[-INFINITY, 3.0]), [0.0, 1.0]);
        assert!(alone(&[f32::NAN, 3.0]).iter().all(|x| x.is_nan()));
        assert!(alone(&[INFINITY, 3.0])[0].is_nan());
    }

    #[test]
    fn lines_side_by_side_have_the_bits_of_one() {
        for len in [1, 3, 8, 10] {
            let x: Vec<f32> = (0..19 * len).map(|i| (i as f32).sin() * 9.0).collect();
            let mut got = vec![0.0; x.len()];
            softmax(&x, len, &mut got);
            for (x, got) in x.chunks(len).zip(got.chunks(len)) {
                assert_eq!(got, alone(x), "{len}");
            }
        }
        for special in [f32::NAN, INFINITY, -INFINITY] {
            let x = [special, 3.0].repeat(LANES);
            let mut got = vec![0.0; x.len()];
            softmax(&x, 2, &mut got);
            let alone = alone(&x[..2]);
            let mut pairs = got.iter().zip(alone.iter().cycle());
            let are_same = pairs.all(|(a, b)| a == b || a.is_nan() && b.is_nan());
            assert!(are_same, "{special}: {got:?} {alone:?}");
        }
    }

    #[test]
    fn logarithms_of_sums_do_not_overflow() {
        let x = [
            [1000.0, 2000.0],
            [-1000.0, -2000.0],
            [0.0, 0.0],
            [INFINITY, 1.0],
            [INFINITY, -INFINITY],
            [-INFINITY, -INFINITY],
        ];
        let expected = [
            2000.0,
            -1000.0,
            std::f32::consts::LN_2,
            INFINITY,
            INFINITY,
            -INFINITY,
        ];
        assert_eq!(log_sum_exp(x.as_flattened(), 2), expected);
        for x in [[f32::NAN, 1.0], [f32::NAN, INFINITY], [-INFINITY, f32::NAN]] {
            assert!(log_sum_exp(&x, 2)[0].is_nan(), "{x:?}");
        }
    }
}
