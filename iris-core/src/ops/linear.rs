//! Linear functions of a sample: what the linear operators share.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::NullaryFnOnce;

use super::attributes::Attributes;
use super::lanes::{Blocks, Numbers, Scratch, dot, each, for_each_block};
use super::simd;
use crate::error::Result;

/// One or more functions `coefficients · x + intercept` of the same features.
#[derive(Debug)]
pub(crate) struct LinearFunctions {
    /// `[n_functions, n_features]`
    coefficients: Vec<f64>,
    /// One for each function.
    intercepts: Vec<f32>,
    n_features: usize,
}

impl LinearFunctions {
    /// Reads `coefficients`. `intercepts` are the attribute of that name: none stands for 0. `n_functions` must not
    /// be 0.
    pub(crate) fn from_attributes(
        attributes: &mut Attributes<'_>,
        n_functions: usize,
        intercepts: &[f32],
    ) -> Result<Self> {
        let coefficients = attributes.floats("coefficients")?;
        let n_features = coefficients.len() / n_functions;
        if n_features == 0 || coefficients.len() % n_functions != 0 {
            let got = coefficients.len();
            let what = format!("expected a multiple of {n_functions} values, got {got}");
            return Err(attributes.invalid("coefficients", what));
        }
        let intercepts = if intercepts.is_empty() {
            vec![0.0; n_functions]
        } else {
            attributes.check_len("intercepts", intercepts.len(), n_functions)?;
            intercepts.to_vec()
        };
        Ok(Self {
            coefficients: coefficients.iter().copied().map(f64::from).collect(),
            intercepts,
            n_features,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.intercepts.len()
    }

    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    /// Gives `results` the values of all functions for the samples of `x` `[n_samples, n_features]`.
    pub(crate) fn evaluate(&self, x: Numbers<'_>, n_samples: usize, results: impl Results) {
        simd::dispatch(Evaluate {
            functions: self,
            x,
            n_samples,
            scratch: Scratch::new(self.n_features + self.len(), n_samples),
            results,
        });
    }
}

/// What becomes of the values of linear functions.
pub(crate) trait Results {
    /// Takes the values `[n_functions]` for the `n` samples from the `first` on, one a lane.
    fn take<const L: usize>(&mut self, values: &mut [[f64; L]], first: usize, n: usize);
}

/// A batch, as what is compiled for each level of vector instructions.
struct Evaluate<'a, R> {
    functions: &'a LinearFunctions,
    x: Numbers<'a>,
    n_samples: usize,
    scratch: Scratch,
    results: R,
}

impl<R: Results> NullaryFnOnce for Evaluate<'_, R> {
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        for_each_block(self.n_samples, &mut self);
    }
}

impl<R: Results> Blocks for Evaluate<'_, R> {
    #[inline(always)]
    fn block<const L: usize>(&mut self, first: usize, n: usize) {
        let LinearFunctions {
            coefficients,
            intercepts,
            n_features,
        } = self.functions;
        let (columns, values) = self.scratch.lanes::<L>().split_at_mut(*n_features);
        self.x.load(first, n, columns);
        let values = &mut values[..intercepts.len()];
        let functions = coefficients.chunks_exact(*n_features).zip(intercepts);
        for (value, (weights, &intercept)) in values.iter_mut().zip(functions) {
            let sums = dot(weights, columns);
            *value = each(|lane| sums[lane] + f64::from(intercept));
        }
        self.results.take(values, first, n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluates_all_functions_of_every_sample() {
        struct Got<'a>(&'a mut Vec<f64>);
        impl Results for Got<'_> {
            fn take<const L: usize>(&mut self, values: &mut [[f64; L]], first: usize, n: usize) {
                assert_eq!(self.0.len(), first * values.len());
                for lane in 0..n {
                    self.0.extend(values.iter().map(|value| value[lane]));
                }
            }
        }
        let functions = LinearFunctions {
            coefficients: vec![1.0, 2.0, 3.0, -1.0, 0.0, 0.5],
            intercepts: vec![0.25, -1.0],
            n_features: 3,
        };
        let (x, y) = ([1.0, 1.0, 1.0, 0.0, -1.0, 2.0], [6.25, -1.5, 4.25, 0.0]);
        for n_samples in [0, 2, 4, 8, 10] {
            let x: Vec<f32> = x.into_iter().cycle().take(n_samples * 3).collect();
            let mut got = vec![];
            functions.evaluate(Numbers::Float(&x), n_samples, Got(&mut got));
            let expected: Vec<f64> = y.into_iter().cycle().take(n_samples * 2).collect();
            assert_eq!(got, expected);
        }
    }
}
