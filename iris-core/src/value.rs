//! The tensors that go into and come out of [`Model::run`](crate::Model::run).

mod tract;

pub(crate) use tract::{from_tract, into_tract, labels_from_tract};

use std::fmt;

use ndarray::{Array, ArrayD, Dimension};

/// The element type of a tensor, by its ONNX name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// Truth value.
    Bool,
    /// UTF-8 text.
    String,
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float => "float",
            Self::Double => "double",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Bool => "bool",
            Self::String => "string",
        })
    }
}

/// A tensor of any rank.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `tensor(float)`
    Float(ArrayD<f32>),
    /// `tensor(double)`
    Double(ArrayD<f64>),
    /// `tensor(int32)`
    Int32(ArrayD<i32>),
    /// `tensor(int64)`
    Int64(ArrayD<i64>),
    /// `tensor(bool)`
    Bool(ArrayD<bool>),
    /// `tensor(string)`
    String(ArrayD<String>),
}

/// Calls `$body` with `$array` bound to the array inside `$value`, whatever its element type.
macro_rules! with_array {
    ($value:expr, $array:ident => $body:expr) => {
        match $value {
            Value::Float($array) => $body,
            Value::Double($array) => $body,
            Value::Int32($array) => $body,
            Value::Int64($array) => $body,
            Value::Bool($array) => $body,
            Value::String($array) => $body,
        }
    };
}
use with_array;

impl Value {
    /// The type of its elements.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::Float(_) => ElementType::Float,
            Self::Double(_) => ElementType::Double,
            Self::Int32(_) => ElementType::Int32,
            Self::Int64(_) => ElementType::Int64,
            Self::Bool(_) => ElementType::Bool,
            Self::String(_) => ElementType::String,
        }
    }

    /// Its dimensions.
    pub fn shape(&self) -> &[usize] {
        with_array!(self, array => array.shape())
    }
}

macro_rules! typed_access {
    ($($variant:ident, $element:ty, $borrow:ident, $doc:literal);* $(;)?) => {
        impl Value {
            $(
                #[doc = $doc]
                pub fn $borrow(&self) -> Option<&ArrayD<$element>> {
                    match self {
                        Self::$variant(array) => Some(array),
                        _ => None,
                    }
                }
            )*
        }
        $(
            impl<D: Dimension> From<Array<$element, D>> for Value {
                fn from(array: Array<$element, D>) -> Self {
                    Self::$variant(array.into_dyn())
                }
            }
        )*
    };
}
typed_access! {
    Float, f32, as_float, "The array if its elements are `f32`.";
    Double, f64, as_double, "The array if its elements are `f64`.";
    Int32, i32, as_int32, "The array if its elements are `i32`.";
    Int64, i64, as_int64, "The array if its elements are `i64`.";
    Bool, bool, as_bool, "The array if its elements are `bool`.";
    String, String, as_string, "The array if its elements are strings.";
}
