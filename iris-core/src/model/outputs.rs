//! What a run of a graph gives: tensors that are read where they are.

use std::ops::Range;
use std::sync::Arc;

use tract_onnx::prelude::{DatumType, IntoTValue, TVec, Tensor, tvec};

use crate::error::{Error, ErrorKind, Result};
use crate::model::loaded::Loaded;
use crate::onnx::signature::{ValueInfo, ValueType};
use crate::operator::steps::PerOutput;
use crate::plan::outputs::Answer;
use crate::value::Value;
use crate::value::owned::Filled;
use crate::value::tract::to_value;
use crate::value::view::TensorView;

/// The outputs of [`Model::evaluate`](crate::Model::evaluate), in the order in which they were asked for.
#[derive(Clone)]
pub struct Outputs {
    loaded: Arc<Loaded>,
    /// The index of each output among those of the model.
    indices: TVec<usize>,
    /// The same indices, each of them once.
    distinct: TVec<usize>,
    /// The tensors of the `distinct` outputs, one after the other.
    answers: PerOutput<Answer>,
}

/// So many elements are copied in less time than it takes to hand over their memory.
const FEW_ELEMENTS: usize = 512;

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
        loaded: &Arc<Loaded>,
        indices: TVec<usize>,
        distinct: TVec<usize>,
        mut answers: PerOutput<Answer>,
    ) -> Result<Self> {
        for answer in &mut answers {
            // tract counts in symbolic dimensions where ONNX says int64; at run time they are numbers.
            if let Answer::Tensor(tensor) = answer
                && tensor.datum_type() == DatumType::TDim
            {
                let numbers: Tensor = tensor
                    .cast_to::<i64>()
                    .map_err(|e| Error::new(ErrorKind::Run, e))?
                    .into_owned();
                *tensor = numbers.into_tvalue();
            }
        }
        Ok(Self {
            loaded: Arc::clone(loaded),
            indices,
            distinct,
            answers,
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
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// The one at this place, as [`iter`](Self::iter) gives it, or `None` if there are not as many.
    pub fn get(&self, place: usize) -> Option<(&ValueInfo, Result<Output<'_>>)> {
        let info = self.loaded.outputs.get(*self.indices.get(place)?)?;
        let answers = self
            .answers
            .get(self.answers_of(*self.indices.get(place)?)?);
        let answers = answers.unwrap_or_default();
        Some((info, output(info, answers)))
    }

    /// Moves the output at this place out without a copy, which leaves it empty. Returns `None` for maps, for outputs in memory
    /// that a node of the graph keeps, for outputs that were asked for more than once, and for outputs of up to 512 elements,
    /// where a copy takes less time: read those with [`get`](Self::get).
    pub fn take_rows(&mut self, place: usize) -> Option<Value> {
        let index = *self.indices.get(place)?;
        if self.loaded.outputs.get(index)?.zip_map_classes.is_some() {
            return None;
        }
        if self.indices.iter().filter(|&&other| other == index).count() > 1 {
            return None;
        }
        let answers = self.answers_of(index)?;
        match self.answers.get_mut(answers)? {
            [Answer::Rows(rows)] if rows.view().elements.len() > FEW_ELEMENTS => {
                let element = rows.view().elements.element_type();
                let taken = Filled::empty(element, tvec![0]).ok()?;
                std::mem::replace(rows, taken).into_value().ok()
            }
            _ => None,
        }
    }

    /// Where the answers of the model's output `index` are.
    fn answers_of(&self, index: usize) -> Option<Range<usize>> {
        let tensors = &self.loaded.tensors;
        let at = self.distinct.iter().position(|&output| output == index)?;
        let start = self.distinct[..at].iter().map(|&o| tensors[o].len()).sum();
        Some(start..start + tensors[index].len())
    }
}

fn output<'a>(info: &ValueInfo, answers: &'a [Answer]) -> Result<Output<'a>> {
    match (&info.value_type, answers) {
        (ValueType::Sequence(_), _) if info.zip_map_classes.is_none() => {
            let views = answers.iter().map(Answer::view);
            Ok(Output::Sequence(views.collect::<Result<_>>()?))
        }
        (_, [answer]) => Ok(Output::Tensor(answer.view()?)),
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
