//! The values that `InferenceSession.run` is fed: an array of the right type is read where it lies, all else is copied.

use iris_core::{ElementType, Elements, Feed, TensorView, Value, ValueInfo};
use ndarray::IxDyn;
use numpy::{Element, PyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::input::held::Held;
use crate::input::value::{self, MOST_DIMENSIONS};
use crate::interpreter::error::InputError;

/// The value of one input: an array that is read where it lies, or a copy of anything else.
pub(crate) enum InputValue<'py> {
    Float(Held<'py, f32, IxDyn>),
    Double(Held<'py, f64, IxDyn>),
    Int64(Held<'py, i64, IxDyn>),
    Value(Value),
}

impl<'py> InputValue<'py> {
    /// Reads the value `x` for the input `info`. iris-core checks its shape.
    pub(crate) fn from_python(info: &ValueInfo, x: &Bound<'py, PyAny>) -> PyResult<Self> {
        match Self::hold(info, x)? {
            Some(held) => Ok(held),
            None => value::from_python(info, x).map(Self::Value),
        }
    }

    /// The array that `x` is, if it has the right type and Rust can read it row by row.
    fn hold(info: &ValueInfo, x: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        fn held<'py, T: Element>(x: &Bound<'py, PyAny>) -> PyResult<Option<Held<'py, T, IxDyn>>> {
            match x.cast::<PyArrayDyn<T>>() {
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
            Some(ElementType::Float) => held(x)?.map(Self::Float),
            Some(ElementType::Double) => held(x)?.map(Self::Double),
            Some(ElementType::Int64) => held(x)?.map(Self::Int64),
            _ => None,
        })
    }

    /// The value as iris-core takes it, which can be read without the GIL. A copy is handed over, and is gone then.
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
