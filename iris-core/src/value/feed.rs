//! What a caller feeds to an input.

use crate::value::Value;
use crate::value::view::TensorView;

/// What a graph is fed: a value, or a view of a tensor.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Feed<'a> {
    /// A value of any type.
    Value(Value),
    /// A tensor.
    View(TensorView<'a>),
}

impl From<Value> for Feed<'_> {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl<'a> From<TensorView<'a>> for Feed<'a> {
    fn from(view: TensorView<'a>) -> Self {
        Self::View(view)
    }
}

impl Feed<'_> {
    /// Its dimensions, as [`Value::shape`] gives them.
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Value(value) => value.shape(),
            Self::View(view) => view.shape,
        }
    }

    /// It where it lies, if it is a tensor.
    pub(crate) fn view(&self) -> Option<TensorView<'_>> {
        match self {
            Self::Value(value) => value.view(),
            Self::View(view) => Some(*view),
        }
    }

    /// Its type as onnxruntime spells it.
    pub(crate) fn type_name(&self) -> String {
        match self {
            Self::Value(value) => value.type_name(),
            Self::View(view) => format!("tensor({})", view.elements.element_type()),
        }
    }
}
