//! What the linear operators make of the values of their functions: one type for all of them, so that what it is compiled
//! with is compiled once.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::Simd;

use crate::kernels::array::{each, map_lanes};
use crate::kernels::lanes::{first_max, store};
use crate::kernels::linear::Results;
use crate::kernels::normalize::Norm;
use crate::kernels::post_transform::PostTransform;

/// The classes and the scores of a batch, as far as they are wanted.
pub(crate) struct LinearScores<'a> {
    pub(crate) n_scores: usize,
    pub(crate) post_transform: PostTransform,
    /// The norm of a Normalizer that comes after the scores, if one does.
    pub(crate) norm: Option<Norm>,
    pub(crate) classes: Option<&'a mut [usize]>,
    pub(crate) scores: Option<&'a mut [f32]>,
}

impl Results for LinearScores<'_> {
    #[inline(always)]
    fn take<S: Simd, const L: usize>(
        &mut self,
        simd: S,
        values: &mut [[f64; L]],
        first: usize,
        n: usize,
    ) {
        if let Some(all) = &mut self.classes {
            let classes = match values {
                [value] => each(|lane| usize::from(value[lane] > 0.0)),
                _ => first_max(values),
            };
            all[first..first + n].copy_from_slice(&classes[..n]);
        }
        let Some(all) = &mut self.scores else {
            return;
        };
        let mut pair;
        let (scores, is_transformed) = match (values, self.n_scores) {
            (&mut [value], 2) => {
                pair = two_scores(value, self.post_transform);
                (&mut pair[..], changes_two(self.post_transform))
            }
            (values, n) => (values, self.post_transform.changes(n)),
        };
        if is_transformed {
            self.post_transform.transform(simd, scores);
        }
        if let Some(norm) = self.norm {
            normalize(norm, scores);
        }
        store(simd, scores, all, first, n);
    }
}

/// What the two scores of a binary classifier are made of, given its one value.
#[inline(always)]
fn two_scores<const L: usize>(value: [f64; L], post_transform: PostTransform) -> [[f64; L]; 2] {
    let first = match post_transform {
        PostTransform::Logistic => each(|lane| -value[lane]),
        _ => each(|lane| 1.0 - value[lane]),
    };
    [first, value]
}

/// Whether the transform does anything to them.
fn changes_two(post_transform: PostTransform) -> bool {
    matches!(
        post_transform,
        PostTransform::Logistic | PostTransform::Probit
    )
}

/// Divides what a Normalizer would be given, which is floats, by their norms.
#[inline(always)]
fn normalize<const L: usize>(norm: Norm, scores: &mut [[f64; L]]) {
    map_lanes(scores, |score| each(|lane| f64::from(score[lane] as f32)));
    norm.divide(scores);
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    #[test]
    fn makes_two_scores_of_one_value() {
        let cases = [
            (PostTransform::None, 1.25, [-0.25, 1.25]),
            (PostTransform::Softmax, -0.5, [1.5, -0.5]),
            (PostTransform::SoftmaxZero, 0.0, [1.0, 0.0]),
            (PostTransform::Logistic, 0.0, [0.5, 0.5]),
            (PostTransform::Logistic, 800.0, [0.0, 1.0]),
            (PostTransform::Probit, 0.5, [0.0, 0.0]),
        ];
        for (post_transform, value, expected) in cases {
            let mut scores = [f32::NAN; 2];
            let mut results = LinearScores {
                n_scores: 2,
                post_transform,
                norm: None,
                classes: None,
                scores: Some(&mut scores),
            };
            results.take(Scalar::new(), &mut [[value]], 0, 1);
            assert_eq!(scores, expected, "{post_transform:?} {value}");
        }
    }
}
