//! The values of `InferenceSession.run`: NumPy arrays in; arrays, and lists of dictionaries, out.

use iris_core::{ElementType, Labels, Value, ValueInfo, ValueType};
use ndarray::{Array1, ArrayD};
use numpy::{
    Element, PyArray, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods, get_array_module,
};
use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::error::{InputError, ModelError};

/// NumPy itself has arrays of up to 64 dimensions, rust-numpy of 32.
const MOST_DIMENSIONS: usize = 32;

/// Reads an array for the input `info`, or a list, which becomes one of its element type.
///
/// iris-core checks the shape.
pub(crate) fn from_python(info: &ValueInfo, given: &Bound<'_, PyAny>) -> PyResult<Value> {
    let element = match info.value_type() {
        ValueType::Tensor { element, .. } => *element,
        ValueType::Map { key, value } => return map_from_python(info, *key, *value, given),
        _ => return Err(expected(info, &given.get_type().name()?.to_string())),
    };
    let array = match given.cast::<PyUntypedArray>() {
        Ok(array) => array.clone(),
        Err(_) => as_array(info, element, given)?,
    };
    if array.ndim() > MOST_DIMENSIONS {
        return Err(expected(info, &format!("{} dimensions", array.ndim())));
    }
    let array = native(array)?;
    let value = match element {
        ElementType::Float => numbers::<f32>(&array),
        ElementType::Double => numbers::<f64>(&array),
        ElementType::Int32 => numbers::<i32>(&array),
        ElementType::Int64 => numbers::<i64>(&array),
        ElementType::UInt32 => numbers::<u32>(&array),
        ElementType::Bool => numbers::<bool>(&array),
        ElementType::String => strings(&array)?,
        _ => None,
    };
    value.ok_or_else(|| expected(info, &onnx_type(&array)))
}

/// Reads a dictionary for an input that is a map.
fn map_from_python(
    info: &ValueInfo,
    key: ElementType,
    value: ElementType,
    given: &Bound<'_, PyAny>,
) -> PyResult<Value> {
    let wrong = |what: &str| expected(info, what);
    let Ok(given) = given.cast::<PyDict>() else {
        return Err(wrong(&given.get_type().name()?.to_string()));
    };
    let (keys, values) = (given.keys(), given.values());
    let keys = match key {
        ElementType::Int64 => keys.extract().map(Labels::Int),
        _ => keys.extract().map(Labels::String),
    };
    let values = match value {
        ElementType::Float => values.extract().map(|v: Vec<f32>| Array1::from(v).into()),
        ElementType::Double => values.extract().map(|v: Vec<f64>| Array1::from(v).into()),
        ElementType::Int64 => values.extract().map(|v: Vec<i64>| Array1::from(v).into()),
        _ => values
            .extract()
            .map(|v: Vec<String>| Array1::from(v).into()),
    };
    match (keys, values) {
        (Ok(keys), Ok(values)) => {
            let values = Box::new(values);
            Ok(Value::Map { keys, values })
        }
        (Err(error), _) => Err(wrong(&format!("other keys: {}", error.value(given.py())))),
        (_, Err(error)) => Err(wrong(&format!("other values: {}", error.value(given.py())))),
    }
}

fn as_array<'py>(
    info: &ValueInfo,
    element: ElementType,
    given: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = given.py();
    let is_list = given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>();
    if !is_list && !given.hasattr(intern!(py, "__array__"))? {
        return Err(expected(info, &given.get_type().name()?.to_string()));
    }
    let array = get_array_module(py)?.call_method1(intern!(py, "asarray"), (given,));
    let array = match dtype(element) {
        Some(dtype) if is_list => {
            let options = [("casting", "same_kind")].into_py_dict(py)?;
            array.and_then(|array| array.call_method("astype", (dtype,), Some(&options)))
        }
        _ => array,
    };
    let array = array.map_err(|error| {
        expected(
            info,
            &format!("a list that is not one: {}", error.value(py)),
        )
    })?;
    Ok(array.cast_into()?)
}

/// NumPy's name for the type of numbers.
pub(crate) fn dtype(element: ElementType) -> Option<&'static str> {
    match element {
        ElementType::Float => Some("float32"),
        ElementType::Double => Some("float64"),
        ElementType::Int32 => Some("int32"),
        ElementType::Int64 => Some("int64"),
        ElementType::Bool => Some("bool"),
        _ => None,
    }
}

/// The array with its numbers where and in the byte order in which Rust can read them.
fn native(array: Bound<'_, PyUntypedArray>) -> PyResult<Bound<'_, PyUntypedArray>> {
    let dtype = array.dtype();
    if array.is_aligned() && dtype.is_native_byteorder() != Some(false) {
        return Ok(array);
    }
    let dtype = dtype.call_method1("newbyteorder", ("=",))?;
    Ok(array.call_method1("astype", (dtype,))?.cast_into()?)
}

fn numbers<T: Element + Clone>(array: &Bound<'_, PyUntypedArray>) -> Option<Value>
where
    Value: From<ArrayD<T>>,
{
    Some(
        array
            .cast::<PyArrayDyn<T>>()
            .ok()?
            .try_readonly()
            .ok()?
            .as_array()
            .to_owned()
            .into(),
    )
}

/// The strings of an array of str, bytes or objects; objects that are neither become what `str` makes of them.
fn strings(array: &Bound<'_, PyUntypedArray>) -> PyResult<Option<Value>> {
    if !matches!(array.dtype().kind(), b'O' | b'U' | b'S') {
        return Ok(None);
    }
    let objects = array.call_method1("astype", ("object",))?;
    let objects = objects.cast::<PyArrayDyn<Py<PyAny>>>()?.try_readonly()?;
    let shape = objects.shape().to_vec();
    let texts = objects
        .as_array()
        .iter()
        .map(|item| text(item.bind(array.py())))
        .collect::<PyResult<Vec<_>>>()?;
    Ok(ArrayD::from_shape_vec(shape, texts).ok().map(Value::from))
}

fn text(item: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = item.cast::<PyBytes>() {
        return str::from_utf8(bytes.as_bytes())
            .map(Into::into)
            .map_err(|e| InputError::new_err(e.to_string()));
    }
    Ok(item.str()?.to_str()?.into())
}

fn expected(info: &ValueInfo, given: &str) -> PyErr {
    InputError::new_err(format!(
        "input {:?}: expected {}, got {given}",
        info.name(),
        info.value_type()
    ))
}

/// The type of an array as ONNX names it.
fn onnx_type(array: &Bound<'_, PyUntypedArray>) -> String {
    let dtype = array.dtype();
    match (dtype.kind(), dtype.itemsize()) {
        (b'f', 4) => "tensor(float)".into(),
        (b'f', 8) => "tensor(double)".into(),
        (b'O' | b'U' | b'S', _) => "tensor(string)".into(),
        _ => format!("tensor({dtype})"),
    }
}

/// The output `info` as Python has it.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    info: &ValueInfo,
    value: Value,
) -> PyResult<Bound<'py, PyAny>> {
    match info.zip_map_classes() {
        Some(classes) => zip_map(py, info, classes, &value),
        None => plain(py, value).map_err(|value| unsupported(info, &value)),
    }
}

/// A value with nothing to be said about it as Python has it, or the value itself if Python has no such thing.
pub(crate) fn plain(py: Python<'_>, value: Value) -> Result<Bound<'_, PyAny>, Value> {
    Ok(match value {
        Value::Float(array) => array_to_python(py, array),
        Value::Double(array) => array_to_python(py, array),
        Value::Int32(array) => array_to_python(py, array),
        Value::Int64(array) => array_to_python(py, array),
        Value::UInt32(array) => array_to_python(py, array),
        Value::Bool(array) => array_to_python(py, array),
        Value::String(array) => {
            let objects = array.map(|text| PyString::new(py, text).into_any().unbind());
            PyArray::from_owned_object_array(py, objects).into_any()
        }
        Value::Sequence(values) => {
            let values = values.into_iter().map(|value| plain(py, value));
            let values: Vec<_> = values.collect::<Result<_, _>>()?;
            match PyList::new(py, values) {
                Ok(list) => list.into_any(),
                Err(_) => return Err(Value::Sequence(Vec::new())),
            }
        }
        other => return Err(other),
    })
}

fn array_to_python<T: Element>(py: Python<'_>, array: ArrayD<T>) -> Bound<'_, PyAny> {
    PyArray::from_owned_array(py, array).into_any()
}

/// One dictionary a row, from class label to score.
fn zip_map<'py>(
    py: Python<'py>,
    info: &ValueInfo,
    classes: &Labels,
    value: &Value,
) -> PyResult<Bound<'py, PyAny>> {
    let keys: Vec<Bound<'py, PyAny>> = match classes {
        Labels::Int(labels) => labels
            .iter()
            .map(|label| label.into_bound_py_any(py))
            .collect::<PyResult<_>>()?,
        Labels::String(labels) => labels
            .iter()
            .map(|label| label.into_bound_py_any(py))
            .collect::<PyResult<_>>()?,
        _ => Vec::new(),
    };
    let maps = PyList::empty(py);
    let Some(scores) = value.as_float() else {
        return Err(unsupported(info, value));
    };
    for row in scores.rows() {
        let map = PyDict::new(py);
        for (key, score) in keys.iter().zip(row) {
            map.set_item(key, score)?;
        }
        maps.append(map)?;
    }
    Ok(maps.into_any())
}

fn unsupported(info: &ValueInfo, value: &Value) -> PyErr {
    ModelError::new_err(format!(
        "output {:?}: unexpected tensor({})",
        info.name(),
        value.element_type()
    ))
}
