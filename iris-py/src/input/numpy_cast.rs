//! Converts, with NumPy, inputs that Rust cannot read as they are, and names the culprit where that fails.

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods, get_array_module};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyFloat, PyList};

use crate::input::number_types::NumberTypes;
use crate::interpreter::error::InputError;

/// The array that NumPy makes of `x`, which is a list, a data frame or another object but no array.
pub(crate) fn as_array<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = x.py();
    let numpy = get_array_module(py)?;
    let is_array_like = x.hasattr(intern!(py, "__array__"))?;
    if is_array_like {
        refuse_dated_columns(x)?;
    }
    let natural = numpy.call_method1(intern!(py, "asarray"), (x,));
    if is_array_like {
        return Ok(natural.map_err(|error| explain(x, error))?.cast_into()?);
    }
    // NumPy makes an array of text of a list of numbers and text. It makes numbers of dates where numbers are asked for, so
    // that dates are refused before.
    if let Ok(array) = natural {
        let array = array.cast_into::<PyUntypedArray>()?;
        let kind = array.dtype().kind();
        if matches!(kind, b'f' | b'i' | b'u' | b'b') {
            return Ok(array);
        }
        let objects = numpy.call_method1(intern!(py, "asarray"), (x, "object"))?;
        refuse_dates(objects.cast()?)?;
        if matches!(kind, b'c' | b'M' | b'm') {
            return Err(PyTypeError::new_err(first_is_no_number(&array)?));
        }
    }
    let array = numpy.call_method1(intern!(py, "asarray"), (x, "float64"));
    Ok(array.map_err(|error| explain(x, error))?.cast_into()?)
}

/// The array that was made of `x`, as float64.
pub(crate) fn to_float64<'py>(
    x: &Bound<'py, PyAny>,
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = x.py();
    let kind = array.dtype().kind();
    match kind {
        b'c' => {
            return Err(InputError::new_err(
                "expected real numbers, got complex ones",
            ));
        }
        b'M' | b'm' => return Err(PyTypeError::new_err(first_is_no_number(array)?)),
        b'O' => refuse_dates(array)?,
        _ => {}
    }
    // NumPy refuses pandas' own missing value, so that a frame of pandas replaces it by NaN itself.
    let converted = if kind == b'O' && x.hasattr(intern!(py, "iloc"))? {
        let options = [("na_value", f64::NAN)].into_py_dict(py)?;
        x.call_method(intern!(py, "to_numpy"), ("float64",), Some(&options))
    } else {
        array.call_method1(intern!(py, "astype"), ("float64",))
    };
    Ok(converted.map_err(|error| explain(x, error))?.cast_into()?)
}

/// Refuses a frame of polars with a column of dates or durations: beside columns of numbers, polars makes numbers of them.
fn refuse_dated_columns(x: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = x.py();
    let (Some(dtypes), Some(names)) = (
        x.getattr_opt(intern!(py, "dtypes"))?,
        x.getattr_opt(intern!(py, "columns"))?,
    ) else {
        return Ok(());
    };
    // pandas has these two as a Series and an Index, not as lists; dates of pandas stay dates in NumPy, and are refused there.
    let (Ok(dtypes), Ok(names)) = (dtypes.cast_into::<PyList>(), names.cast_into::<PyList>())
    else {
        return Ok(());
    };
    for (dtype, name) in dtypes.iter().zip(names) {
        if let Some(is_temporal) = dtype.getattr_opt(intern!(py, "is_temporal"))?
            && is_temporal.call0()?.is_truthy()?
        {
            return Err(PyTypeError::new_err(format!(
                "column {}: expected numbers, got {dtype}",
                name.repr()?
            )));
        }
    }
    Ok(())
}

/// Refuses an array of objects if one of them is a date, a duration or a complex number.
fn refuse_dates(array: &Bound<'_, PyUntypedArray>) -> PyResult<()> {
    let width = array.shape().last().copied().unwrap_or(1).max(1);
    let mut types = NumberTypes::default();
    for (index, item) in items(array)?.iter().enumerate() {
        if !item.is_none() && !types.is_number(&item) {
            return Err(PyTypeError::new_err(format!(
                "row {}, column {}: {}",
                index / width,
                index % width,
                no_number(&item)
            )));
        }
    }
    Ok(())
}

/// The items of an array, row by row.
pub(crate) fn items<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyList>> {
    let py = array.py();
    // A subclass of NumPy's array may have other methods of the same names.
    let array = get_array_module(py)?.call_method1(intern!(py, "asarray"), (array,))?;
    let array = array.call_method1(intern!(py, "reshape"), (-1,))?;
    Ok(array.call_method0(intern!(py, "tolist"))?.cast_into()?)
}

/// The message about the first item of an array of dates, durations or complex numbers.
fn first_is_no_number(array: &Bound<'_, PyUntypedArray>) -> PyResult<String> {
    if array.len() == 0 {
        return Ok(format!("expected numbers, got {}", array.dtype()));
    }
    let flat = array.call_method1(intern!(array.py(), "reshape"), (-1,))?;
    Ok(format!(
        "row 0, column 0: {}",
        no_number(&flat.get_item(0)?)
    ))
}

/// The message about `item`, which is a date, a duration or a complex number: Python's own about such objects.
pub(crate) fn no_number(item: &Bound<'_, PyAny>) -> String {
    format!(
        "float() argument must be a real number, not '{}': {item}",
        type_name(item)
    )
}

/// The error that NumPy raised over `x`, with the row and column of the first item that is not a number.
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

/// The message about the first item of `x` that is not a number, if `x` is a table and has such an item.
fn culprit(x: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = x.py();
    let array = get_array_module(py)?.call_method1(intern!(py, "asarray"), (x, "object"))?;
    let array = array.cast_into::<PyUntypedArray>()?;
    if array.ndim() != 2 {
        return Ok(None);
    }
    let width = array.shape()[1].max(1);
    let float = py.get_type::<PyFloat>();
    let mut types = NumberTypes::default();
    for (index, item) in items(&array)?.iter().enumerate() {
        // NumPy reads None as NaN, so that it is no culprit.
        if item.is_none() {
            continue;
        }
        let what = if !types.is_number(&item) {
            no_number(&item)
        } else if let Err(error) = float.call1((item,)) {
            error.value(py).to_string()
        } else {
            continue;
        };
        let (row, column) = (index / width, index % width);
        return Ok(Some(format!("row {row}, column {column}: {what}")));
    }
    Ok(None)
}
