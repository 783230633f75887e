//! [LpNormalization](https://onnx.ai/onnx/operators/onnx__LpNormalization.html), versions 1 to 22.
//!
//! `input` float16, float or double gives `output` of the same type and shape: each line along dimension `axis` divided by
//! its norm, the sum of the absolute values if `p` is 1, and the root of the sum of the squares if it is 2. Where the norm
//! is 0 the line stays as it is, 0.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::along::Along;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, axes, facts};

#[derive(Debug)]
struct LpNormalization {
    axis: i64,
    /// Or else the sum of the absolute values.
    is_euclidean: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axis = attributes.int("axis")?.unwrap_or(-1);
    let is_euclidean = match attributes.int("p")?.unwrap_or(2) {
        1 => false,
        2 => true,
        p => return Err(attributes.invalid("p", format!("{p} is neither 1 nor 2"))),
    };
    let normalization = LpNormalization { axis, is_euclidean };
    Ok(Built::operator(normalization))
}

impl Operator for LpNormalization {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_float("input", x)?;
        axes::resolve(self.axis, x.rank())?;
        Ok(tvec![x.datum_type.fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        axes::resolve(self.axis, rank).is_ok_and(|axis| axis > 0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let along = Along::new(x.shape(), axes::resolve(self.axis, x.rank())?);
        let y = axes::map_lines(x, along, &|line| {
            let numbers = line.iter();
            let norm = if self.is_euclidean {
                numbers.fold(0.0, |sum, x| sum + x * x).sqrt()
            } else {
                numbers.fold(0.0, |sum, x| sum + x.abs())
            };
            if norm != 0.0 {
                line.iter_mut().for_each(|x| *x /= norm);
            }
        })?;
        Ok(tvec![y.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::tensors;

    #[test]
    fn divides_by_the_norm() {
        let x = [3.0, 0.0, 0.0, -4.0, 0.0, 1.0];
        let x = tensors::from_vec(&[2, 3], x.to_vec()).expect("fits");
        let cases: [(i64, bool, [f64; 6]); 4] = [
            (
                -1,
                true,
                [1.0, 0.0, 0.0, -0.970_142_500_145, 0.0, 0.242_535_625_036],
            ),
            (1, false, [1.0, 0.0, 0.0, -0.8, 0.0, 0.2]),
            (0, true, [0.6, 0.0, 0.0, -0.8, 0.0, 1.0]),
            (-2, false, [3.0 / 7.0, 0.0, 0.0, -4.0 / 7.0, 0.0, 1.0]),
        ];
        for (axis, is_euclidean, expected) in cases {
            let normalization = LpNormalization { axis, is_euclidean };
            assert_eq!(normalization.maps_rows(2), matches!(axis, -1 | 1));
            for (datum_type, tolerance) in [
                (DatumType::F64, 1e-12),
                (DatumType::F32, 1e-7),
                (DatumType::F16, 1e-3),
            ] {
                let x = x.cast_to_dt(datum_type).expect("floats").into_owned();
                let y = normalization
                    .eval(&[x.into_tvalue()], &[0])
                    .expect("takes it");
                assert_eq!((y[0].datum_type(), y[0].shape()), (datum_type, &[2, 3][..]));
                let y = y[0].cast_to::<f64>().expect("floats");
                let y = y.try_as_plain_ram().expect("plain");
                for (y, expected) in y.as_slice::<f64>().expect("doubles").iter().zip(expected) {
                    assert!(
                        (y - expected).abs() <= tolerance,
                        "{axis} {is_euclidean}: {y}"
                    );
                }
            }
        }
    }

    #[test]
    fn inputs_are_checked() {
        let normalization = LpNormalization {
            axis: 1,
            is_euclidean: true,
        };
        for fact in [DatumType::F32.fact([2]), DatumType::I64.fact([2, 2])] {
            assert!(normalization.output_facts(&[&fact]).is_err(), "{fact:?}");
        }
        let empty = Tensor::zero::<f32>(&[2, 0]).expect("is small");
        let y = normalization.eval(&[empty.clone().into_tvalue()], &[0]);
        assert_eq!(*y.expect("takes it")[0], empty);
    }
}
