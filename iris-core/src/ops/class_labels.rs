//! The pair of attributes that carries class labels, as integers or as strings.

use tract_onnx::prelude::{DatumType, IntoTValue, TValue, TVec, Tensor, TractResult, tensor1};
use tract_onnx::tract_hir::internal::format_err;

use super::attributes::Attributes;
use crate::Labels;
use crate::error::Result;

/// The labels of a classifier's classes: one or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClassLabels {
    Int(Vec<i64>),
    String(Vec<String>),
}

impl ClassLabels {
    /// Reads `classlabels_strings` or the integers named `ints` (operators differ in that name).
    ///
    /// Where both are given the strings win, as in onnxruntime.
    pub(crate) fn from_attributes(attributes: &mut Attributes<'_>, ints: &str) -> Result<Self> {
        let strings = attributes.strings("classlabels_strings")?;
        let integers = attributes.ints(ints)?;
        if !strings.is_empty() {
            Ok(Self::String(
                strings.into_iter().map(String::from).collect(),
            ))
        } else if !integers.is_empty() {
            Ok(Self::Int(integers.to_vec()))
        } else {
            Err(attributes.invalid(ints, "no class labels, neither integers nor strings"))
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Int(labels) => labels.len(),
            Self::String(labels) => labels.len(),
        }
    }

    pub(crate) fn datum_type(&self) -> DatumType {
        match self {
            Self::Int(_) => DatumType::I64,
            Self::String(_) => DatumType::String,
        }
    }

    /// The labels of `classes`, `[n_samples]`; every class must be below [`len`](Self::len).
    pub(crate) fn pick(&self, classes: &[usize]) -> TractResult<Tensor> {
        match self {
            Self::Int(labels) => {
                let mut tensor = Tensor::zero_aligned::<i64>(&[classes.len()], 8)?;
                let mut view = tensor.try_as_plain_ram_mut()?;
                let slots = view.as_slice_mut::<i64>()?.iter_mut();
                slots
                    .zip(classes)
                    .for_each(|(slot, &class)| *slot = labels[class]);
                Ok(tensor)
            }
            Self::String(labels) => Ok(tensor1(
                &classes
                    .iter()
                    .map(|&class| labels[class].clone())
                    .collect::<Vec<_>>(),
            )),
        }
    }
}

/// The outputs of a classifier, 0 its labels and 1 its scores, in the order in which they are `wanted`.
pub(crate) fn labels_and_scores(
    labels: Tensor,
    scores: Option<Tensor>,
    wanted: &[usize],
) -> TractResult<TVec<TValue>> {
    let (mut labels, mut scores) = (Some(labels), scores);
    let output = |&slot: &usize| {
        let output = if slot == 0 {
            labels.take()
        } else {
            scores.take()
        };
        Ok(output
            .ok_or_else(|| format_err!("a classifier has two outputs, each wanted once"))?
            .into_tvalue())
    };
    wanted.iter().map(output).collect()
}

impl From<ClassLabels> for Labels {
    fn from(labels: ClassLabels) -> Self {
        match labels {
            ClassLabels::Int(labels) => Self::Int(labels),
            ClassLabels::String(labels) => Self::String(labels),
        }
    }
}
