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

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::operator::{Operator, node_operator};
use super::tensors::{self, with_f64s};
use crate::error::Result;

#[derive(Clone, Copy, Debug)]
enum Norm {
    Max,
    L1,
    L2,
}

#[derive(Debug)]
struct Normalizer {
    norm: Norm,
}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let norm = match attributes.string("norm")?.unwrap_or("MAX") {
        "MAX" => Norm::Max,
        "L1" => Norm::L1,
        "L2" => Norm::L2,
        other => return Err(attributes.invalid("norm", format!("unknown value {other:?}"))),
    };
    Ok(node_operator(attributes, Normalizer { norm }))
}

impl Norm {
    fn of(self, sample: &[f64]) -> f64 {
        match self {
            Self::Max => sample.iter().copied().fold(f32::MIN.into(), f64::max),
            Self::L1 => sample.iter().map(|x| x.abs()).sum(),
            Self::L2 => sample.iter().map(|x| x * x).sum::<f64>().sqrt(),
        }
    }

    /// Normalizes the samples of `x` `[n_samples, n_features]` into `y`.
    fn normalize(self, mut x: impl Iterator<Item = f64>, n_features: usize, y: &mut [f32]) {
        let mut sample = vec![0.0; n_features];
        for row in y.chunks_exact_mut(n_features.max(1)) {
            sample
                .iter_mut()
                .zip(&mut x)
                .for_each(|(slot, value)| *slot = value);
            let norm = self.of(&sample);
            let norm = if norm == 0.0 { 1.0 } else { norm };
            row.iter_mut()
                .zip(&sample)
                .for_each(|(y, x)| *y = (x / norm) as f32);
        }
    }
}

impl Operator for Normalizer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        tensors::check_numeric("X", x)?;
        tensors::samples("X", &x.shape)?;
        Ok(tvec![f32::datum_type().fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (_, n_features) = tensors::samples("X", inputs[0].shape())?;
        let y = tensors::filled(inputs[0].shape(), |y| {
            with_f64s!(inputs[0], x => self.norm.normalize(x, n_features, y));
            Ok(())
        })?;
        Ok(tvec![y.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizes_samples() {
        const NAN: f64 = f64::NAN;
        let cases: [(Norm, &[f64], &[f32]); 12] = [
            (Norm::Max, &[1.0, 4.0], &[0.25, 1.0]),
            (Norm::Max, &[-1.0, -2.0], &[1.0, 2.0]),
            (Norm::Max, &[0.0, -2.0], &[0.0, -2.0]),
            (Norm::Max, &[NAN, 2.0], &[f32::NAN, 1.0]),
            (Norm::Max, &[NAN, NAN], &[f32::NAN, f32::NAN]),
            (Norm::L1, &[1.0, -3.0], &[0.25, -0.75]),
            (Norm::L1, &[0.0, 0.0], &[0.0, 0.0]),
            (Norm::L1, &[NAN, 1.0], &[f32::NAN, f32::NAN]),
            (Norm::L2, &[3.0, -4.0], &[0.6, -0.8]),
            (Norm::L2, &[0.0, 0.0], &[0.0, 0.0]),
            (Norm::L2, &[3e30, 4e30], &[0.6, 0.8]),
            (Norm::L2, &[], &[]),
        ];
        for (norm, x, y) in cases {
            let mut got = vec![0.0; x.len()];
            norm.normalize(x.iter().copied(), x.len(), &mut got);
            for (got, expected) in got.iter().zip(y) {
                let same = got == expected || (got.is_nan() && expected.is_nan());
                assert!(same, "{norm:?} {x:?}: {got} instead of {expected}");
            }
        }
    }
}
