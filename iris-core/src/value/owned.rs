//! Tensors in memory of our own, for operators to fill and for callers to take over.

use ndarray::ArrayD;
use tract_onnx::prelude::TVec;

use crate::error::{Error, ErrorKind, Result};
use crate::guard::memory;
use crate::value::Value;
use crate::value::element::ElementType;
use crate::value::labels::Labels;
use crate::value::slots::{Slot, Slots};
use crate::value::view::TensorView;

/// A tensor: its dimensions, and as many elements as they say, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Filled {
    shape: TVec<usize>,
    elements: Owned,
}

#[derive(Clone, Debug)]
enum Owned {
    Float(Vec<f32>),
    Double(Vec<f64>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int16(Vec<i16>),
    UInt32(Vec<u32>),
    Bool(Vec<bool>),
    String(Vec<String>),
}

/// Calls `$body` with `$vec` bound to the elements, whatever their type.
macro_rules! with_owned {
    ($elements:expr, $vec:ident => $body:expr) => {
        match $elements {
            Owned::Float($vec) => $body,
            Owned::Double($vec) => $body,
            Owned::Int32($vec) => $body,
            Owned::Int64($vec) => $body,
            Owned::Int16($vec) => $body,
            Owned::UInt32($vec) => $body,
            Owned::Bool($vec) => $body,
            Owned::String($vec) => $body,
        }
    };
}

impl Filled {
    /// A tensor of zeros, or of strings with nothing in them.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(crate) fn empty(element: ElementType, shape: TVec<usize>) -> Result<Self> {
        fn ask<T>(shape: &[usize]) -> Result<usize> {
            let len = shape.iter().product();
            memory::ask(size_of::<T>().saturating_mul(len))?;
            Ok(len)
        }
        let elements = match element {
            ElementType::Float => Owned::Float(vec![0.0; ask::<f32>(&shape)?]),
            ElementType::Double => Owned::Double(vec![0.0; ask::<f64>(&shape)?]),
            ElementType::Int32 => Owned::Int32(vec![0; ask::<i32>(&shape)?]),
            ElementType::Int64 => Owned::Int64(vec![0; ask::<i64>(&shape)?]),
            ElementType::Int16 => Owned::Int16(vec![0; ask::<i16>(&shape)?]),
            ElementType::UInt32 => Owned::UInt32(vec![0; ask::<u32>(&shape)?]),
            ElementType::Bool => Owned::Bool(vec![false; ask::<bool>(&shape)?]),
            ElementType::String => Owned::String(vec![String::new(); ask::<String>(&shape)?]),
        };
        Ok(Self { shape, elements })
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(crate) fn slots(&mut self) -> Slots<'_> {
        with_owned!(&mut self.elements, elements => Slot::slots(elements))
    }

    pub(crate) fn view(&self) -> TensorView<'_> {
        TensorView {
            shape: &self.shape,
            elements: with_owned!(&self.elements, elements => elements.as_slice().into()),
        }
    }

    /// The elements, if they may be labels, or else the tensor as it is.
    pub(crate) fn into_labels(self) -> std::result::Result<Labels, Self> {
        match self.elements {
            Owned::Int64(labels) => Ok(Labels::Int(labels)),
            Owned::String(labels) => Ok(Labels::String(labels)),
            elements => Err(Self { elements, ..self }),
        }
    }

    pub(crate) fn into_value(self) -> Result<Value> {
        with_owned!(self.elements, elements => {
            ArrayD::from_shape_vec(self.shape.as_slice(), elements).map(Value::from)
        })
        .map_err(|e| Error::new(ErrorKind::Run, e))
    }
}
