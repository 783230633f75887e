//! Which outputs a run gives, and where it puts them.

use tract_onnx::prelude::TValue;

use crate::error::Result;
use crate::value::Value;
use crate::value::owned::Filled;
use crate::value::tract::{from_tract, view};
use crate::value::view::TensorView;

/// A tensor that a run gives.
#[derive(Clone)]
pub(crate) enum Answer {
    /// As a node made it.
    Tensor(TValue),
    /// All rows of a batch, which nodes filled.
    Rows(Filled),
}

impl Answer {
    pub(crate) fn view(&self) -> Result<TensorView<'_>> {
        match self {
            Self::Tensor(tensor) => view(tensor),
            Self::Rows(rows) => Ok(rows.view()),
        }
    }

    pub(crate) fn into_value(self) -> Result<Value> {
        match self {
            Self::Tensor(tensor) => from_tract(&tensor),
            Self::Rows(rows) => rows.into_value(),
        }
    }
}
