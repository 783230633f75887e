//! [SVMRegressor](https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html), version 1.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double, int32 or int64 gives `Y` float
//! `[n_samples, 1]`: the weighted sum of the kernel values of the sample and the support vectors, plus rho. Without
//! support vectors (the linear mode) it is the dot product with the coefficients, plus rho, whatever the kernel. With
//! `one_class` it is 1 where that is positive, else -1. onnxruntime has no kernel for inputs other than float.
//!
//! `post_transform` is read but changes nothing: no transform is made of this operator's one value by
//! [onnxruntime](https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/providers/cpu/ml/svmregressor.cc),
//! and none but NONE is known to the ONNX reference. `kernel_params` may be absent, as the specification says.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};
use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::lanes::{Blocks, Numbers, Scratch, dot, for_each_block};
use crate::kernels::post_transform::PostTransform;
use crate::kernels::simd;
use crate::kernels::svm::kernel::{Kernel, SupportVectors};
use crate::onnx::attributes::Attributes;
use crate::operator;
use crate::operator::batch::Batch;
use crate::operator::{Built, Filling, Layout, facts};
use crate::value::slots::Slots;
use crate::value::view::TensorView;

/// The attributes, checked: there is a coefficient for each support vector, or for each feature.
#[derive(Debug)]
struct SVMRegressor {
    /// `None` in the linear mode.
    vectors: Option<SupportVectors>,
    coefficients: Vec<f64>,
    rho: f32,
    n_features: usize,
    one_class: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let regressor = SVMRegressor::from_attributes(attributes)?;
    Ok(Built::operator(regressor))
}

impl SVMRegressor {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        PostTransform::from_attributes(attributes)?;
        let kernel = Kernel::from_attributes(attributes)?;
        let one_class = attributes.int("one_class")?.unwrap_or(0) != 0;
        let n_supports = attributes.int("n_supports")?.unwrap_or(0);
        let n_vectors = usize::try_from(n_supports)
            .map_err(|_| attributes.invalid("n_supports", format!("{n_supports} vectors")))?;
        let coefficients = attributes.floats("coefficients")?;
        let values = attributes.floats("support_vectors")?;
        let rho = attributes.floats("rho")?;
        let &[rho] = rho else {
            return Err(attributes.invalid("rho", format!("expected 1 value, got {}", rho.len())));
        };
        let (vectors, n_features) = if n_vectors > 0 {
            if values.is_empty() || values.len() % n_vectors != 0 {
                let what = format!("{} values do not make {n_vectors} vectors", values.len());
                return Err(attributes.invalid("support_vectors", what));
            }
            attributes.check_len("coefficients", coefficients.len(), n_vectors)?;
            let vectors = SupportVectors::new(kernel, values, n_vectors);
            (Some(vectors), values.len() / n_vectors)
        } else {
            attributes.check_len("support_vectors", values.len(), 0)?;
            if coefficients.is_empty() {
                return Err(attributes.invalid("coefficients", "expected 1 value or more, got 0"));
            }
            (None, coefficients.len())
        };
        Ok(Self {
            vectors,
            coefficients: coefficients.iter().copied().map(f64::from).collect(),
            rho,
            n_features,
            one_class,
        })
    }

    /// Fills `y` `[n_samples]` with the predictions for `x` `[n_samples, n_features]`.
    fn regress(&self, x: Numbers<'_>, y: &mut [f32]) {
        let n_vectors = self.vectors.as_ref().map_or(0, SupportVectors::n_vectors);
        simd::dispatch(Regress {
            regressor: self,
            x,
            scratch: Scratch::new(self.n_features + n_vectors, y.len()),
            y,
        });
    }
}

/// A batch to predict for, as what is compiled for each level of vector instructions.
struct Regress<'a> {
    regressor: &'a SVMRegressor,
    x: Numbers<'a>,
    scratch: Scratch,
    y: &'a mut [f32],
}

impl WithSimd for Regress<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for_each_block(simd, self.y.len(), &mut self);
    }
}

impl Blocks for Regress<'_> {
    #[inline(always)]
    fn block<S: Simd, const L: usize>(&mut self, simd: S, first: usize, n: usize) {
        let regressor = self.regressor;
        let (columns, values) = self.scratch.lanes::<L>().split_at_mut(regressor.n_features);
        self.x.load(simd, first, n, columns);
        let sums = match &regressor.vectors {
            Some(vectors) => {
                let values = &mut values[..vectors.n_vectors()];
                vectors.kernel_rows(simd, columns, values);
                dot::<_, true>(&regressor.coefficients, &*values)
            }
            None => dot::<_, true>(&regressor.coefficients, &*columns),
        };
        for (y, sum) in self.y[first..first + n].iter_mut().zip(sums) {
            let value = sum + f64::from(regressor.rho);
            *y = match (regressor.one_class, value > 0.0) {
                (false, _) => value as f32,
                (true, true) => 1.0,
                (true, false) => -1.0,
            };
        }
    }
}

impl Filling for SVMRegressor {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        let (n_samples, n_features) = facts::samples("X", &x.shape)?;
        facts::check_features("X", &n_features, self.n_features)?;
        Ok(tvec![f32::datum_type().fact([n_samples, 1.to_dim()])])
    }

    fn layout(&self, inputs: &[TensorView<'_>], _output: usize) -> TractResult<Layout> {
        let x = Batch::of(inputs, self.n_features)?;
        Ok(Layout::new::<f32>(&[x.n_samples, 1]))
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let x = Batch::of(inputs, self.n_features)?;
        self.regress(x.numbers, operator::only(outputs)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(vectors: Option<SupportVectors>, one_class: bool) -> SVMRegressor {
        SVMRegressor {
            vectors,
            coefficients: vec![2.0, -1.0],
            rho: 0.5,
            n_features: 2,
            one_class,
        }
    }

    #[test]
    fn sums_kernel_values() {
        let linear = || {
            Some(SupportVectors::new(
                Kernel::Linear,
                &[1.0, 0.0, 0.0, 2.0],
                2,
            ))
        };
        let x = [1.0, 1.0, 0.0, 1.0, 0.5, f64::NAN];
        let cases = [
            (machine(linear(), false), [0.5, -1.5]),
            (machine(linear(), true), [1.0, -1.0]),
            (machine(None, false), [1.5, -0.5]),
            (machine(None, true), [1.0, -1.0]),
        ];
        for (regressor, expected) in cases {
            let mut y = [f32::NAN; 3];
            regressor.regress(Numbers::Double(&x), &mut y);
            assert_eq!(y[..2], expected, "{regressor:?}");
            // NaN is not positive.
            assert!(if regressor.one_class {
                y[2] == -1.0
            } else {
                y[2].is_nan()
            });
            regressor.regress(Numbers::Double(&[]), &mut []);
        }
    }
}
