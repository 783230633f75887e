//! [Scaler](https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html), version 1.
//!
//! `X` of float, double, int32 or int64 gives `Y` float of the same shape: `(X - offset) * scale`. Both attributes have
//! one value for each feature of `X` `[n_samples, n_features]` or `[n_features]`, or one for all values of an `X` of
//! any rank from 1 on. As in onnxruntime both must be there, and have the same length.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;
use crate::value::tensors::with_f64s;

/// The attributes, checked: one `(offset, scale)` or more.
#[derive(Debug)]
pub(crate) struct Scaler {
    factors: Vec<(f64, f64)>,
}

impl Scaler {
    /// `(offset, scale)` of each feature, or one pair for all of them.
    pub(crate) fn factors(&self) -> &[(f64, f64)] {
        &self.factors
    }
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let scale = attributes.floats("scale")?;
    let offset = attributes.floats("offset")?;
    if scale.is_empty() {
        return Err(attributes.invalid("scale", "expected 1 value or more, got 0"));
    }
    attributes.check_len("offset", offset.len(), scale.len())?;
    let pairs = offset.iter().zip(scale);
    let factors = pairs
        .map(|(&offset, &scale)| (offset.into(), scale.into()))
        .collect();
    Ok(Built::operator(Scaler { factors }))
}

impl Operator for Scaler {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        facts::check_per_feature("X", &x.shape, "scale", self.factors.len())?;
        Ok(tvec![f32::datum_type().fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let shape: TVec<TDim> = x.shape().iter().map(TDim::from).collect();
        facts::check_per_feature("X", &shape, "scale", self.factors.len())?;
        let y = tensors::filled(x.shape(), |y| {
            with_f64s!(x, x => scale(x, &self.factors, y));
            Ok(())
        })?;
        Ok(tvec![y.into_tvalue()])
    }
}

/// Scales `x` into `y`, using the `(offset, scale)` pairs in turn.
pub(crate) fn scale(mut x: impl Iterator<Item = f64>, factors: &[(f64, f64)], y: &mut [f32]) {
    if let &[(offset, scale)] = factors {
        y.iter_mut()
            .zip(x)
            .for_each(|(y, x)| *y = ((x - offset) * scale) as f32);
        return;
    }
    for row in y.chunks_mut(factors.len()) {
        for ((y, &(offset, scale)), x) in row.iter_mut().zip(factors).zip(&mut x) {
            *y = ((x - offset) * scale) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_values() {
        struct Case {
            x: &'static [f64],
            factors: &'static [(f64, f64)],
            y: &'static [f32],
        }
        let cases = [
            Case {
                x: &[1.0, 2.0, 3.0, 4.0],
                factors: &[(1.0, 2.0), (0.5, -1.0)],
                y: &[0.0, -1.5, 4.0, -3.5],
            },
            Case {
                x: &[1.0, 2.0, 3.0],
                factors: &[(1.0, 2.0)],
                y: &[0.0, 2.0, 4.0],
            },
            Case {
                x: &[],
                factors: &[(1.0, 2.0), (0.5, -1.0)],
                y: &[],
            },
            // In float the offset would be lost.
            Case {
                x: &[16_777_217.0],
                factors: &[(16_777_216.0, 1.0)],
                y: &[1.0],
            },
        ];
        for Case { x, factors, y } in cases {
            let mut got = vec![f32::NAN; y.len()];
            scale(x.iter().copied(), factors, &mut got);
            assert_eq!(got, y, "{x:?} {factors:?}");
        }
    }
}
