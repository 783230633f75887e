//! The `post_transform` attribute of the ai.onnx.ml operators.
//!
//! Source: the operators' pages of the ONNX specification, and onnxruntime where those leave the formula open.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};

use crate::kernels::array::{each, map_lanes};
use crate::kernels::exp::exp;

/// What is done to the scores of a row before they are output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PostTransform {
    None,
    Logistic,
    Softmax,
    SoftmaxZero,
    Probit,
}

impl PostTransform {
    /// Transforms the scores of one row in place.
    pub(crate) fn apply(self, scores: &mut [f64]) {
        self.apply_to_lanes(scores.as_chunks_mut::<1>().0);
    }

    /// Transforms the scores in place as [`apply`](Self::apply) does; a single score is changed by PROBIT alone, as in onnxruntime.
    pub(crate) fn apply_to_several(self, scores: &mut [f64]) {
        if self.changes(scores.len()) {
            self.apply(scores);
        }
    }

    /// Whether [`apply_to_several`](Self::apply_to_several) does anything to as many scores.
    pub(crate) fn changes(self, n_scores: usize) -> bool {
        self != Self::None && (n_scores > 1 || self == Self::Probit)
    }

    /// Transforms the scores of several rows in place, one row a lane, by code that all operators share.
    #[inline(always)]
    pub(crate) fn transform<S: Simd, const L: usize>(self, simd: S, scores: &mut [[f64; L]]) {
        if self != Self::None {
            simd.vectorize(Transform {
                transform: self,
                scores,
            });
        }
    }

    /// Transforms the scores of `L` samples in place; it is compiled as a part of its caller.
    #[inline(always)]
    pub(crate) fn apply_to_lanes<const L: usize>(self, scores: &mut [[f64; L]]) {
        match self {
            Self::None => {}
            Self::Logistic => map_lanes(scores, |score| each(|lane| logistic(score[lane]))),
            Self::Softmax => softmax(scores),
            Self::SoftmaxZero => softmax_zero(scores),
            Self::Probit => map_lanes(scores, |score| each(|lane| probit(score[lane]))),
        }
    }
}

struct Transform<'a, const L: usize> {
    transform: PostTransform,
    scores: &'a mut [[f64; L]],
}

impl<const L: usize> WithSimd for Transform<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        self.transform.apply_to_lanes(self.scores);
    }
}

/// `1 / (1 + exp(-x))`, without overflow.
#[inline(always)]
pub(crate) fn logistic(x: f64) -> f64 {
    let tail = exp(-x.abs());
    let above = if x < 0.0 { tail } else { 1.0 };
    above / (1.0 + tail)
}

/// The quantile function of the standard normal distribution, by the approximation that onnxruntime and the ONNX
/// reference use: S. Winitzki, "A handy approximation for the error function and its inverse", 2008, with a = 0.147.
#[inline(never)]
pub(crate) fn probit(x: f64) -> f64 {
    const A: f64 = 0.147;
    let y = 2.0 * x - 1.0;
    let log = ((1.0 - y) * (1.0 + y)).ln();
    let v = 2.0 / (std::f64::consts::PI * A) + 0.5 * log;
    let inverse_erf = ((v * v - log / A).sqrt() - v).sqrt().copysign(y);
    std::f64::consts::SQRT_2 * inverse_erf
}

#[inline(always)]
fn softmax<const L: usize>(scores: &mut [[f64; L]]) {
    let max = max(scores);
    let mut sum = [0.0; L];
    for score in scores.iter_mut() {
        *score = each(|lane| exp(score[lane] - max[lane]));
        sum = each(|lane| sum[lane] + score[lane]);
    }
    // No sum is less than 1.
    let scale: [f64; L] = each(|lane| sum[lane].recip());
    map_lanes(scores, |score| each(|lane| score[lane] * scale[lane]));
}

/// Softmax in which scores of (almost) zero take no part: they stay (almost) zero.
#[inline(always)]
fn softmax_zero<const L: usize>(scores: &mut [[f64; L]]) {
    const ALMOST_ZERO: f64 = 1e-7;
    let max = max(scores);
    let mut sum = [0.0; L];
    for score in scores.iter_mut() {
        for lane in 0..L {
            if score[lane].abs() > ALMOST_ZERO {
                score[lane] = exp(score[lane] - max[lane]);
                sum[lane] += score[lane];
            } else {
                score[lane] *= exp(-max[lane]);
            }
        }
    }
    divide(scores, &sum);
}

#[inline(always)]
fn max<const L: usize>(scores: &[[f64; L]]) -> [f64; L] {
    let mut max = [f64::NEG_INFINITY; L];
    for score in scores {
        // NaN is not the largest.
        max = each(|lane| {
            if score[lane] > max[lane] {
                score[lane]
            } else {
                max[lane]
            }
        });
    }
    max
}

#[inline(always)]
fn divide<const L: usize>(scores: &mut [[f64; L]], by: &[f64; L]) {
    map_lanes(scores, |score| each(|lane| score[lane] / by[lane]));
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        transform: PostTransform,
        scores: &'static [f64],
        expected: &'static [f64],
    }

    #[test]
    fn transforms_rows() {
        let cases = [
            Case {
                transform: PostTransform::None,
                scores: &[1.0, -2.0],
                expected: &[1.0, -2.0],
            },
            Case {
                transform: PostTransform::Logistic,
                scores: &[0.0, 800.0, -800.0, 1.0],
                expected: &[0.5, 1.0, 0.0, 0.731_058_578_630_005],
            },
            Case {
                transform: PostTransform::Softmax,
                scores: &[1000.0, 1000.0],
                expected: &[0.5, 0.5],
            },
            Case {
                transform: PostTransform::SoftmaxZero,
                scores: &[0.0, 2.0, 2.0],
                expected: &[0.0, 0.5, 0.5],
            },
            Case {
                transform: PostTransform::Probit,
                scores: &[0.5],
                expected: &[0.0],
            },
            Case {
                transform: PostTransform::Softmax,
                scores: &[],
                expected: &[],
            },
        ];
        for Case {
            transform,
            scores,
            expected,
        } in cases
        {
            let mut got = scores.to_vec();
            transform.apply(&mut got);
            for (got, expected) in got.iter().zip(expected) {
                assert!(
                    (got - expected).abs() < 1e-12,
                    "{transform:?} {scores:?}: {got}"
                );
            }
        }
    }

    #[test]
    fn probit_is_near_the_normal_quantile() {
        for (p, quantile) in [
            (0.025, -1.959_964),
            (0.5, 0.0),
            (0.9, 1.281_552),
            (0.975, 1.959_964),
        ] {
            assert!((probit(p) - quantile).abs() < 5e-3, "{p}: {}", probit(p));
        }
    }
}
