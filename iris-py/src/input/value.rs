//! Copies a value that Python gives for one input: an array, a list, or a dictionary for an input that is a map.
//!
//! Arrays must have the element type of the input; lists are converted to it.

use iris_core::{ElementType, Labels, Value, ValueInfo, ValueType};
use ndarray::{Array1, ArrayD};
use numpy::{
    Element, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods, get_array_module,
};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList, PyTuple};

use crate::input::numpy_cast::items;
use crate::interpreter::error::InputError;
use crate::interpreter::memory::{copied, room};

/// The most dimensions of an array that rust-numpy can read; NumPy itself has arrays of up to 64.
pub(crate) const MOST_DIMENSIONS: usize = 32;

/// Reads the value `x` for the input `info`. iris-core checks its shape.
pub(crate) fn from_python(info: &ValueInfo, x: &Bound<'_, PyAny>) -> PyResult<Value> {
    let element = match info.value_type() {
        ValueType::Tensor { element, .. } => *element,
        ValueType::Map { key, value } => return map_from_python(info, *key, *value, x),
        _ => return Err(expected(info, &x.get_type().name()?.to_string())),
    };
    let array = match x.cast::<PyUntypedArray>() {
        Ok(array) => array.clone(),
        Err(_) => as_array(info, element, x)?,
    };
    if array.ndim() > MOST_DIMENSIONS {
        return Err(expected(info, &format!("{} dimensions", array.ndim())));
    }
    let array = native(array)?;
    let value = match element {
        ElementType::Float => numbers::<f32>(&array)?,
        ElementType::Double => numbers::<f64>(&array)?,
        ElementType::Int32 => numbers::<i32>(&array)?,
        ElementType::Int64 => numbers::<i64>(&array)?,
        ElementType::Int16 => numbers::<i16>(&array)?,
        ElementType::UInt32 => numbers::<u32>(&array)?,
        ElementType::Bool => truths(&array)?,
        ElementType::String => strings(&array)?,
        _ => None,
    };
    value.ok_or_else(|| expected(info, &onnx_type(&array)))
}

/// The truth values of an array. Their bytes may be any in NumPy, not only 0 and 1: all but 0 are true.
fn truths(array: &Bound<'_, PyUntypedArray>) -> PyResult<Option<Value>> {
    if array.dtype().kind() != b'b' {
        return Ok(None);
    }
    let array = get_array_module(array.py())?.call_method1("asarray", (array,))?;
    let bytes = array.call_method1("view", ("uint8",))?;
    Ok(read(bytes.cast()?, |&byte: &u8| byte != 0)?.map(Value::from))
}

/// Reads a dictionary for an input that is a map.
fn map_from_python(
    info: &ValueInfo,
    key: ElementType,
    value: ElementType,
    x: &Bound<'_, PyAny>,
) -> PyResult<Value> {
    let wrong = |what: &str| expected(info, what);
    let Ok(entries) = x.cast::<PyDict>() else {
        return Err(wrong(&x.get_type().name()?.to_string()));
    };
    fn all<'py, T: FromPyObjectOwned<'py, Error = PyErr>>(
        items: &[Bound<'py, PyAny>],
    ) -> PyResult<Vec<T>> {
        items.iter().map(PyAnyMethods::extract).collect()
    }
    // Reading a value may run code that changes the dictionary, so that all are taken out before.
    let (keys, values): (Vec<_>, Vec<_>) = entries.iter().unzip();
    let keys = match key {
        ElementType::Int64 => all(&keys).map(Labels::Int),
        _ => all(&keys).map(Labels::String),
    };
    let values = match value {
        ElementType::Float => all::<f32>(&values).map(|v| Array1::from(v).into()),
        ElementType::Double => all::<f64>(&values).map(|v| Array1::from(v).into()),
        ElementType::Int64 => all::<i64>(&values).map(|v| Array1::from(v).into()),
        _ => all::<String>(&values).map(|v| Array1::from(v).into()),
    };
    match (keys, values) {
        (Ok(keys), Ok(values)) => {
            let values = Box::new(values);
            Ok(Value::Map { keys, values })
        }
        (Err(error), _) => Err(wrong(&format!("other keys: {}", error.value(x.py())))),
        (_, Err(error)) => Err(wrong(&format!("other values: {}", error.value(x.py())))),
    }
}

/// The array that NumPy makes of `x`, which is a list or has `__array__`; of a list, with the element type of the input.
fn as_array<'py>(
    info: &ValueInfo,
    element: ElementType,
    x: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = x.py();
    let is_list = x.is_instance_of::<PyList>() || x.is_instance_of::<PyTuple>();
    if !is_list && !x.hasattr(intern!(py, "__array__"))? {
        return Err(expected(info, &x.get_type().name()?.to_string()));
    }
    let array = get_array_module(py)?.call_method1(intern!(py, "asarray"), (x,));
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

/// NumPy's name for an element type that lists can be converted to.
fn dtype(element: ElementType) -> Option<&'static str> {
    match element {
        ElementType::Float => Some("float32"),
        ElementType::Double => Some("float64"),
        ElementType::Int32 => Some("int32"),
        ElementType::Int64 => Some("int64"),
        ElementType::Bool => Some("bool"),
        _ => None,
    }
}

/// The array, or a copy of it that is aligned and in the byte order of the machine, so that Rust can read it.
fn native(array: Bound<'_, PyUntypedArray>) -> PyResult<Bound<'_, PyUntypedArray>> {
    let dtype = array.dtype();
    if array.is_aligned() && dtype.is_native_byteorder() != Some(false) {
        return Ok(array);
    }
    let dtype = dtype.call_method1("newbyteorder", ("=",))?;
    Ok(array.call_method1("astype", (dtype,))?.cast_into()?)
}

/// A copy of an array, if its elements are of type `T`.
fn numbers<T: Element + Copy>(array: &Bound<'_, PyUntypedArray>) -> PyResult<Option<Value>>
where
    Value: From<ArrayD<T>>,
{
    match array.cast::<PyArrayDyn<T>>() {
        Ok(array) => Ok(read(array, |&number| number)?.map(Value::from)),
        Err(_) => Ok(None),
    }
}

/// A copy of an array, with what `value` makes of each element. There may be no room for it: NumPy makes arrays of any size of
/// one number.
fn read<T: Element, V>(
    array: &Bound<'_, PyArrayDyn<T>>,
    value: impl Fn(&T) -> V,
) -> PyResult<Option<ArrayD<V>>> {
    let Ok(array) = array.try_readonly() else {
        return Ok(None);
    };
    let array = array.as_array();
    let mut values = room(array.len())?;
    match array.as_slice() {
        Some(slice) => values.extend(slice.iter().map(value)),
        None => values.extend(array.iter().map(value)),
    }
    Ok(ArrayD::from_shape_vec(array.shape(), values).ok())
}

/// The strings of an array of str, bytes or objects; objects that are neither become what `str` makes of them.
fn strings(array: &Bound<'_, PyUntypedArray>) -> PyResult<Option<Value>> {
    if !matches!(array.dtype().kind(), b'O' | b'U' | b'S') {
        return Ok(None);
    }
    let shape = array.shape().to_vec();
    let items = items(array)?;
    let mut texts = room(items.len())?;
    for item in items.iter() {
        texts.push(text(&item)?);
    }
    Ok(ArrayD::from_shape_vec(shape, texts).ok().map(Value::from))
}

/// The text of one item of an array of strings.
fn text(item: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = item.cast::<PyBytes>() {
        return copied(
            str::from_utf8(bytes.as_bytes()).map_err(|e| InputError::new_err(e.to_string()))?,
        );
    }
    copied(item.str()?.to_str()?)
}

/// The error for an input that takes something else than it got.
fn expected(info: &ValueInfo, got: &str) -> PyErr {
    InputError::new_err(format!(
        "input {:?}: expected {}, got {got}",
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
