//! The types of elements that values have.

use std::fmt;

use crate::value::labels::Labels;

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
    /// 16-bit signed integer, as `LabelEncoder` may give it.
    Int16,
    /// 32-bit unsigned integer, as `MurmurHash3` gives it.
    UInt32,
    /// Truth value.
    Bool,
    /// UTF-8 text.
    String,
}

impl ElementType {
    pub(crate) fn of_labels(labels: &Labels) -> Self {
        match labels {
            Labels::Int(_) => Self::Int64,
            Labels::String(_) => Self::String,
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float => "float",
            Self::Double => "double",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Int16 => "int16",
            Self::UInt32 => "uint32",
            Self::Bool => "bool",
            Self::String => "string",
        })
    }
}
