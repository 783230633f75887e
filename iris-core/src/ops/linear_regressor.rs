//! [LinearRegressor](https://onnx.ai/onnx/operators/onnx_aionnxml_LinearRegressor.html), version 1.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double, int32 or int64 gives `Y` float
//! `[n_samples, targets]`. onnxruntime has no kernel for inputs other than float.
//!
//! As in onnxruntime, and unlike the specification's words, `LOGISTIC`, `SOFTMAX` and `SOFTMAX_ZERO` do nothing to a
//! single target. Intercepts of another number than `targets` are refused; onnxruntime leaves them out.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::linear::LinearFunctions;
use super::operator::{Operator, node_operator};
use super::post_transform::PostTransform;
use super::tensors::{self, with_f64s};
use crate::error::Result;

/// The attributes, checked.
#[derive(Debug)]
struct LinearRegressor {
    functions: LinearFunctions,
    post_transform: PostTransform,
}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
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
    Ok(node_operator(attributes, regressor))
}

impl LinearRegressor {
    /// Fills `y` `[n_samples, n_targets]` with the predictions for `x` `[n_samples, n_features]`.
    fn regress(&self, x: impl Iterator<Item = f64>, n_samples: usize, y: &mut [f32]) {
        let mut rows = y.chunks_exact_mut(self.functions.len());
        self.functions.for_each_sample(x, n_samples, |values| {
            self.post_transform.apply_to_several(values);
            let row = rows.next().into_iter().flatten();
            row.zip(values)
                .for_each(|(slot, value)| *slot = *value as f32);
        });
    }
}

impl Operator for LinearRegressor {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        tensors::check_numeric("X", x)?;
        let (n_samples, n_features) = tensors::samples("X", &x.shape)?;
        tensors::check_features("X", &n_features, self.functions.n_features())?;
        let shape = [n_samples, self.functions.len().to_dim()];
        Ok(tvec![f32::datum_type().fact(shape)])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (n_samples, n_features) = tensors::samples("X", inputs[0].shape())?;
        tensors::check_features("X", &n_features.to_dim(), self.functions.n_features())?;
        let y = tensors::filled(&[n_samples, self.functions.len()], |y| {
            with_f64s!(inputs[0], x => self.regress(x, n_samples, y));
            Ok(())
        })?;
        Ok(tvec![y.into_tvalue()])
    }
}
