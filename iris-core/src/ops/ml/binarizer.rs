//! [Binarizer](https://onnx.ai/onnx/operators/onnx_aionnxml_Binarizer.html), version 1.
//!
//! `X` of float, double, int32 or int64 and of any shape gives `Y` of the same type and shape: 1 where `X` is above
//! `threshold`, else 0. onnxruntime has no kernel for inputs other than float. NaN is refused, as there.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, ErrorKind, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;
use crate::value::tensors::with_f64s;

#[derive(Debug)]
struct Binarizer {
    threshold: f64,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let threshold = attributes.float("threshold")?.unwrap_or(0.0).into();
    Ok(Built::operator(Binarizer { threshold }))
}

impl Operator for Binarizer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        Ok(tvec![x.datum_type.fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        fn binarized<T: Datum + From<u8> + Copy>(
            x: &Tensor,
            threshold: f64,
        ) -> TractResult<Tensor> {
            tensors::filled(x.shape(), |y: &mut [T]| {
                with_f64s!(x, x => binarize(x, threshold, y)?);
                Ok(())
            })
        }
        let x = &inputs[0];
        let y = match x.datum_type() {
            DatumType::F32 => binarized::<f32>(x, self.threshold),
            DatumType::F64 => binarized::<f64>(x, self.threshold),
            DatumType::I32 => binarized::<i32>(x, self.threshold),
            _ => binarized::<i64>(x, self.threshold),
        }?;
        Ok(tvec![y.into_tvalue()])
    }
}

/// Sets each of `y` to whether that of `x` is above `threshold`.
fn binarize<T: From<u8>>(x: impl Iterator<Item = f64>, threshold: f64, y: &mut [T]) -> Result<()> {
    for (index, (x, y)) in x.zip(y).enumerate() {
        if x.is_nan() {
            let message = format!("input X: value {index} is NaN");
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        *y = T::from(u8::from(x > threshold));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_with_the_threshold() {
        let mut y = [9_i32; 4];
        binarize([0.5, 0.75, f64::INFINITY, -1.0].into_iter(), 0.5, &mut y).expect("no NaN");
        assert_eq!(y, [0, 1, 1, 0]);
        binarize([].into_iter(), 0.5, &mut [0.0_f32; 0]).expect("nothing");
    }

    #[test]
    fn refuses_nan() {
        let error = binarize([1.0, f64::NAN].into_iter(), 0.0, &mut [0.0_f32; 2]).expect_err("NaN");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("value 1"), "{error}");
    }
}
