//! Linear functions of a sample: what the linear operators and the support vector machines share.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Arch, NullaryFnOnce};

use super::attributes::Attributes;
use crate::error::Result;

/// One or more functions `coefficients · x + intercept` of the same features.
#[derive(Debug)]
pub(crate) struct LinearFunctions {
    /// `[n_functions, n_features]`
    coefficients: Vec<f32>,
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
            coefficients: coefficients.to_vec(),
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

    /// Calls `each` with the values of all functions, one call for each sample of `x` `[n_samples, n_features]`.
    pub(crate) fn for_each_sample(
        &self,
        mut x: impl Iterator<Item = f64>,
        n_samples: usize,
        mut each: impl FnMut(&mut [f64]),
    ) {
        let mut buffer = vec![0.0; self.n_features + self.len()];
        let (sample, values) = buffer.split_at_mut(self.n_features);
        for _ in 0..n_samples {
            sample
                .iter_mut()
                .zip(&mut x)
                .for_each(|(slot, value)| *slot = value);
            Arch::new().dispatch(Evaluate {
                functions: self,
                sample,
                values,
            });
            each(values);
        }
    }
}

/// The values of all functions of one sample, as what [`Arch::dispatch`] compiles for each level of instructions.
struct Evaluate<'a> {
    functions: &'a LinearFunctions,
    sample: &'a [f64],
    values: &'a mut [f64],
}

impl NullaryFnOnce for Evaluate<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let LinearFunctions {
            coefficients,
            intercepts,
            n_features,
        } = self.functions;
        let functions = coefficients.chunks_exact(*n_features).zip(intercepts);
        for (value, (weights, &intercept)) in self.values.iter_mut().zip(functions) {
            *value = dot(weights, self.sample) + f64::from(intercept);
        }
    }
}

/// The dot product, in eight sums that do not wait for each other.
#[inline(always)]
pub(crate) fn dot(weights: &[f32], values: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (weights, weights_rest) = weights.as_chunks::<LANES>();
    let (values, values_rest) = values.as_chunks::<LANES>();
    for (weights, values) in weights.iter().zip(values) {
        for ((sum, &w), v) in sums.iter_mut().zip(weights).zip(values) {
            *sum += f64::from(w) * v;
        }
    }
    let rest: f64 = weights_rest
        .iter()
        .zip(values_rest)
        .map(|(&w, v)| f64::from(w) * v)
        .sum();
    sums.iter().sum::<f64>() + rest
}

/// The first of the largest values; 0 if there are none.
pub(crate) fn first_max<T: PartialOrd>(values: &[T]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluates_all_functions_of_every_sample() {
        let functions = LinearFunctions {
            coefficients: vec![1.0, 2.0, 3.0, -1.0, 0.0, 0.5],
            intercepts: vec![0.25, -1.0],
            n_features: 3,
        };
        let x = [1.0, 1.0, 1.0, 0.0, -1.0, 2.0];
        let mut got = vec![];
        functions.for_each_sample(x.into_iter(), 2, |values| got.extend_from_slice(values));
        assert_eq!(got, [6.25, -1.5, 4.25, 0.0]);
        functions.for_each_sample(std::iter::empty(), 0, |_| {
            unreachable!("there is no sample")
        });
    }

    #[test]
    fn dot_equals_the_plain_sum() {
        for len in [0, 1, 7, 8, 9, 16, 37] {
            let weights: Vec<f32> = (0..len).map(|i| (i as f32 - 3.0) / 4.0).collect();
            let values: Vec<f64> = (0..len).map(|i| f64::from(i) * 0.5 - 2.0).collect();
            let plain: f64 = weights
                .iter()
                .zip(&values)
                .map(|(&w, v)| f64::from(w) * v)
                .sum();
            assert_eq!(dot(&weights, &values), plain, "{len}");
        }
    }

    #[test]
    fn first_max_prefers_the_first() {
        let nan = f64::NAN;
        let cases: [(&[f64], usize); 6] = [
            (&[], 0),
            (&[1.0], 0),
            (&[1.0, 3.0, 3.0], 1),
            (&[-1.0, -2.0], 0),
            (&[nan, 1.0], 0),
            (&[0.0, nan, 1.0], 2),
        ];
        for (values, expected) in cases {
            assert_eq!(first_max(values), expected, "{values:?}");
        }
    }
}
