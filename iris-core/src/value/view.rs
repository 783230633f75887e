//! Tensors that lie in somebody else's memory.

use crate::value::element::ElementType;

/// A tensor as a shape and its elements, row by row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorView<'a> {
    /// Its dimensions.
    pub shape: &'a [usize],
    /// As many elements as its dimensions say.
    pub elements: Elements<'a>,
}

/// The elements of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Elements<'a> {
    /// `tensor(float)`
    Float(&'a [f32]),
    /// `tensor(double)`
    Double(&'a [f64]),
    /// `tensor(int32)`
    Int32(&'a [i32]),
    /// `tensor(int64)`
    Int64(&'a [i64]),
    /// `tensor(int16)`
    Int16(&'a [i16]),
    /// `tensor(uint32)`
    UInt32(&'a [u32]),
    /// `tensor(bool)`
    Bool(&'a [bool]),
    /// `tensor(string)`
    String(&'a [String]),
}

/// Calls `$body` with `$slice` bound to the elements, whatever their type.
macro_rules! with_elements {
    ($elements:expr, $slice:ident => $body:expr) => {
        match $elements {
            Elements::Float($slice) => $body,
            Elements::Double($slice) => $body,
            Elements::Int32($slice) => $body,
            Elements::Int64($slice) => $body,
            Elements::Int16($slice) => $body,
            Elements::UInt32($slice) => $body,
            Elements::Bool($slice) => $body,
            Elements::String($slice) => $body,
        }
    };
}
pub(crate) use with_elements;

impl Elements<'_> {
    /// The type of the elements.
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
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        with_elements!(self, elements => elements.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! from_slice {
    ($($variant:ident, $element:ty);* $(;)?) => {$(
        impl<'a> From<&'a [$element]> for Elements<'a> {
            fn from(elements: &'a [$element]) -> Self {
                Self::$variant(elements)
            }
        }
    )*};
}
from_slice! {
    Float, f32;
    Double, f64;
    Int32, i32;
    Int64, i64;
    Int16, i16;
    UInt32, u32;
    Bool, bool;
    String, String;
}
