//! The pair of attributes that carries class labels, as integers or as strings.

use tract_onnx::prelude::{DatumType, TractResult};
use tract_onnx::tract_hir::internal::bail;

use crate::error::Result;
use crate::guard::memory;
use crate::onnx::attributes::Attributes;
use crate::operator;
use crate::operator::Layout;
use crate::value::labels::Labels;
use crate::value::slots::Slots;

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

    /// What a classifier gives: its output 0 are the labels `[n_samples]`, 1 the scores `[n_samples, n_scores]`, float.
    pub(crate) fn layout(&self, output: usize, scores: [usize; 2]) -> TractResult<Layout> {
        match (output, self) {
            (0, Self::Int(_)) => Ok(Layout::new::<i64>(&scores[..1])),
            (0, Self::String(_)) => Ok(Layout::new::<String>(&scores[..1])),
            (1, _) => Ok(Layout::new::<f32>(&scores)),
            _ => Err(operator::missing(output)),
        }
    }

    /// Puts the labels of `classes`, `[n_samples]`, into `slots`, if they are wanted; every class must be below
    /// [`len`](Self::len).
    pub(crate) fn put(&self, classes: &[usize], slots: &mut Option<Slots<'_>>) -> TractResult<()> {
        match self {
            Self::Int(labels) => {
                let slots = operator::wanted::<i64>(slots)?.into_iter().flatten();
                slots
                    .zip(classes)
                    .for_each(|(slot, &class)| *slot = labels[class]);
            }
            Self::String(labels) => {
                memory::ask_for_texts(classes.iter().map(|&class| labels[class].len()))?;
                let slots = operator::wanted::<String>(slots)?.into_iter().flatten();
                slots
                    .zip(classes)
                    .for_each(|(slot, &class)| slot.clone_from(&labels[class]));
            }
        }
        Ok(())
    }
}

/// The outputs of a classifier: 0 its labels, and 1 its scores if they are wanted.
pub(crate) fn labels_and_scores<'o, 'y>(
    outputs: &'o mut [Option<Slots<'y>>],
) -> TractResult<(&'o mut Option<Slots<'y>>, Option<&'y mut [f32]>)> {
    let [labels, scores] = outputs else {
        bail!("a classifier has two outputs");
    };
    Ok((labels, operator::wanted(scores)?))
}

impl From<ClassLabels> for Labels {
    fn from(labels: ClassLabels) -> Self {
        match labels {
            ClassLabels::Int(labels) => Self::Int(labels),
            ClassLabels::String(labels) => Self::String(labels),
        }
    }
}
