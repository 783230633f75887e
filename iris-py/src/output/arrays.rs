//! NumPy's arrays of iris-core's tensors.

use iris_core::{Elements, TensorView, Value};
use ndarray::{ArrayD, ArrayView2, ArrayViewD};
use numpy::{Element, PyArray, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::interpreter::error::ModelError;
use crate::interpreter::memory::room;

/// A copy of a tensor as an array; of texts, as an array of `str` objects.
pub(crate) fn view_to_python<'py>(
    py: Python<'py>,
    view: &TensorView<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = view.shape;
    Ok(match view.elements {
        Elements::Float(elements) => numbers_to_python(py, shape, elements)?,
        Elements::Double(elements) => numbers_to_python(py, shape, elements)?,
        Elements::Int32(elements) => numbers_to_python(py, shape, elements)?,
        Elements::Int64(elements) => numbers_to_python(py, shape, elements)?,
        Elements::Int16(elements) => numbers_to_python(py, shape, elements)?,
        Elements::UInt32(elements) => numbers_to_python(py, shape, elements)?,
        Elements::Bool(elements) => numbers_to_python(py, shape, elements)?,
        Elements::String(elements) => texts_to_python(py, shape, elements.iter())?,
        other => {
            let what = format!("tensor({}) has no NumPy type", other.element_type());
            return Err(ModelError::new_err(what));
        }
    })
}

/// Texts as an array of `str` objects.
pub(crate) fn texts_to_python<'py, 'a>(
    py: Python<'py>,
    shape: &[usize],
    texts: impl ExactSizeIterator<Item = &'a String>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut objects = room(texts.len())?;
    for text in texts {
        objects.push(
            PyString::from_bytes(py, text.as_bytes())?
                .into_any()
                .unbind(),
        );
    }
    let objects = ArrayD::from_shape_vec(shape, objects);
    let objects = objects.map_err(|e| ModelError::new_err(e.to_string()))?;
    Ok(PyArray::from_owned_object_array(py, objects).into_any())
}

/// The most elements of an array that NumPy allocates itself. rust-numpy panics where it cannot, so that larger arrays are made
/// of memory that Rust has asked for and got; 4096 elements are at most 32 KiB, without which nothing else would work either.
pub(crate) const SMALL: usize = 4096;

/// A vector as an array. A long vector is not copied: the array takes over its memory.
pub(crate) fn vec_to_python<T: Element + Copy>(
    py: Python<'_>,
    elements: Vec<T>,
) -> Bound<'_, PyAny> {
    if elements.len() > SMALL {
        PyArray::from_vec(py, elements).into_any()
    } else {
        PyArray::from_slice(py, &elements).into_any()
    }
}

/// A copy of numbers as an array. Small arrays of one or two dimensions, which most answers are, are made without arrays of
/// any number of dimensions, which take longer to make.
fn numbers_to_python<'py, T: Element + Copy>(
    py: Python<'py>,
    shape: &[usize],
    elements: &[T],
) -> PyResult<Bound<'py, PyAny>> {
    let wrong = |e: ndarray::ShapeError| ModelError::new_err(e.to_string());
    if elements.len() > SMALL {
        let mut copied = room(elements.len())?;
        copied.extend_from_slice(elements);
        let array = ArrayD::from_shape_vec(shape, copied).map_err(wrong)?;
        return Ok(array_to_python(py, array));
    }
    Ok(match *shape {
        [_] => PyArray::from_slice(py, elements).into_any(),
        [rows, columns] => ArrayView2::from_shape((rows, columns), elements)
            .map_err(wrong)?
            .to_pyarray(py)
            .into_any(),
        _ => ArrayViewD::from_shape(shape, elements)
            .map_err(wrong)?
            .to_pyarray(py)
            .into_any(),
    })
}

/// A tensor as an array, which takes over the tensor's memory; texts become `str` objects.
pub(crate) fn tensor_to_python(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Float(array) => array_to_python(py, array),
        Value::Double(array) => array_to_python(py, array),
        Value::Int32(array) => array_to_python(py, array),
        Value::Int64(array) => array_to_python(py, array),
        Value::Int16(array) => array_to_python(py, array),
        Value::UInt32(array) => array_to_python(py, array),
        Value::Bool(array) => array_to_python(py, array),
        Value::String(array) => texts_to_python(py, array.shape(), array.iter())?,
        other => {
            let what = format!("unexpected {}", other.element_type());
            return Err(ModelError::new_err(what));
        }
    })
}

fn array_to_python<T: Element>(py: Python<'_>, array: ArrayD<T>) -> Bound<'_, PyAny> {
    PyArray::from_owned_array(py, array).into_any()
}
