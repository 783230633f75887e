//! [CastMap](https://onnx.ai/onnx/operators/onnx_aionnxml_CastMap.html), version 1.
//!
//! A map from int64 to float or string gives `Y` `[1, n]` of float, int64 or string, as `cast_to` says. With `map_form`
//! `DENSE` these are the map's values in the order of their keys; with `SPARSE` there are `max_map` of them, each in
//! the place of its key, and 0 (or `0.f`, as in onnxruntime) where the map has none. Keys from `max_map` on are ignored.
//!
//! The map comes as two tensors, `[n_keys]` each: its keys and its values (see `rewrite/maps.rs`).
//!
//! Floats become strings with six decimals, as in C and in onnxruntime, and integers by cutting the fraction off.
//!
//! Not supported: strings that are not numbers to the last character, negative keys of a sparse map, floats outside
//! int64's range, and a `max_map` above 2^24, for which a small file would ask for a large amount of memory.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::kernels::ranks;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, maps};
use crate::value::tensors;

/// The most values a sparse map may be spread to.
const MOST_VALUES: i64 = 1 << 24;

#[derive(Debug)]
struct CastMap {
    to: To,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum To {
    Float,
    Int64,
    String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Dense,
    Sparse { n_values: usize },
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let to = match attributes.string("cast_to")?.unwrap_or("TO_FLOAT") {
        "TO_FLOAT" => To::Float,
        "TO_INT64" => To::Int64,
        "TO_STRING" => To::String,
        other => return Err(attributes.invalid("cast_to", format!("unknown value {other:?}"))),
    };
    let max_map = attributes.int("max_map")?.unwrap_or(1);
    let form = match attributes.string("map_form")?.unwrap_or("DENSE") {
        "DENSE" => Form::Dense,
        "SPARSE" if (1..=MOST_VALUES).contains(&max_map) => Form::Sparse {
            n_values: max_map as usize,
        },
        "SPARSE" => {
            let message = format!("expected 1 to {MOST_VALUES}, got {max_map}");
            return Err(attributes.invalid("max_map", message));
        }
        other => return Err(attributes.invalid("map_form", format!("unknown value {other:?}"))),
    };
    Ok(Built::operator(CastMap { to, form }))
}

impl Operator for CastMap {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [keys, values] = maps::facts(inputs)?;
        if keys.datum_type != DatumType::I64
            || !matches!(values.datum_type, DatumType::F32 | DatumType::String)
        {
            return Err(error::invalid(format!(
                "input X: expected a map from int64 to float or string, got one from {:?} to {:?}",
                keys.datum_type, values.datum_type
            )));
        }
        let n_values = match self.form {
            Form::Dense => keys.shape.volume(),
            Form::Sparse { n_values } => n_values.to_dim(),
        };
        let to = match self.to {
            To::Float => DatumType::F32,
            To::Int64 => DatumType::I64,
            To::String => DatumType::String,
        };
        Ok(tvec![to.fact([1.to_dim(), n_values])])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (keys, values) = maps::tensors(inputs)?;
        let keys = keys.try_as_plain_ram()?.as_slice::<i64>()?;
        let y = if values.datum_type() == DatumType::F32 {
            self.cast(keys, values.try_as_plain_ram()?.as_slice::<f32>()?)?
        } else {
            self.cast(keys, values.try_as_plain_ram()?.as_slice::<String>()?)?
        };
        Ok(tvec![y.into_tvalue()])
    }
}

impl CastMap {
    fn cast<T: MapValue>(&self, keys: &[i64], values: &[T]) -> TractResult<Tensor> {
        fn row<T: Datum>(values: Vec<T>) -> TractResult<Tensor> {
            tensors::from_vec(&[1, values.len()], values)
        }
        match self.to {
            To::Float => row(arrange(keys, values, self.form, 0.0, T::to_float)?),
            To::Int64 => row(arrange(keys, values, self.form, 0, T::to_int)?),
            To::String => row(arrange(
                keys,
                values,
                self.form,
                "0.f".to_owned(),
                |value| Ok(value.to_text()),
            )?),
        }
    }
}

/// The cast values in the order that `form` asks for, with `pad` where it asks for more.
fn arrange<T, U: Clone>(
    keys: &[i64],
    values: &[T],
    form: Form,
    pad: U,
    cast: impl Fn(&T) -> Result<U>,
) -> Result<Vec<U>> {
    match form {
        Form::Dense => {
            let order = ranks::order(keys.iter().copied().map(ranks::of_int));
            order.map(|place| cast(&values[place])).collect()
        }
        Form::Sparse { n_values } => {
            let mut slots = vec![pad; n_values];
            for (&key, value) in keys.iter().zip(values) {
                let place = usize::try_from(key).map_err(|_| {
                    Error::input(format!(
                        "input X: key {key} is negative, which a sparse map's cannot be"
                    ))
                })?;
                if let Some(slot) = slots.get_mut(place) {
                    *slot = cast(value)?;
                }
            }
            Ok(slots)
        }
    }
}

/// What the values of a map are cast from.
trait MapValue {
    fn to_float(&self) -> Result<f32>;
    fn to_int(&self) -> Result<i64>;
    fn to_text(&self) -> String;
}

impl MapValue for f32 {
    fn to_float(&self) -> Result<f32> {
        Ok(*self)
    }

    fn to_int(&self) -> Result<i64> {
        // 2^63, which is no int64 itself.
        const LIMIT: f32 = 9_223_372_036_854_775_808.0;
        if (-LIMIT..LIMIT).contains(self) {
            Ok(*self as i64)
        } else {
            Err(Error::input(format!("input X: value {self} is no int64")))
        }
    }

    fn to_text(&self) -> String {
        if self.is_nan() {
            let sign = if self.is_sign_negative() { "-" } else { "" };
            format!("{sign}nan")
        } else {
            format!("{self:.6}")
        }
    }
}

impl MapValue for String {
    fn to_float(&self) -> Result<f32> {
        let number = self.trim().parse();
        number.map_err(|_| Error::input(format!("input X: value {self:?} is not a number")))
    }

    fn to_int(&self) -> Result<i64> {
        let number = self.trim().parse();
        number.map_err(|_| Error::input(format!("input X: value {self:?} is no int64")))
    }

    fn to_text(&self) -> String {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arranges_by_key() {
        struct Case {
            keys: &'static [i64],
            form: Form,
            y: &'static [i32],
        }
        let sparse = |n_values| Form::Sparse { n_values };
        let cases = [
            Case {
                keys: &[3, -1, 0],
                form: Form::Dense,
                y: &[11, 12, 10],
            },
            Case {
                keys: &[3, 1, 0],
                form: sparse(5),
                y: &[12, 11, -1, 10, -1],
            },
            Case {
                keys: &[3, 1, 0],
                form: sparse(2),
                y: &[12, 11],
            },
            Case {
                keys: &[],
                form: Form::Dense,
                y: &[],
            },
            Case {
                keys: &[],
                form: sparse(2),
                y: &[-1, -1],
            },
        ];
        for Case { keys, form, y } in cases {
            let got = arrange(keys, &[10, 11, 12], form, -1, |&x| Ok(x)).expect("casts");
            assert_eq!(got, y, "{keys:?} {form:?}");
        }
        let error = arrange(&[-1], &[1], sparse(2), 0, |&x| Ok(x)).expect_err("negative");
        assert!(error.to_string().contains("key -1"));
    }

    #[test]
    fn casts() {
        let texts = [
            (0.1, "0.100000"),
            (-0.0, "-0.000000"),
            (3.4e38, "339999995214436424907732413799364296704.000000"),
            (f32::INFINITY, "inf"),
            (f32::NAN, "nan"),
        ];
        for (value, text) in texts {
            assert_eq!(value.to_text(), text);
        }
        for (value, whole) in [(2.9_f32, 2), (-2.9, -2), (1e10, 10_000_000_000)] {
            assert_eq!(value.to_int().expect("in range"), whole);
        }
        for value in [f32::NAN, f32::INFINITY, 1e19, -1e19] {
            assert!(value.to_int().is_err(), "{value}");
        }
        for (text, number) in [
            ("1.5", 1.5),
            (" -4 ", -4.0),
            ("1e3", 1000.0),
            ("inf", f32::INFINITY),
        ] {
            assert_eq!(text.to_owned().to_float().expect("a number"), number);
        }
        for text in ["", "abc", "3x", "1.5.2"] {
            assert!(text.to_owned().to_float().is_err(), "{text:?}");
            assert!(text.to_owned().to_int().is_err(), "{text:?}");
        }
        assert_eq!(" 12 ".to_owned().to_int().expect("an integer"), 12);
    }
}
