//! What a run of a graph gives: tensors that are read where they are.

use tract_onnx::prelude::{DatumType, IntoTValue, TValue, TVec, Tensor};

use super::{Model, ValueInfo, ValueType};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{TensorView, Value, to_value, view};

/// The outputs of [`Model::evaluate`], in the order in which they were asked for.
#[derive(Clone)]
pub struct Outputs {
    model: Model,
    /// The index of each output.
    indices: TVec<usize>,
    /// The tensors of all of them, one after the other.
    tensors: TVec<TValue>,
}

/// One output.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Output<'a> {
    /// A tensor. Where ZipMap makes maps of it, it is the scores `[n_samples, n_classes]`.
    Tensor(TensorView<'a>),
    /// A sequence of tensors.
    Sequence(Vec<TensorView<'a>>),
}

impl Outputs {
    pub(crate) fn new(
        model: &Model,
        indices: TVec<usize>,
        mut tensors: TVec<TValue>,
    ) -> Result<Self> {
        for tensor in &mut tensors {
            // tract counts in symbolic dimensions where ONNX says int64; at run time they are numbers.
            if tensor.datum_type() == DatumType::TDim {
                let numbers: Tensor = tensor
                    .cast_to::<i64>()
                    .map_err(|e| Error::new(ErrorKind::Run, e))?
                    .into_owned();
                *tensor = numbers.into_tvalue();
            }
        }
        Ok(Self {
            model: model.clone(),
            indices,
            tensors,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// All of them, with what the model says about each.
    ///
    /// # Errors
    /// [`ErrorKind::Run`] if one has elements of a type that no [`Value`] has.
    pub fn iter(&self) -> impl Iterator<Item = (&ValueInfo, Result<Output<'_>>)> {
        let mut start = 0;
        self.indices.iter().map(move |&index| {
            let info = &self.model.outputs()[index];
            let end = start + self.model.loaded.tensors[index].len();
            let tensors = self.tensors.get(start..end).unwrap_or_default();
            start = end;
            (info, output(info, tensors))
        })
    }
}

fn output<'a>(info: &ValueInfo, tensors: &'a [TValue]) -> Result<Output<'a>> {
    match (&info.value_type, tensors) {
        (ValueType::Sequence(_), _) if info.zip_map_classes.is_none() => {
            let views = tensors.iter().map(|tensor| view(tensor));
            Ok(Output::Sequence(views.collect::<Result<_>>()?))
        }
        (_, [tensor]) => Ok(Output::Tensor(view(tensor)?)),
        _ => Err(Error::new(
            ErrorKind::Run,
            format!("output {:?}: no tensor", info.name),
        )),
    }
}

impl Output<'_> {
    /// A copy that is nobody else's.
    pub fn to_value(&self) -> Result<Value> {
        match self {
            Self::Tensor(view) => to_value(view),
            Self::Sequence(views) => {
                let values = views.iter().map(to_value);
                Ok(Value::Sequence(values.collect::<Result<_>>()?))
            }
        }
    }
}
