//! [Normalizer](https://onnx.ai/onnx/operators/onnx_aionnxml_Normalizer.html), version 1.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double, int32 or int64 gives `Y` float of the
//! same shape: each sample divided by its norm, or as it is where the norm is 0.
//!
//! The norm `MAX` is the largest value, as in onnxruntime and by the specification's formula, and not the largest
//! absolute value as in the ONNX reference and scikit-learn: `[-1, -2]` becomes `[1, 2]`. As in onnxruntime NaN and
//! negative infinity do not count for it.
//!
//! Norms are summed as double: where their square has no place in a float, onnxruntime's `L2` has other answers.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::lanes::Numbers;
use crate::kernels::normalize::Norm;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
pub(crate) struct Normalizer {
    pub(crate) norm: Norm,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let norm = match attributes.string("norm")?.unwrap_or("MAX") {
        "MAX" => Norm::Max,
        "L1" => Norm::L1,
        "L2" => Norm::L2,
        other => return Err(attributes.invalid("norm", format!("unknown value {other:?}"))),
    };
    Ok(Built::operator(Normalizer { norm }))
}

impl Operator for Normalizer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        facts::samples("X", &x.shape)?;
        Ok(tvec![f32::datum_type().fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (_, n_features) = facts::samples("X", inputs[0].shape())?;
        let y = tensors::filled(inputs[0].shape(), |y| {
            self.norm.normalize(Numbers::of(&inputs[0])?, n_features, y);
            Ok(())
        })?;
        Ok(tvec![y.into_tvalue()])
    }
}
