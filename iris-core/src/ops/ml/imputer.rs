//! [Imputer](https://onnx.ai/onnx/operators/onnx_aionnxml_Imputer.html), version 1.
//!
//! `X` of float, double, int32 or int64 gives `Y` of the same type and shape, in which every value that equals the
//! replaced one (NaN equals NaN) is replaced by the imputed one. float and double take `imputed_value_floats` and
//! `replaced_value_float`, int32 and int64 the others; there must be imputed values of exactly one kind. There is one
//! for each feature of `X` `[n_samples, n_features]` or `[n_features]`, or one for all values of an `X` of any rank from
//! 1 on. onnxruntime has no kernel for double and int32, and takes the first of a number of values that does not fit,
//! which is refused here.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

/// The attributes, checked: there is an imputed value or more.
#[derive(Debug)]
enum Imputer {
    Floats { imputed: Vec<f32>, replaced: f32 },
    Ints { imputed: Vec<i64>, replaced: i64 },
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let floats = attributes.floats("imputed_value_floats")?.to_vec();
    let replaced_float = attributes.float("replaced_value_float")?.unwrap_or(0.0);
    let ints = attributes.ints("imputed_value_int64s")?.to_vec();
    let replaced_int = attributes.int("replaced_value_int64")?.unwrap_or(0);
    let imputer = match (floats.is_empty(), ints.is_empty()) {
        (false, true) => Imputer::Floats {
            imputed: floats,
            replaced: replaced_float,
        },
        (true, false) => Imputer::Ints {
            imputed: ints,
            replaced: replaced_int,
        },
        (true, true) => {
            let what = "no imputed values, neither floats nor integers";
            return Err(attributes.invalid("imputed_value_floats", what));
        }
        (false, false) => {
            let what = "there are both floats and integers";
            return Err(attributes.invalid("imputed_value_floats", what));
        }
    };
    Ok(Built::operator(imputer))
}

impl Imputer {
    /// Refuses an input of another kind than the imputed values, or whose features are not theirs.
    fn check(&self, datum_type: DatumType, shape: &[TDim]) -> Result<()> {
        let (is_ours, attribute, len) = match self {
            Self::Floats { imputed, .. } => (
                matches!(datum_type, DatumType::F32 | DatumType::F64),
                "imputed_value_floats",
                imputed.len(),
            ),
            Self::Ints { imputed, .. } => {
                let fits = |value: &i64| i32::try_from(*value).is_ok();
                if datum_type == DatumType::I32 && !imputed.iter().all(fits) {
                    return Err(error::invalid(
                        "attribute imputed_value_int64s: a value is outside the int32 of input X",
                    ));
                }
                (
                    matches!(datum_type, DatumType::I32 | DatumType::I64),
                    "imputed_value_int64s",
                    imputed.len(),
                )
            }
        };
        if !is_ours {
            return Err(error::invalid(format!(
                "input X: {datum_type:?} has no imputed values, attribute {attribute} is given"
            )));
        }
        facts::check_per_feature("X", shape, attribute, len)
    }
}

impl Operator for Imputer {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        self.check(x.datum_type, &x.shape)?;
        Ok(tvec![x.datum_type.fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        fn imputed<T: Datum + Copy>(
            x: &Tensor,
            imputed: &[T],
            is_missing: impl Fn(T) -> bool,
        ) -> TractResult<Tensor> {
            tensors::filled(x.shape(), |y: &mut [T]| {
                y.copy_from_slice(x.try_as_plain_ram()?.as_slice::<T>()?);
                impute(y, imputed, is_missing);
                Ok(())
            })
        }
        let x = &inputs[0];
        let shape: TVec<TDim> = x.shape().iter().map(TDim::from).collect();
        self.check(x.datum_type(), &shape)?;
        let y = match (self, x.datum_type()) {
            (
                Self::Floats {
                    imputed: to,
                    replaced,
                },
                DatumType::F32,
            ) => imputed::<f32>(x, to, |x| is_same((*replaced).into(), x.into())),
            (
                Self::Floats {
                    imputed: to,
                    replaced,
                },
                _,
            ) => {
                let to: Vec<f64> = to.iter().map(|&value| value.into()).collect();
                imputed::<f64>(x, &to, |x| is_same((*replaced).into(), x))
            }
            (
                Self::Ints {
                    imputed: to,
                    replaced,
                },
                DatumType::I32,
            ) => {
                let to: Vec<i32> = to.iter().map(|&value| value as i32).collect();
                imputed::<i32>(x, &to, |x| i64::from(x) == *replaced)
            }
            (
                Self::Ints {
                    imputed: to,
                    replaced,
                },
                _,
            ) => imputed::<i64>(x, to, |x| x == *replaced),
        }?;
        Ok(tvec![y.into_tvalue()])
    }
}

fn is_same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// Replaces the missing values of `values` by those of `imputed`, which are used in turn.
fn impute<T: Copy>(values: &mut [T], imputed: &[T], is_missing: impl Fn(T) -> bool) {
    let replace = |value: &mut T, imputed: T| {
        if is_missing(*value) {
            *value = imputed;
        }
    };
    if let &[imputed] = imputed {
        values.iter_mut().for_each(|value| replace(value, imputed));
        return;
    }
    for row in values.chunks_mut(imputed.len().max(1)) {
        row.iter_mut()
            .zip(imputed)
            .for_each(|(value, &imputed)| replace(value, imputed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_missing_values() {
        struct Case {
            values: &'static [f64],
            replaced: f64,
            imputed: &'static [f64],
            expected: &'static [f64],
        }
        const NAN: f64 = f64::NAN;
        let cases = [
            Case {
                values: &[NAN, 1.0, 2.0, NAN],
                replaced: NAN,
                imputed: &[7.0, 8.0],
                expected: &[7.0, 1.0, 2.0, 8.0],
            },
            Case {
                values: &[NAN, 1.0, 2.0, NAN],
                replaced: NAN,
                imputed: &[7.0],
                expected: &[7.0, 1.0, 2.0, 7.0],
            },
            Case {
                values: &[-0.0, 1.0, 0.0],
                replaced: 0.0,
                imputed: &[7.0, 8.0, 9.0],
                expected: &[7.0, 1.0, 9.0],
            },
            Case {
                values: &[],
                replaced: 0.0,
                imputed: &[7.0, 8.0],
                expected: &[],
            },
        ];
        for Case {
            values,
            replaced,
            imputed,
            expected,
        } in cases
        {
            let mut got = values.to_vec();
            impute(&mut got, imputed, |x| is_same(replaced, x));
            assert_eq!(got, expected, "{values:?} {imputed:?}");
        }
    }
}
