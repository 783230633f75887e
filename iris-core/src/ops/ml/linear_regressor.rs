//! [LinearRegressor](https://onnx.ai/onnx/operators/onnx_aionnxml_LinearRegressor.html), version 1.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double, int32 or int64 gives `Y` float
//! `[n_samples, targets]`. onnxruntime has no kernel for inputs other than float.
//!
//! As in onnxruntime, and unlike the specification's words, `LOGISTIC`, `SOFTMAX` and `SOFTMAX_ZERO` do nothing to a
//! single target. Intercepts of another number than `targets` are refused; onnxruntime leaves them out.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::linear::LinearFunctions;
use crate::kernels::linear_scores::LinearScores;
use crate::kernels::post_transform::PostTransform;
use crate::onnx::attributes::Attributes;
use crate::operator;
use crate::operator::batch::Batch;
use crate::operator::{Built, Filling, Layout, facts};
use crate::value::slots::Slots;
use crate::value::view::TensorView;

/// The attributes, checked.
#[derive(Debug)]
pub(crate) struct LinearRegressor {
    functions: LinearFunctions,
    post_transform: PostTransform,
}

impl LinearRegressor {
    /// The same regressor of what a Scaler with these factors makes of samples, if it can be one for their features.
    pub(crate) fn of_scaled(&self, factors: &[(f64, f64)]) -> Option<Self> {
        Some(Self {
            functions: self.functions.of_scaled(factors)?,
            post_transform: self.post_transform,
        })
    }
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let targets = attributes.int("targets")?.unwrap_or(1);
    let n_targets = usize::try_from(targets)
        .ok()
        .filter(|&n_targets| n_targets > 0)
        .ok_or_else(|| {
            attributes.invalid("targets", format!("expected 1 or more, got {targets}"))
        })?;
    let intercepts = attributes.floats("intercepts")?;
    let regressor = LinearRegressor {
        functions: LinearFunctions::from_attributes(attributes, n_targets, intercepts)?,
        post_transform: PostTransform::from_attributes(attributes)?,
    };
    Ok(Built::operator(regressor))
}

impl Filling for LinearRegressor {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        let (n_samples, n_features) = facts::samples("X", &x.shape)?;
        facts::check_features("X", &n_features, self.functions.n_features())?;
        let shape = [n_samples, self.functions.len().to_dim()];
        Ok(tvec![f32::datum_type().fact(shape)])
    }

    fn layout(&self, inputs: &[TensorView<'_>], _output: usize) -> TractResult<Layout> {
        let x = Batch::of(inputs, self.functions.n_features())?;
        Ok(Layout::new::<f32>(&[x.n_samples, self.functions.len()]))
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let x = Batch::of(inputs, self.functions.n_features())?;
        let results = LinearScores {
            n_scores: self.functions.len(),
            post_transform: self.post_transform,
            norm: None,
            classes: None,
            scores: Some(operator::only(outputs)?),
        };
        self.functions.evaluate(x.numbers, x.n_samples, results);
        Ok(())
    }
}
