//! Writes predictions as JSON, exactly as `json.dumps` writes scikit-learn's `predict(…).tolist()`.

use iris_core::{Labels, Prediction, Value};
use ndarray::{ArrayViewD, Axis};

use crate::error::{Error, Result};
use crate::python_json as python;

/// Writes the list of predictions, one entry for each row.
///
/// # Errors
/// If the prediction is of a type that has no spelling here, such as integers of 16 bits.
pub(crate) fn write(out: &mut String, prediction: &Prediction) -> Result<()> {
    match prediction {
        Prediction::Labels(Labels::Int(labels)) => {
            python::list(out, labels, |out, &label| python::int(out, label));
        }
        Prediction::Labels(Labels::String(labels)) => {
            python::list(out, labels, |out, label| python::string(out, label));
        }
        Prediction::Values(Value::Float(values)) => {
            nested(out, &values.view(), &mut |out, &x| {
                python::float(out, x.into());
            });
        }
        Prediction::Values(Value::Double(values)) => {
            nested(out, &values.view(), &mut |out, &x| python::float(out, x));
        }
        Prediction::Values(Value::Int32(values)) => {
            nested(out, &values.view(), &mut |out, &x| python::int(out, x));
        }
        Prediction::Values(Value::Int64(values)) => {
            nested(out, &values.view(), &mut |out, &x| python::int(out, x));
        }
        Prediction::Values(Value::Bool(values)) => nested(out, &values.view(), &mut |out, &x| {
            out.push_str(if x { "true" } else { "false" });
        }),
        Prediction::Values(Value::String(values)) => {
            nested(out, &values.view(), &mut |out, text| {
                python::string(out, text);
            });
        }
        other => {
            return Err(Error::internal(format!(
                "a prediction of no known type: {other:?}"
            )));
        }
    }
    Ok(())
}

/// Writes an array as lists within lists, one level for each dimension.
fn nested<T>(
    out: &mut String,
    values: &ArrayViewD<'_, T>,
    write: &mut impl FnMut(&mut String, &T),
) {
    match values.ndim() {
        0 => values.iter().for_each(|value| write(out, value)),
        1 => python::list(out, values, write),
        _ => python::list(out, values.axis_iter(Axis(0)), |out, row| {
            nested(out, &row, write);
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn arrays_are_lists_in_lists() {
        let cases: [(Value, &str); 5] = [
            (array![1.5_f32, 0.1].into(), "[1.5, 0.10000000149011612]"),
            (
                array![[1.0_f64, -0.5], [2.0, 1e-7]].into(),
                "[[1.0, -0.5], [2.0, 1e-07]]",
            ),
            (array![[1_i64, 0]].into(), "[[1, 0]]"),
            (
                array![["a".to_string(), "é".into()]].into(),
                r#"[["a", "\u00e9"]]"#,
            ),
            (array![true, false].into(), "[true, false]"),
        ];
        for (values, expected) in cases {
            let mut out = String::new();
            write(&mut out, &Prediction::Values(values)).expect("a known type");
            assert_eq!(out, expected);
        }
    }
}
