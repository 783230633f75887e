//! Linear functions of a sample: what the linear operators share.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};

use crate::kernels::array::each;
use crate::kernels::lanes::{
    Blocks, Numbers, SUMS, Scratch, TOGETHER, add, add_product, dot, dots, eight_samples,
    for_each_block, four_features,
};
use crate::kernels::simd;
use crate::kernels::transpose::{FOUR, SIDE, widen};

/// One or more functions `coefficients · x + intercept` of the same features.
#[derive(Clone, Debug)]
pub(crate) struct LinearFunctions {
    /// `[n_functions, n_features]`
    pub(crate) coefficients: Vec<f64>,
    /// One for each function.
    pub(crate) intercepts: Vec<f32>,
    pub(crate) n_features: usize,
    /// `(offset, scale)` of each feature, where a Scaler comes before the functions.
    pub(crate) factors: Vec<(f64, f64)>,
}

impl LinearFunctions {
    /// The same functions of what a Scaler with these factors makes of samples, if it can be one for their features.
    pub(crate) fn of_scaled(&self, factors: &[(f64, f64)]) -> Option<Self> {
        let factors = match factors {
            _ if !self.factors.is_empty() => return None,
            &[pair] => vec![pair; self.n_features],
            pairs if pairs.len() == self.n_features => pairs.to_vec(),
            _ => return None,
        };
        Some(Self {
            factors,
            ..self.clone()
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
    fn take<S: Simd, const L: usize>(
        &mut self,
        simd: S,
        values: &mut [[f64; L]],
        first: usize,
        n: usize,
    );
}

/// A batch, as what is compiled for each level of vector instructions.
struct Evaluate<'a, R> {
    functions: &'a LinearFunctions,
    x: Numbers<'a>,
    n_samples: usize,
    scratch: Scratch,
    results: R,
}

impl<R: Results> WithSimd for Evaluate<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for_each_block(simd, self.n_samples, &mut self);
    }
}

impl<R: Results> Blocks for Evaluate<'_, R> {
    #[inline(always)]
    fn block<S: Simd, const L: usize>(&mut self, simd: S, first: usize, n: usize) {
        let functions = self.functions;
        let n_features = functions.n_features;
        let (columns, values) = self.scratch.lanes::<L>().split_at_mut(n_features);
        let values = &mut values[..functions.len()];
        let is_fused = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
            && simd::has_vectors::<S>()
            && (matches!(self.x, Numbers::Float(_)) || !functions.factors.is_empty());
        if let (Numbers::Float(x), &[intercept]) = (self.x, &functions.intercepts[..])
            && is_fused
            && L == SIDE
            && n_features >= FOUR
            && functions.factors.is_empty()
        {
            let sums = one_dot(simd, &functions.coefficients, x, first, n);
            for (value, sum) in values.as_flattened_mut().iter_mut().zip(sums) {
                *value = sum + f64::from(intercept);
            }
        } else {
            self.x.load(simd, first, n, columns);
            scale_columns(columns, &functions.factors);
            if is_fused {
                functions.values::<L, true>(columns, values);
            } else {
                functions.values::<L, false>(columns, values);
            }
        }
        self.results.take(simd, values, first, n);
    }
}

impl LinearFunctions {
    /// The values of all functions, by products that are not rounded if they are `FUSED`.
    #[inline(always)]
    fn values<const L: usize, const FUSED: bool>(
        &self,
        columns: &[[f64; L]],
        values: &mut [[f64; L]],
    ) {
        let weights =
            |function: usize| &self.coefficients[function * columns.len()..][..columns.len()];
        let with_intercept = |sums: [f64; L], function: usize| -> [f64; L] {
            let intercept = f64::from(self.intercepts[function]);
            each(|lane| sums[lane] + intercept)
        };
        let mut function = 0;
        while values.len() - function >= TOGETHER {
            let mut together: [&[f64]; TOGETHER] = [&[]; TOGETHER];
            for (index, slot) in together.iter_mut().enumerate() {
                *slot = weights(function + index);
            }
            let sums = dots::<L, FUSED>(together, columns);
            for (index, sums) in sums.into_iter().enumerate() {
                values[function + index] = with_intercept(sums, function + index);
            }
            function += TOGETHER;
        }
        while function < values.len() {
            let sums = dot::<L, FUSED>(weights(function), columns);
            values[function] = with_intercept(sums, function);
            function += 1;
        }
    }
}

/// The dot product of `weights` with each of eight samples, with the bits of [`dot`], of columns that nothing else needs.
#[inline(always)]
fn one_dot<S: Simd>(simd: S, weights: &[f64], x: &[f32], first: usize, n: usize) -> [f64; SIDE] {
    let n_features = weights.len();
    let samples = eight_samples(x, first, n, n_features);
    let (quads, rest) = weights.as_chunks::<SUMS>();
    let [mut a, mut b, mut c, mut d] = [[0.0; SIDE]; SUMS];
    for (quad, weights) in quads.iter().enumerate() {
        let [p, q, r, s] = four_features(simd, &samples, quad * SUMS);
        a = add_product::<SIDE, true>(a, weights[0], &widen(simd, p));
        b = add_product::<SIDE, true>(b, weights[1], &widen(simd, q));
        c = add_product::<SIDE, true>(c, weights[2], &widen(simd, r));
        d = add_product::<SIDE, true>(d, weights[3], &widen(simd, s));
    }
    let mut sum = add(add(a, b), add(c, d));
    if !rest.is_empty() {
        let columns = four_features(simd, &samples, n_features - FOUR);
        for (column, &weight) in columns[FOUR - rest.len()..].iter().zip(rest) {
            sum = add_product::<SIDE, true>(sum, weight, &widen(simd, *column));
        }
    }
    sum
}

/// Scales as many features of samples side by side as there are `factors`, to the floats that a Scaler gives.
#[inline(always)]
pub(crate) fn scale_columns<const L: usize>(columns: &mut [[f64; L]], factors: &[(f64, f64)]) {
    for (column, &(offset, scale)) in columns.iter_mut().zip(factors) {
        *column = each(|lane| f64::from(((column[lane] - offset) * scale) as f32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Got<'a>(&'a mut Vec<f64>);

    impl Results for Got<'_> {
        fn take<S: Simd, const L: usize>(
            &mut self,
            _simd: S,
            values: &mut [[f64; L]],
            first: usize,
            n: usize,
        ) {
            assert_eq!(self.0.len(), first * values.len());
            for lane in 0..n {
                self.0.extend(values.iter().map(|value| value[lane]));
            }
        }
    }

    #[test]
    fn evaluates_all_functions_of_every_sample() {
        let functions = LinearFunctions {
            coefficients: vec![1.0, 2.0, 3.0, -1.0, 0.0, 0.5],
            intercepts: vec![0.25, -1.0],
            n_features: 3,
            factors: vec![],
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

    #[test]
    fn one_function_has_the_bits_of_one_sample() {
        for n_features in 1..=13 {
            let number = |i: usize| ((i as f32) * 0.7).sin();
            let functions = LinearFunctions {
                coefficients: (0..n_features).map(|i| number(i + 3).into()).collect(),
                intercepts: vec![0.1],
                n_features,
                factors: vec![],
            };
            let x: Vec<f32> = (0..13 * n_features).map(number).collect();
            let mut got = vec![];
            functions.evaluate(Numbers::Float(&x), 13, Got(&mut got));
            let mut alone = vec![];
            for x in x.chunks(n_features) {
                let mut one = vec![];
                functions.evaluate(Numbers::Float(x), 1, Got(&mut one));
                alone.append(&mut one);
            }
            assert_eq!(got, alone, "{n_features}");
        }
    }
}
