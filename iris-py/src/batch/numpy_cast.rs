//! What NumPy makes of inputs that Rust cannot read as they are.

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods, get_array_module};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyFloat};

use crate::error::InputError;

/// The array that `x`, which is none, stands for.
pub(crate) fn as_array<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = x.py();
    // Lists become float64 at once: without it NumPy would make text of a list of numbers and text.
    let dtype = (!x.hasattr(intern!(py, "__array__"))?).then_some("float64");
    let array = get_array_module(py)?.call_method1(intern!(py, "asarray"), (x, dtype));
    Ok(array.map_err(|error| explain(x, error))?.cast_into()?)
}

/// `array`, which is what `x` stands for, as float64.
pub(crate) fn to_float64<'py>(
    x: &Bound<'py, PyAny>,
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = x.py();
    let kind = array.dtype().kind();
    if kind == b'c' {
        return Err(InputError::new_err(
            "expected real numbers, got complex ones",
        ));
    }
    // A pandas frame's own missing value is not a number to NumPy.
    let converted = if kind == b'O' && x.hasattr(intern!(py, "iloc"))? {
        let options = [("na_value", f64::NAN)].into_py_dict(py)?;
        x.call_method(intern!(py, "to_numpy"), ("float64",), Some(&options))
    } else {
        array.call_method1(intern!(py, "astype"), ("float64",))
    };
    Ok(converted.map_err(|error| explain(x, error))?.cast_into()?)
}

/// The error that NumPy raised over `x`, naming the row and column of the first item that is not a number.
fn explain(x: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = x.py();
    let message = || match culprit(x) {
        Ok(Some(message)) => message,
        _ => format!(
            "cannot read {} as a batch of numbers: {}",
            type_name(x),
            error.value(py)
        ),
    };
    if error.is_instance_of::<PyValueError>(py) {
        InputError::new_err(message())
    } else if error.is_instance_of::<PyTypeError>(py) {
        PyTypeError::new_err(message())
    } else {
        error
    }
}

/// The name of the type of `x`, for messages.
pub(crate) fn type_name(x: &Bound<'_, PyAny>) -> String {
    x.get_type()
        .name()
        .map_or_else(|_| "an object".into(), |name| name.to_string())
}

fn culprit(x: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = x.py();
    let array = get_array_module(py)?.call_method1(intern!(py, "asarray"), (x, "object"))?;
    if array.cast::<PyUntypedArray>()?.ndim() != 2 {
        return Ok(None);
    }
    let float = py.get_type::<PyFloat>();
    for (row, items) in array.try_iter()?.enumerate() {
        for (column, item) in items?.try_iter()?.enumerate() {
            let item = item?;
            // NumPy reads None as NaN.
            if !item.is_none()
                && let Err(error) = float.call1((item,))
            {
                return Ok(Some(format!(
                    "row {row}, column {column}: {}",
                    error.value(py)
                )));
            }
        }
    }
    Ok(None)
}
