//! Norms, and rows divided by theirs.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};

use crate::kernels::array::{each, map_lanes};
use crate::kernels::lanes::{Blocks, Numbers, Scratch, for_each_block, store};
use crate::kernels::simd;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Norm {
    Max,
    L1,
    L2,
}

impl Norm {
    #[inline(always)]
    fn of<const L: usize>(self, columns: &[[f64; L]]) -> [f64; L] {
        match self {
            Self::Max => fold(columns, f32::MIN.into(), |max, x| {
                // NaN is not the largest.
                if x > max { x } else { max }
            }),
            Self::L1 => fold(columns, 0.0, |sum, x| sum + x.abs()),
            Self::L2 => {
                let sums = fold(columns, 0.0, |sum, x| sum + x * x);
                each(|lane| sums[lane].sqrt())
            }
        }
    }

    /// Divides samples of floats, side by side, by their norms, but not yet rounded to float.
    #[inline(always)]
    pub(crate) fn divide<const L: usize>(self, columns: &mut [[f64; L]]) {
        let norms = self.or_one(columns);
        // No norm is so small that its reciprocal would be infinite.
        let scales: [f64; L] = each(|lane| norms[lane].recip());
        map_lanes(columns, |column| each(|lane| column[lane] * scales[lane]));
    }

    /// The norms, but 1 instead of 0.
    #[inline(always)]
    fn or_one<const L: usize>(self, columns: &[[f64; L]]) -> [f64; L] {
        let norms = self.of(columns);
        each(|lane| if norms[lane] == 0.0 { 1.0 } else { norms[lane] })
    }

    /// Normalizes the samples of `x` `[n_samples, n_features]` into `y`.
    pub(crate) fn normalize(self, x: Numbers<'_>, n_features: usize, y: &mut [f32]) {
        let Some(n_samples) = y.len().checked_div(n_features) else {
            return;
        };
        simd::dispatch(Normalize {
            norm: self,
            x,
            n_samples,
            n_features,
            scratch: Scratch::new(n_features, n_samples),
            y,
        });
    }
}

#[inline(always)]
fn fold<const L: usize>(columns: &[[f64; L]], start: f64, f: impl Fn(f64, f64) -> f64) -> [f64; L] {
    let mut folded = [start; L];
    for column in columns {
        folded = each(|lane| f(folded[lane], column[lane]));
    }
    folded
}

/// A batch to normalize, as what is compiled for each level of vector instructions.
struct Normalize<'a> {
    norm: Norm,
    x: Numbers<'a>,
    n_samples: usize,
    n_features: usize,
    scratch: Scratch,
    y: &'a mut [f32],
}

impl WithSimd for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for_each_block(simd, self.n_samples, &mut self);
    }
}

impl Blocks for Normalize<'_> {
    #[inline(always)]
    fn block<S: Simd, const L: usize>(&mut self, simd: S, first: usize, n: usize) {
        let columns = &mut self.scratch.lanes::<L>()[..self.n_features];
        self.x.load(simd, first, n, columns);
        if let Numbers::Float(_) = self.x {
            self.norm.divide(columns);
        } else {
            let norms = self.norm.or_one(columns);
            map_lanes(columns, |column| each(|lane| column[lane] / norms[lane]));
        }
        store(simd, columns, self.y, first, n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizes_samples() {
        const NAN: f64 = f64::NAN;
        let cases: [(Norm, &[f64], &[f32]); 12] = [
            (Norm::Max, &[1.0, 4.0], &[0.25, 1.0]),
            (Norm::Max, &[-1.0, -2.0], &[1.0, 2.0]),
            (Norm::Max, &[0.0, -2.0], &[0.0, -2.0]),
            (Norm::Max, &[NAN, 2.0], &[f32::NAN, 1.0]),
            (Norm::Max, &[NAN, NAN], &[f32::NAN, f32::NAN]),
            (Norm::L1, &[1.0, -3.0], &[0.25, -0.75]),
            (Norm::L1, &[0.0, 0.0], &[0.0, 0.0]),
            (Norm::L1, &[NAN, 1.0], &[f32::NAN, f32::NAN]),
            (Norm::L2, &[3.0, -4.0], &[0.6, -0.8]),
            (Norm::L2, &[0.0, 0.0], &[0.0, 0.0]),
            (Norm::L2, &[3e30, 4e30], &[0.6, 0.8]),
            (Norm::L2, &[], &[]),
        ];
        for (norm, x, y) in cases {
            let mut got = vec![0.0; x.len()];
            norm.normalize(Numbers::Double(x), x.len(), &mut got);
            for (got, expected) in got.iter().zip(y) {
                let same = got == expected || (got.is_nan() && expected.is_nan());
                assert!(same, "{norm:?} {x:?}: {got} instead of {expected}");
            }
        }
    }
}
