//! What goes into and comes out of [`Model::run`](crate::Model::run): tensors and maps.

pub(crate) mod element;
pub(crate) mod feed;
pub(crate) mod labels;
pub(crate) mod owned;
pub(crate) mod slots;
pub(crate) mod tensors;
pub(crate) mod tract;
pub(crate) mod view;

use ndarray::{Array, Array1, ArrayD, Dimension};

use crate::value::element::ElementType;
use crate::value::labels::Labels;
use crate::value::view::TensorView;

/// A tensor of any rank, or a map.
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
    /// `tensor(int16)`
    Int16(ArrayD<i16>),
    /// `tensor(uint32)`
    UInt32(ArrayD<u32>),
    /// `tensor(bool)`
    Bool(ArrayD<bool>),
    /// `tensor(string)`
    String(ArrayD<String>),
    /// `map(string,tensor(float))` and the like: a value for each key.
    ///
    /// ```
    /// use iris_core::{Labels, Value};
    /// use ndarray::arr1;
    ///
    /// let keys = Labels::String(vec!["petal".into(), "sepal".into()]);
    /// let values = Box::new(arr1(&[1.4_f32, 5.1]).into());
    /// let value = Value::Map { keys, values };
    /// ```
    Map {
        /// The keys, no two alike.
        keys: Labels,
        /// The values, a tensor `[n_keys]` in the order of the keys.
        values: Box<Value>,
    },
    /// `seq(tensor(float))` and the like: any number of values of one type.
    Sequence(Vec<Value>),
}

/// Calls `$body` with `$array` bound to the array inside `$value`, whatever its element type, or answers for a map.
macro_rules! with_array {
    ($value:expr, $array:ident => $body:expr, $map:pat => $else:expr) => {
        match $value {
            Value::Float($array) => $body,
            Value::Double($array) => $body,
            Value::Int32($array) => $body,
            Value::Int64($array) => $body,
            Value::Int16($array) => $body,
            Value::UInt32($array) => $body,
            Value::Bool($array) => $body,
            Value::String($array) => $body,
            $map => $else,
        }
    };
}
pub(crate) use with_array;

/// The elements of `array`, row by row.
fn into_vec<T: Clone>(array: ArrayD<T>) -> Vec<T> {
    if !array.is_standard_layout() {
        return array.iter().cloned().collect();
    }
    let len = array.len();
    let (mut elements, first) = array.into_raw_vec_and_offset();
    elements.drain(..first.unwrap_or(0));
    elements.truncate(len);
    elements
}

impl Value {
    /// The type of its elements; of a map, that of its values, and of a sequence, that of its first value.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::Float(_) => ElementType::Float,
            Self::Double(_) => ElementType::Double,
            Self::Int32(_) => ElementType::Int32,
            Self::Int64(_) => ElementType::Int64,
            Self::Int16(_) => ElementType::Int16,
            Self::UInt32(_) => ElementType::UInt32,
            Self::Bool(_) => ElementType::Bool,
            Self::String(_) => ElementType::String,
            Self::Map { values, .. } => values.element_type(),
            Self::Sequence(values) => values
                .first()
                .map_or(ElementType::Float, Self::element_type),
        }
    }

    /// Its dimensions; of a map, those of its values, and of a sequence, those of its first value.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::Map { values, .. } => values.shape(),
            Self::Sequence(values) => values.first().map_or(&[], Self::shape),
            tensor => with_array!(tensor, array => array.shape(), _ => &[]),
        }
    }

    /// It where it lies, if it is a tensor.
    pub(crate) fn view(&self) -> Option<TensorView<'_>> {
        with_array!(self, array => Some(TensorView {
            shape: array.shape(),
            elements: array.as_slice()?.into(),
        }), _ => None)
    }

    /// The same elements in one dimension; maps and sequences stay what they are.
    pub(crate) fn flattened(self) -> Self {
        with_array!(self, array => Array1::from_vec(into_vec(array)).into(), other => other)
    }

    /// Its type as onnxruntime spells it.
    pub(crate) fn type_name(&self) -> String {
        match self {
            Self::Map { keys, values } => {
                let key = ElementType::of_labels(keys);
                format!("map({key},{})", values.type_name())
            }
            Self::Sequence(values) => {
                format!(
                    "seq({})",
                    values.first().map_or_else(String::new, Self::type_name)
                )
            }
            tensor => format!("tensor({})", tensor.element_type()),
        }
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
    Int16, i16, as_int16, "The array if its elements are `i16`.";
    UInt32, u32, as_uint32, "The array if its elements are `u32`.";
    Bool, bool, as_bool, "The array if its elements are `bool`.";
    String, String, as_string, "The array if its elements are strings.";
}
