//! Turns the rows of a batch into the tensor that a model's only input takes.

use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::{Datum, Tensor};

use super::signature::{Dimension, ValueInfo, ValueType, is_too_large};
use crate::Rows;
use crate::error::{Error, Result};
use crate::ops::{ML_DOMAIN, ONNX_DOMAIN, is_operator};
use crate::rows::Element;
use crate::value::ElementType;

/// The input of a model that takes one 2-D batch of numbers.
#[derive(Debug)]
pub(crate) struct Batch {
    name: String,
    element: ElementType,
    pub(crate) n_features: Option<usize>,
    /// Whether NaN and infinities mean something to the model.
    takes_missing: bool,
}

/// Operators to which a missing value is a value, as it is to the scikit-learn estimators they come from.
const MISSING_VALUE_OPERATORS: [(&str, &str); 6] = [
    (ML_DOMAIN, "Imputer"),
    (ML_DOMAIN, "TreeEnsemble"),
    (ML_DOMAIN, "TreeEnsembleClassifier"),
    (ML_DOMAIN, "TreeEnsembleRegressor"),
    (ONNX_DOMAIN, "IsNaN"),
    (ONNX_DOMAIN, "IsInf"),
];

/// What any allocation has anyway: asking for more takes longer, and small tensors gain nothing by it.
const ALIGNMENT: usize = 16;

impl Batch {
    pub(crate) fn new(inputs: &[ValueInfo], graph: &GraphProto) -> Result<Self> {
        let [input] = inputs else {
            let names = super::names(inputs);
            return Err(Error::input(format!(
                "the model takes {} inputs ({names}), a batch is only one: run the graph on named values",
                inputs.len()
            )));
        };
        let ValueType::Tensor { element, shape } = &input.value_type else {
            return Err(Error::input(format!(
                "input {:?}: not a tensor",
                input.name
            )));
        };
        if matches!(element, ElementType::Bool | ElementType::String) {
            return Err(Error::input(format!(
                "input {:?}: a batch is made of numbers, the model takes {}: run the graph on named values",
                input.name, input.value_type
            )));
        }
        let n_features = match shape.as_deref() {
            None | Some([_, Dimension::Named(_) | Dimension::Unknown]) => None,
            Some(&[_, Dimension::Fixed(n_features)]) => Some(n_features),
            Some(other) => {
                return Err(Error::input(format!(
                    "input {:?}: a batch has 2 dimensions, the model takes {}: run the graph on named values",
                    input.name,
                    other.len()
                )));
            }
        };
        let takes_missing = graph.node.iter().any(|node| {
            MISSING_VALUE_OPERATORS
                .iter()
                .any(|(domain, op_type)| is_operator(node, domain, op_type))
        });
        Ok(Self {
            name: input.name.clone(),
            element: *element,
            n_features,
            takes_missing,
        })
    }

    /// Converts `rows` to the model's input type, `[n_samples, n_features]`.
    pub(crate) fn tensor<R: Rows>(&self, rows: &R) -> Result<Tensor> {
        let n_samples = rows.n_samples();
        let n_features = match (self.n_features, rows.fixed_width()) {
            (Some(n_features), _) | (None, Some(n_features)) => n_features,
            (None, None) if n_samples > 0 => rows.n_features(0),
            (None, None) => 0,
        };
        if let Some(width) = rows.fixed_width() {
            if width != n_features {
                return Err(self.error(format!("expected {n_features} features, got {width}")));
            }
        } else {
            for row in 0..n_samples {
                let width = rows.n_features(row);
                if width != n_features {
                    let message = format!("row {row} has {width} features, expected {n_features}");
                    return Err(self.error(message));
                }
            }
        }
        let shape = [n_samples, n_features];
        if is_too_large(&shape) {
            return Err(self.error(format!("shape {shape:?} is too large")));
        }
        match self.element {
            ElementType::Float => self.filled(rows, shape, |x| Some(x.to_f32())),
            ElementType::Double => self.filled(rows, shape, |x| Some(x.to_f64())),
            ElementType::Int32 => self.filled(rows, shape, |x| {
                x.to_i64().and_then(|x| i32::try_from(x).ok())
            }),
            _ => self.filled(rows, shape, Element::to_i64),
        }
    }

    fn filled<R: Rows, T: Number>(
        &self,
        rows: &R,
        shape: [usize; 2],
        convert: impl Fn(R::Element) -> Option<T>,
    ) -> Result<Tensor> {
        let [_, n_features] = shape;
        let mut tensor = Tensor::zero_aligned::<T>(&shape, ALIGNMENT).map_err(|e| self.error(e))?;
        let mut view = tensor.try_as_plain_ram_mut().map_err(|e| self.error(e))?;
        let slots = view.as_slice_mut::<T>().map_err(|e| self.error(e))?;
        let fill = |index: usize, slot: &mut T, x: R::Element| {
            match convert(x) {
                Some(value) if self.takes_missing || value.is_finite() => *slot = value,
                _ => {
                    return Err(self.bad_number(
                        index / n_features,
                        index % n_features,
                        x.to_f64(),
                    ));
                }
            }
            Ok(())
        };
        if let Some(numbers) = rows.contiguous() {
            // All numbers first, which takes vector instructions, and only then the culprit if there is one.
            let mut all_fit = true;
            for (slot, &x) in slots.iter_mut().zip(numbers) {
                let value = convert(x);
                *slot = value.unwrap_or(T::zero());
                all_fit &= value.is_some() & (self.takes_missing | slot.is_finite());
            }
            if !all_fit {
                for (index, (slot, &x)) in slots.iter_mut().zip(numbers).enumerate() {
                    fill(index, slot, x)?;
                }
            }
        } else {
            let places = (0..shape[0]).flat_map(|row| (0..n_features).map(move |col| (row, col)));
            for (index, (slot, (row, column))) in slots.iter_mut().zip(places).enumerate() {
                fill(index, slot, rows.get(row, column))?;
            }
        }
        Ok(tensor)
    }

    fn bad_number(&self, row: usize, column: usize, x: f64) -> Error {
        let what = if x.is_nan() {
            "NaN is not a number".into()
        } else if x.is_infinite() {
            format!("{x} is not finite")
        } else {
            format!(
                "{x:?} does not fit the model's input type, {}",
                self.element
            )
        };
        self.error(format!("row {row}, column {column}: {what}"))
    }

    fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::input(format!("input {:?}: {message}", self.name))
    }
}

/// A number of the model's input type.
trait Number: Datum + Element + tract_onnx::tract_core::num_traits::Zero {
    fn is_finite(self) -> bool;
}

macro_rules! number {
    ($($number:ty => $is_finite:expr),*) => {$(
        impl Number for $number {
            fn is_finite(self) -> bool {
                let is_finite: fn($number) -> bool = $is_finite;
                is_finite(self)
            }
        }
    )*};
}
number!(f32 => f32::is_finite, f64 => f64::is_finite, i32 => |_| true, i64 => |_| true);
