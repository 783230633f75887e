//! Turns the tensors that a graph gives into what an estimator answers.

use ndarray::{Array2, Axis, Ix1, Ix2, Ix3, stack};
use tract_onnx::prelude::TValue;

use crate::error::{Error, ErrorKind, Result};
use crate::guard::memory;
use crate::model::prediction::Prediction;
use crate::plan::outputs::Answer;
use crate::value::Value;
use crate::value::labels::Labels;
use crate::value::tract::{from_tract, view};
use crate::value::view::{Elements, TensorView};

/// The predictions for `n_samples` rows: one a row where there are as many, whatever shape the graph gives them.
pub(crate) fn prediction(answer: Answer, n_samples: usize) -> Result<Prediction> {
    let is_one_each = {
        let TensorView { shape, elements } = answer.view()?;
        elements.len() == n_samples && (n_samples > 0 || matches!(shape, [_] | [_, 1]))
    };
    if !is_one_each {
        return Ok(Prediction::Values(answer.into_value()?));
    }
    Ok(match labels(answer)? {
        Ok(labels) => Prediction::Labels(labels),
        Err(values) => Prediction::Values(values.into_value()?.flattened()),
    })
}

/// The elements, if they may be labels, without an array around them.
fn labels(answer: Answer) -> Result<std::result::Result<Labels, Answer>> {
    let labels = match answer {
        Answer::Rows(rows) => return Ok(rows.into_labels().map_err(Answer::Rows)),
        Answer::Tensor(tensor) => match view(&tensor)?.elements {
            Elements::Int64(labels) => Labels::Int(memory::copied(labels)?),
            Elements::String(labels) => {
                memory::ask_for_copies(labels)?;
                Labels::String(memory::copied(labels)?)
            }
            _ => return Ok(Err(Answer::Tensor(tensor))),
        },
    };
    Ok(Ok(labels))
}

/// A number that scores are answered in.
pub(crate) trait Score: Copy + 'static {
    fn of(value: Value) -> std::result::Result<ndarray::ArrayD<Self>, Value>;
}

impl Score for f32 {
    fn of(value: Value) -> std::result::Result<ndarray::ArrayD<Self>, Value> {
        match value {
            Value::Float(scores) => Ok(scores),
            Value::Double(scores) => Ok(scores.mapv(|score| score as Self)),
            other => Err(other),
        }
    }
}

impl Score for f64 {
    fn of(value: Value) -> std::result::Result<ndarray::ArrayD<Self>, Value> {
        match value {
            Value::Float(scores) => Ok(scores.mapv(Self::from)),
            Value::Double(scores) => Ok(scores),
            other => Err(other),
        }
    }
}

/// Scores `[n_samples, n_columns]`; a vector is one column.
pub(crate) fn matrix<S: Score>(answer: Answer) -> Result<Array2<S>> {
    let scores = S::of(answer.into_value()?).map_err(|value| unexpected(&value))?;
    let scores = if scores.ndim() == 1 {
        scores.insert_axis(Axis(1))
    } else {
        scores
    };
    let shape = scores.shape().to_vec();
    scores
        .into_dimensionality::<Ix2>()
        .map_err(|_| of_shape(&shape))
}

/// Scores of which each column is a vector.
pub(crate) fn matrix_of_columns<S: Score>(
    columns: impl Iterator<Item = Answer>,
) -> Result<Array2<S>> {
    let columns: Vec<_> = columns
        .map(|answer| {
            let column = S::of(answer.into_value()?).map_err(|value| unexpected(&value))?;
            let shape = column.shape().to_vec();
            column
                .into_dimensionality::<Ix1>()
                .map_err(|_| of_shape(&shape))
        })
        .collect::<Result<_>>()?;
    let views: Vec<_> = columns.iter().map(|column| column.view()).collect();
    stack(Axis(1), &views).map_err(|e| Error::new(ErrorKind::Run, e))
}

/// Several matrices: as many tensors, or one `[n_outputs, n_samples, n_classes]`.
pub(crate) fn matrices(tensors: &[TValue]) -> Result<Vec<Array2<f32>>> {
    if let [tensor] = tensors
        && tensor.rank() == 3
    {
        let scores = f32::of(from_tract(tensor)?).map_err(|value| unexpected(&value))?;
        let shape = scores.shape().to_vec();
        let scores = scores
            .into_dimensionality::<Ix3>()
            .map_err(|_| of_shape(&shape))?;
        return Ok(scores
            .outer_iter()
            .map(|scores| scores.to_owned())
            .collect());
    }
    let matrices = tensors.iter().cloned().map(Answer::Tensor);
    matrices.map(matrix).collect()
}

fn unexpected(value: &Value) -> Error {
    let message = format!("unexpected tensor({})", value.element_type());
    Error::new(ErrorKind::Run, message)
}

fn of_shape(shape: &[usize]) -> Error {
    Error::new(ErrorKind::Run, format!("unexpected shape {shape:?}"))
}
