//! The values of `InferenceSession.run`: NumPy arrays in; arrays, and lists of dictionaries, out.

use iris_core::{
    ElementType, Elements, Feed, Labels, Output, TensorView, Value, ValueInfo, ValueType,
};
use ndarray::{Array1, ArrayD, ArrayView2, ArrayViewD, IxDyn};
use numpy::{
    Element, PyArray, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray,
    PyUntypedArrayMethods, ToPyArray, get_array_module,
};
use pyo3::IntoPyObjectExt;
use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::PyMemoryError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::batch::items;
use crate::error::{InputError, ModelError};
use crate::held::Held;

/// NumPy itself has arrays of up to 64 dimensions, rust-numpy of 32.
const MOST_DIMENSIONS: usize = 32;

/// What Python gives for an input: an array that is read where it lies, or a copy of what is no such array.
pub(crate) enum Given<'py> {
    Float(Held<'py, f32, IxDyn>),
    Double(Held<'py, f64, IxDyn>),
    Int64(Held<'py, i64, IxDyn>),
    Value(Value),
}

impl<'py> Given<'py> {
    /// Reads an array for the input `info`, or a list, which becomes one of its element type.
    ///
    /// iris-core checks the shape.
    pub(crate) fn from_python(info: &ValueInfo, given: &Bound<'py, PyAny>) -> PyResult<Self> {
        match Self::hold(info, given)? {
            Some(held) => Ok(held),
            None => from_python(info, given).map(Self::Value),
        }
    }

    /// The array itself, if it is one of the right type that Rust can read row by row.
    fn hold(info: &ValueInfo, given: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        fn held<'py, T: Element>(
            given: &Bound<'py, PyAny>,
        ) -> PyResult<Option<Held<'py, T, IxDyn>>> {
            match given.cast::<PyArrayDyn<T>>() {
                Ok(array)
                    if array.is_c_contiguous()
                        && array.is_aligned()
                        && array.ndim() <= MOST_DIMENSIONS =>
                {
                    Held::new(array)
                }
                _ => Ok(None),
            }
        }
        Ok(match info.element_type() {
            Some(ElementType::Float) => held(given)?.map(Self::Float),
            Some(ElementType::Double) => held(given)?.map(Self::Double),
            Some(ElementType::Int64) => held(given)?.map(Self::Int64),
            _ => None,
        })
    }

    /// It as iris-core takes it, which can be read without the GIL.
    pub(crate) fn feed(&mut self) -> PyResult<Feed<'_>> {
        fn view<'a, T: Element>(
            array: &'a Held<'_, T, IxDyn>,
            elements: impl FnOnce(&'a [T]) -> Elements<'a>,
        ) -> PyResult<Feed<'a>> {
            let slice = array.as_slice();
            let slice = slice.ok_or_else(|| InputError::new_err("an array changed meanwhile"))?;
            Ok(Feed::View(TensorView {
                shape: array.shape(),
                elements: elements(slice),
            }))
        }
        match self {
            Self::Float(array) => view(array, Elements::Float),
            Self::Double(array) => view(array, Elements::Double),
            Self::Int64(array) => view(array, Elements::Int64),
            Self::Value(value) => {
                let value = std::mem::replace(value, Value::Sequence(Vec::new()));
                Ok(Feed::Value(value))
            }
        }
    }
}

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

/// The truth values of an array, whose bytes NumPy lets be any: all but 0 are true.
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
    given: &Bound<'_, PyAny>,
) -> PyResult<Value> {
    let wrong = |what: &str| expected(info, what);
    let Ok(given) = given.cast::<PyDict>() else {
        return Err(wrong(&given.get_type().name()?.to_string()));
    };
    fn all<'py, T: FromPyObjectOwned<'py, Error = PyErr>>(
        items: &[Bound<'py, PyAny>],
    ) -> PyResult<Vec<T>> {
        items.iter().map(PyAnyMethods::extract).collect()
    }
    // What reads a value may change the dictionary.
    let (keys, values): (Vec<_>, Vec<_>) = given.iter().unzip();
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

fn numbers<T: Element + Copy>(array: &Bound<'_, PyUntypedArray>) -> PyResult<Option<Value>>
where
    Value: From<ArrayD<T>>,
{
    match array.cast::<PyArrayDyn<T>>() {
        Ok(array) => Ok(read(array, |&number| number)?.map(Value::from)),
        Err(_) => Ok(None),
    }
}

/// What `value` makes of each element, for which there may be no room: an array of any size may be made of one number.
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

/// A vector that has room for so many elements.
pub(crate) fn room<T>(len: usize) -> PyResult<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(len)
        .map_err(|error| PyMemoryError::new_err(error.to_string()))?;
    Ok(room)
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

fn text(item: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(bytes) = item.cast::<PyBytes>() {
        return owned(
            str::from_utf8(bytes.as_bytes()).map_err(|e| InputError::new_err(e.to_string()))?,
        );
    }
    owned(item.str()?.to_str()?)
}

/// A copy of a text, for which there may be no room.
fn owned(text: &str) -> PyResult<String> {
    let mut owned = String::new();
    owned
        .try_reserve_exact(text.len())
        .map_err(|error| PyMemoryError::new_err(error.to_string()))?;
    owned.push_str(text);
    Ok(owned)
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
    output: &Output<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    match (output, info.zip_map_classes()) {
        (Output::Tensor(view), None) => tensor(py, view),
        (Output::Tensor(view), Some(classes)) => zip_map(py, info, classes, view),
        (Output::Sequence(views), _) => {
            let list = PyList::empty(py);
            for view in views {
                list.append(tensor(py, view)?)?;
            }
            Ok(list.into_any())
        }
        _ => Err(ModelError::new_err(format!(
            "output {:?}: of no known kind",
            info.name()
        ))),
    }
}

/// A copy of a tensor as an array.
fn tensor<'py>(py: Python<'py>, view: &TensorView<'_>) -> PyResult<Bound<'py, PyAny>> {
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

/// Texts as an array of objects.
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

/// Arrays up to so many elements, for which there is room or for nothing else, are made by NumPy; it panics where there is
/// none, so that larger ones are given memory that was had.
pub(crate) const SMALL: usize = 4096;

/// A vector as an array, which takes over its memory where that is sooner done than to copy it.
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

/// Small arrays of one or two dimensions are most of what there is: their dimensions are not looked at one by one.
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

/// A tensor as an array, which takes over its memory.
pub(crate) fn plain(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
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

/// One dictionary a row, from class label to score.
fn zip_map<'py>(
    py: Python<'py>,
    info: &ValueInfo,
    classes: &Labels,
    view: &TensorView<'_>,
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
    let Elements::Float(scores) = view.elements else {
        return Err(ModelError::new_err(format!(
            "output {:?}: unexpected tensor({})",
            info.name(),
            view.elements.element_type()
        )));
    };
    let n_columns = view.shape.last().copied().unwrap_or(1).max(1);
    let maps = PyList::empty(py);
    // Copies of one dictionary, and floats of NumPy's making: Rust's making of either panics where memory has run out.
    let template = keys.iter().map(|key| (key, 0.0)).into_py_dict(py)?;
    for rows in scores.chunks(MAPS_AT_ONCE * n_columns) {
        let scores = PyArray::from_slice(py, rows).call_method0(intern!(py, "tolist"))?;
        let mut scores = scores.cast_into::<PyList>()?.into_iter();
        for _ in rows.chunks_exact(n_columns) {
            let map = template.copy()?;
            for (index, score) in scores.by_ref().take(n_columns).enumerate() {
                if let Some(key) = keys.get(index) {
                    map.set_item(key, score)?;
                }
            }
            maps.append(map)?;
        }
    }
    Ok(maps.into_any())
}

/// The scores of so many rows become floats at once.
const MAPS_AT_ONCE: usize = 64;
