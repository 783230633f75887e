//! Reads the samples that the methods of `iris_core.Model` take: a batch of numbers, or one column for each input of the model.

use iris_core::{ElementType, Model, Value, ValueInfo, ValueType};
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods, get_array_module};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PySlice};

use crate::input::batch::Batch;
use crate::input::{column, value};
use crate::interpreter::error::InputError;
use crate::interpreter::numpy_api;

/// Samples as a model takes them.
pub(crate) enum Samples<'py> {
    /// Rows of numbers, for a model of one input.
    Rows(Batch<'py>),
    /// The name and the value of each input.
    Named(Vec<(String, Value)>),
}

/// Calls `$body` with `$samples` bound to what iris-core takes, which can be read without the GIL.
macro_rules! with_samples {
    ($x:expr, $samples:ident => $body:expr) => {
        match $x {
            $crate::input::samples::Samples::Rows(batch) => {
                $crate::input::batch::with_rows!(&batch, $samples => $body)
            }
            $crate::input::samples::Samples::Named($samples) => $body,
        }
    };
}
pub(crate) use with_samples;

impl<'py> Samples<'py> {
    /// Reads `x` as `model` takes it: as one batch of numbers if it can, as one tensor of text, or as columns.
    pub(crate) fn from_python(model: &Model, x: &Bound<'py, PyAny>) -> PyResult<Self> {
        // Answers are arrays, whatever the samples are.
        numpy_api::load(x.py())?;
        match model.inputs() {
            [input] if takes_numbers(input) => Ok(Self::Rows(Batch::from_python(x)?)),
            [input] => Ok(Self::Named(vec![named(model, input, x)?])),
            _ if has_columns(x)? => by_name(model, x).map(Self::Named),
            _ => by_position(model, x).map(Self::Named),
        }
    }
}

/// Whether an input takes a batch of numbers.
fn takes_numbers(input: &ValueInfo) -> bool {
    let element = input.element_type();
    element.is_some_and(|element| !matches!(element, ElementType::Bool | ElementType::String))
}

/// Whether columns can be asked for by name: in frames, dictionaries and structured arrays they can.
fn has_columns(x: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Ok(array) = x.cast::<PyUntypedArray>() {
        return Ok(array.dtype().kind() == b'V');
    }
    Ok(x.cast::<PyMapping>().is_ok() || x.hasattr(intern!(x.py(), "columns"))?)
}

/// The columns of a frame, dictionary or structured array that have the names of the inputs.
fn by_name(model: &Model, x: &Bound<'_, PyAny>) -> PyResult<Vec<(String, Value)>> {
    let column = |input: &ValueInfo| match x.get_item(input.name()) {
        Ok(column) => named(model, input, &column),
        Err(error) => {
            let error = if error.is_instance_of::<PyKeyError>(x.py()) {
                "no such column".into()
            } else {
                error.value(x.py()).to_string()
            };
            Err(InputError::new_err(format!(
                "input {:?}: {error}",
                input.name()
            )))
        }
    };
    model.inputs().iter().map(column).collect()
}

/// The columns of a table, which belong to the inputs in their order.
fn by_position(model: &Model, x: &Bound<'_, PyAny>) -> PyResult<Vec<(String, Value)>> {
    let py = x.py();
    let inputs = model.inputs();
    let table = natural(x).map_err(|error| unreadable(py, None, error))?;
    let shape = table.shape().to_vec();
    if shape.len() != 2 || shape[1] != inputs.len() {
        let names: Vec<String> = inputs.iter().map(|i| format!("{:?}", i.name())).collect();
        let n_inputs = inputs.len();
        return Err(InputError::new_err(format!(
            "the model takes {n_inputs} inputs ({}): expected a frame, a dictionary, or a table [n_samples, {n_inputs}], \
             got shape {shape:?}",
            names.join(", ")
        )));
    }
    let rows = PySlice::full(py);
    let column = |(index, input)| named(model, input, &table.get_item((&rows, index))?);
    inputs.iter().enumerate().map(column).collect()
}

/// The name of `input`, and `x` as its value: converted to its element type, and a vector to one column where the input takes
/// a matrix.
fn named(model: &Model, input: &ValueInfo, x: &Bound<'_, PyAny>) -> PyResult<(String, Value)> {
    let ValueType::Tensor { element, .. } = input.value_type() else {
        return Ok((input.name().into(), value::from_python(input, x)?));
    };
    let py = x.py();
    let mut array = natural(x).map_err(|error| unreadable(py, Some(input), error))?;
    if array.ndim() == 1 && input.shape().is_some_and(|shape| shape.len() == 2) {
        let column = array.call_method1(intern!(py, "reshape"), (-1, 1))?;
        array = column.cast_into()?;
    }
    let value = match element {
        ElementType::Int16 | ElementType::UInt32 => value::from_python(input, &array)?,
        ElementType::String => {
            let array = column::text(input, &array)?;
            value::from_python(input, &array)?
        }
        _ => column::read(model, input, *element, &array)?,
    };
    Ok((input.name().into(), value))
}

/// The array that `x` is or gives. A list becomes an array of objects, since NumPy would make one type of several.
fn natural<'py>(x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = x.py();
    let is_array_like =
        x.is_instance_of::<PyUntypedArray>() || x.hasattr(intern!(py, "__array__"))?;
    let dtype = (!is_array_like).then_some("object");
    let array = get_array_module(py)?.call_method1(intern!(py, "asarray"), (x, dtype))?;
    Ok(array.cast_into()?)
}

/// The error that NumPy raised over samples, with the name of the input where one input is concerned.
fn unreadable(py: Python<'_>, input: Option<&ValueInfo>, error: PyErr) -> PyErr {
    let what = match input {
        Some(input) => format!("input {:?}: {}", input.name(), error.value(py)),
        None => error.value(py).to_string(),
    };
    if error.is_instance_of::<PyValueError>(py) {
        InputError::new_err(what)
    } else if error.is_instance_of::<PyTypeError>(py) {
        PyTypeError::new_err(what)
    } else {
        error
    }
}
