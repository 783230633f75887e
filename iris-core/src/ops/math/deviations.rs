//! Weighted sums of squared deviations, which are most of Gaussian naive Bayes: a matrix each of whose rows is compared
//! with each row of a constant one, without the tensor of all differences.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::NullaryFnOnce;
use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::kernels::simd;
use crate::operator::{Operator, facts};
use crate::value::tensors;

/// `X` `[n_samples, n_features]` gives `[n_samples, n_classes]`, or `[n_samples, n_classes, 1]`: the sums over the features
/// of `(X - means)² · weights`.
#[derive(Debug)]
pub(crate) struct Deviations {
    pub(crate) n_classes: usize,
    pub(crate) n_features: usize,
    /// `[n_classes, n_features]`, as the weights are.
    pub(crate) means: Vec<f32>,
    pub(crate) weights: Vec<f32>,
    pub(crate) keeps_dim: bool,
}

/// Sums in as many lanes, so that the compiler can use vectors.
const LANES: usize = 8;

struct Sums<'a> {
    deviations: &'a Deviations,
    x: &'a [f32],
}

impl NullaryFnOnce for Sums<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn call(self) -> Vec<f32> {
        let Deviations {
            n_classes,
            n_features,
            means,
            weights,
            keeps_dim: _,
        } = self.deviations;
        let mut sums = Vec::with_capacity(self.x.len() / n_features * n_classes);
        for x in self.x.chunks_exact(*n_features) {
            let classes = means
                .chunks_exact(*n_features)
                .zip(weights.chunks_exact(*n_features));
            sums.extend(classes.map(|(means, weights)| sum(x, means, weights)));
        }
        sums
    }
}

/// The terms are floats, as the graph's are; their sum is made in double.
#[inline(always)]
fn sum(x: &[f32], means: &[f32], weights: &[f32]) -> f32 {
    let term = |x: f32, mean: f32, weight: f32| {
        let difference = x - mean;
        f64::from(difference * difference * weight)
    };
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (all_means, mean_rest) = means.as_chunks::<LANES>();
    let (all_weights, weight_rest) = weights.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for ((x, means), weights) in xs.iter().zip(all_means).zip(all_weights) {
        for lane in 0..LANES {
            sums[lane] += term(x[lane], means[lane], weights[lane]);
        }
    }
    let rest = x_rest.iter().zip(mean_rest).zip(weight_rest);
    let rest = rest.map(|((&x, &mean), &weight)| term(x, mean, weight));
    rest.chain(sums).sum::<f64>() as f32
}

impl Operator for Deviations {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        let [n_samples, _] = x.shape.dims() else {
            let message = format!("expected 2 dimensions, got {}", x.rank());
            return Err(error::invalid(message));
        };
        let shape = [n_samples.clone(), self.n_classes.to_dim(), 1.to_dim()];
        let rank = if self.keeps_dim { 3 } else { 2 };
        Ok(tvec![DatumType::F32.fact(&shape[..rank])])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let &[n_samples, n_features] = inputs[0].shape() else {
            bail!("expected 2 dimensions, got {}", inputs[0].rank());
        };
        if n_features != self.n_features {
            let message = format!("expected {} features, got {n_features}", self.n_features);
            return Err(Error::input(message).into());
        }
        let x = inputs[0].try_as_plain_ram()?;
        let sums = simd::dispatch(Sums {
            deviations: self,
            x: x.as_slice::<f32>()?,
        });
        let rank = if self.keeps_dim { 3 } else { 2 };
        let sums = tensors::from_vec(&[n_samples, self.n_classes, 1][..rank], sums)?;
        Ok(tvec![sums.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_squares_of_differences() {
        for n_features in [1, 7, 8, 19] {
            let numbers = |len: usize, by: usize| -> Vec<f32> {
                (0..len).map(|i| ((i * by) % 13) as f32 - 6.0).collect()
            };
            let (x, means, weights) = (
                numbers(5 * n_features, 5),
                numbers(3 * n_features, 7),
                numbers(3 * n_features, 3),
            );
            let expected: Vec<f32> = (0..15)
                .map(|index| {
                    let (row, class) = (index / 3 * n_features, index % 3 * n_features);
                    let term = |at: usize| {
                        let difference = x[row + at] - means[class + at];
                        difference * difference * weights[class + at]
                    };
                    (0..n_features).map(term).sum()
                })
                .collect();
            let deviations = Deviations {
                n_classes: 3,
                n_features,
                means,
                weights,
                keeps_dim: false,
            };
            let sums = simd::dispatch(Sums {
                deviations: &deviations,
                x: &x,
            });
            assert_eq!(sums, expected, "{n_features}");
        }
    }
}
