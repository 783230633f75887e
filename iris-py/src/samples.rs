//! What the methods of `iris_core.Model` take: a batch of numbers, or one column for each input of the model.

use iris_core::{ElementType, Model, Value, ValueInfo, ValueType};
use numpy::{PyUntypedArray, PyUntypedArrayMethods, get_array_module};
use pyo3::exceptions::PyKeyError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PySlice, PyTuple};

use crate::batch::Batch;
use crate::error::InputError;
use crate::value;

/// Samples that Python holds, or that were read from it.
pub(crate) enum Samples<'py> {
    Rows(Batch<'py>),
    Named(Vec<(String, Value)>),
}

/// Calls `$body` with `$samples` bound to what iris-core takes, which can be read without the GIL.
macro_rules! with_samples {
    ($x:expr, $samples:ident => $body:expr) => {
        match $x {
            $crate::samples::Samples::Rows(batch) => {
                $crate::batch::with_rows!(&batch, $samples => $body)
            }
            $crate::samples::Samples::Named($samples) => $body,
        }
    };
}
pub(crate) use with_samples;

impl<'py> Samples<'py> {
    /// Reads `x` as `model` takes it: as one batch of numbers if it can, as one tensor of text, or as columns.
    pub(crate) fn from_python(model: &Model, x: &Bound<'py, PyAny>) -> PyResult<Self> {
        let inputs = model.inputs();
        match inputs {
            [input] if takes_numbers(input) => Ok(Self::Rows(Batch::from_python(x)?)),
            [input] => Ok(Self::Named(vec![named(input, x)?])),
            _ if has_columns(x)? => by_name(inputs, x).map(Self::Named),
            _ => by_place(inputs, x).map(Self::Named),
        }
    }
}

fn takes_numbers(input: &ValueInfo) -> bool {
    let element = input.element_type();
    element.is_some_and(|element| !matches!(element, ElementType::Bool | ElementType::String))
}

/// Whether columns can be asked for by name, as those of frames and dictionaries can.
fn has_columns(x: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(x.cast::<PyMapping>().is_ok() || x.hasattr(intern!(x.py(), "columns"))?)
}

fn by_name(inputs: &[ValueInfo], x: &Bound<'_, PyAny>) -> PyResult<Vec<(String, Value)>> {
    let column = |input: &ValueInfo| match x.get_item(input.name()) {
        Ok(column) => named(input, &column),
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
    inputs.iter().map(column).collect()
}

fn by_place(inputs: &[ValueInfo], x: &Bound<'_, PyAny>) -> PyResult<Vec<(String, Value)>> {
    let py = x.py();
    // Objects keep their own types, which NumPy would make one of.
    let dtype = (!x.is_instance_of::<PyUntypedArray>()).then_some("object");
    let table = get_array_module(py)?.call_method1(intern!(py, "asarray"), (x, dtype))?;
    let shape = table.cast::<PyUntypedArray>()?.shape().to_vec();
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
    let column = |(index, input)| named(input, &table.get_item((&rows, index))?);
    inputs.iter().enumerate().map(column).collect()
}

/// `x` as the values of `input`, converted to its element type, and a vector to one column where it takes a matrix.
fn named(input: &ValueInfo, x: &Bound<'_, PyAny>) -> PyResult<(String, Value)> {
    let ValueType::Tensor { element, .. } = input.value_type() else {
        return Ok((input.name().into(), value::from_python(input, x)?));
    };
    let py = x.py();
    let dtype = value::dtype(*element).unwrap_or("object");
    let mut array = get_array_module(py)?
        .call_method1(intern!(py, "asarray"), (x, dtype))
        .map_err(|error| {
            InputError::new_err(format!("input {:?}: {}", input.name(), error.value(py)))
        })?;
    let ndim = array.cast::<PyUntypedArray>()?.ndim();
    if ndim == 1 && input.shape().is_some_and(|shape| shape.len() == 2) {
        let column = PyTuple::new(py, [-1, 1])?;
        array = array.call_method1(intern!(py, "reshape"), (column,))?;
    }
    Ok((input.name().into(), value::from_python(input, &array)?))
}
