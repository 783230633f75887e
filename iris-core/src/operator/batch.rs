//! The samples of a tensor `[n_samples, n_features]`.

use tract_onnx::prelude::{DatumType, Tensor, ToDim, TractResult};

use crate::error::{Error, Result};
use crate::kernels::lanes::Numbers;
use crate::operator::facts;
use crate::value::view::{Elements, TensorView};

/// Numbers `[n_samples, n_features]`.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) numbers: Numbers<'a>,
    pub(crate) n_samples: usize,
    pub(crate) n_features: usize,
}

impl<'a> Batch<'a> {
    /// The only input of an operator; a vector is one sample.
    pub(crate) fn only(inputs: &[TensorView<'a>]) -> Result<Self> {
        let [x] = inputs else {
            return Err(Error::input(format!("{} inputs, expected 1", inputs.len())));
        };
        let (n_samples, n_features) = facts::samples("X", x.shape)?;
        let element = x.elements.element_type();
        Ok(Self {
            numbers: Numbers::of_view(x)
                .ok_or_else(|| Error::input(format!("input X: expected numbers, got {element}")))?,
            n_samples,
            n_features,
        })
    }

    /// The samples of the only input; checks that a sample has `n_features` features.
    pub(crate) fn of(inputs: &[TensorView<'a>], n_features: usize) -> Result<Self> {
        let batch = Self::only(inputs)?;
        if batch.n_features != n_features {
            facts::check_features("X", &batch.n_features.to_dim(), n_features)?;
        }
        Ok(batch)
    }
}

impl<'a> Numbers<'a> {
    /// The elements of `tensor`, which is of float, double, int32 or int64.
    pub(crate) fn of(tensor: &'a Tensor) -> TractResult<Self> {
        let plain = tensor.try_as_plain_ram()?;
        Ok(match plain.datum_type() {
            DatumType::F32 => Self::Float(plain.as_slice()?),
            DatumType::F64 => Self::Double(plain.as_slice()?),
            DatumType::I32 => Self::Int32(plain.as_slice()?),
            _ => Self::Int64(plain.as_slice()?),
        })
    }

    /// The numbers of a view, if they are of a type that ai.onnx.ml operators take.
    pub(crate) fn of_view(view: &TensorView<'a>) -> Option<Self> {
        match view.elements {
            Elements::Float(x) => Some(Self::Float(x)),
            Elements::Double(x) => Some(Self::Double(x)),
            Elements::Int32(x) => Some(Self::Int32(x)),
            Elements::Int64(x) => Some(Self::Int64(x)),
            _ => None,
        }
    }

    pub(crate) fn datum_type(self) -> DatumType {
        match self {
            Self::Float(_) => DatumType::F32,
            Self::Double(_) => DatumType::F64,
            Self::Int32(_) => DatumType::I32,
            Self::Int64(_) => DatumType::I64,
        }
    }
}
