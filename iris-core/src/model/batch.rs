//! Turns the rows of a batch into the tensor that a model's only input takes, and columns into those of several.

use ndarray::{ArrayD, ArrayView2};
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::model::missing::Missing;
use crate::model::rows::{Element, Rows};
use crate::onnx::signature::{Dimension, ValueInfo, ValueType, is_too_large};
use crate::value::Value;
use crate::value::element::ElementType;
use crate::value::view::{Elements, TensorView, with_elements};

/// The input of a model that takes one 2-D batch of numbers.
#[derive(Debug)]
pub(crate) struct Batch {
    name: String,
    element: ElementType,
    pub(crate) n_features: Option<usize>,
    /// Whether NaN and infinities mean something to the model.
    takes_missing: bool,
    /// Whether it is a column of a table, which messages have named when they name the input.
    is_column: bool,
}

impl Batch {
    pub(crate) fn new(inputs: &[ValueInfo], missing: &Missing) -> Result<Self> {
        let [input] = inputs else {
            let names = crate::onnx::signature::names(inputs);
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
        Ok(Self {
            name: input.name.clone(),
            element: *element,
            n_features,
            takes_missing: missing.is_taken_by(&input.name),
            is_column: false,
        })
    }

    /// The numbers of `given`, in the type of `input`, which is one of several and holds tensors of numbers.
    pub(crate) fn column(
        input: &ValueInfo,
        element: ElementType,
        missing: &Missing,
        given: TensorView<'_>,
    ) -> Result<Value> {
        let n_features: usize = given.shape.iter().skip(1).product();
        let batch = Self {
            name: input.name.clone(),
            element,
            n_features: None,
            takes_missing: missing.is_taken_by(&input.name),
            is_column: n_features == 1,
        };
        let shape = given.shape;
        match given.elements {
            Elements::Float(numbers) => batch.value(numbers, shape),
            Elements::Double(numbers) => batch.value(numbers, shape),
            Elements::Int32(numbers) => batch.value(numbers, shape),
            Elements::Int64(numbers) => batch.value(numbers, shape),
            other => Err(batch.error(format!(
                "expected numbers, got tensor({})",
                other.element_type()
            ))),
        }
    }

    /// `numbers`, row by row, as a tensor of this shape.
    fn value<T: Element>(&self, numbers: &[T], shape: &[usize]) -> Result<Value> {
        let (n_samples, row) = shape.split_first().unwrap_or((&1, &[]));
        let rows = ArrayView2::from_shape((*n_samples, row.iter().product()), numbers);
        let rows = rows.map_err(|e| self.error(e))?;
        let value = match self.numbers(&rows)?.elements {
            Held::Given(elements) => with_elements!(elements, elements => {
                let mut copied = Vec::new();
                let no_memory = |_| self.too_large(shape);
                copied.try_reserve_exact(elements.len()).map_err(no_memory)?;
                copied.extend_from_slice(elements);
                ArrayD::from_shape_vec(shape, copied).map(Value::from)
            }),
            Held::Float(numbers) => {
                ArrayD::from_shape_vec(shape, numbers.into_vec()).map(Value::from)
            }
            Held::Double(numbers) => {
                ArrayD::from_shape_vec(shape, numbers.into_vec()).map(Value::from)
            }
            Held::Int32(numbers) => {
                ArrayD::from_shape_vec(shape, numbers.into_vec()).map(Value::from)
            }
            Held::Int64(numbers) => {
                ArrayD::from_shape_vec(shape, numbers.into_vec()).map(Value::from)
            }
        };
        value.map_err(|e| self.error(e))
    }

    /// The numbers of `rows`, `[n_samples, n_features]`, in the model's input type: where they lie, if they are of it and
    /// row by row, or else converted.
    pub(crate) fn numbers<'a, R: Rows>(&self, rows: &'a R) -> Result<Numbers<'a>> {
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
        let elements = match self.element {
            ElementType::Float => self.held(rows, shape, |x| Some(x.to_f32()))?,
            ElementType::Double => self.held(rows, shape, |x| Some(x.to_f64()))?,
            ElementType::Int32 => self.held(rows, shape, |x| {
                x.to_i64().and_then(|x| i32::try_from(x).ok())
            })?,
            _ => self.held(rows, shape, Element::to_i64)?,
        };
        Ok(Numbers { shape, elements })
    }

    fn held<'a, R: Rows, T: Number>(
        &self,
        rows: &'a R,
        shape: [usize; 2],
        convert: impl Fn(R::Element) -> Option<T>,
    ) -> Result<Held<'a>> {
        let [n_samples, n_features] = shape;
        let checked = |row: usize, column: usize, x: R::Element| match convert(x) {
            Some(value) if self.takes_missing || value.is_finite() => Ok(value),
            _ => Err(self.bad_number(row, column, x.to_f64())),
        };
        let len = n_samples * n_features;
        // An array may have more numbers than any memory, all of them the same one.
        let room = || {
            let mut room = Few::<T>::new();
            let no_memory = |_| self.too_large(&shape);
            room.try_reserve_exact(len).map_err(no_memory)?;
            Ok(room)
        };
        let given = rows.contiguous().filter(|numbers| numbers.len() == len);
        let Some(numbers) = given else {
            let mut converted = room()?;
            for row in 0..n_samples {
                for column in 0..n_features {
                    converted.push(checked(row, column, rows.get(row, column))?);
                }
            }
            return Ok(T::held(converted));
        };
        // All numbers first, which takes vector instructions, and only then the culprit if there is one.
        let mut all_fit = true;
        let given = R::Element::elements(numbers);
        let held = if given.element_type() == self.element {
            if !self.takes_missing {
                for &x in numbers {
                    all_fit &= convert(x).is_some_and(Number::is_finite);
                }
            }
            Held::Given(given)
        } else {
            let mut converted = room()?;
            converted.extend(numbers.iter().map(|&x| {
                let value = convert(x);
                let number = value.unwrap_or(T::zero());
                all_fit &= value.is_some() & (self.takes_missing | number.is_finite());
                number
            }));
            T::held(converted)
        };
        if !all_fit {
            for (index, &x) in numbers.iter().enumerate() {
                checked(index / n_features, index % n_features, x)?;
            }
        }
        Ok(held)
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
        if self.is_column {
            self.error(format!("row {row}: {what}"))
        } else {
            self.error(format!("row {row}, column {column}: {what}"))
        }
    }

    fn too_large(&self, shape: &[usize]) -> Error {
        self.error(format!("shape {shape:?} is larger than memory"))
    }

    fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::input(format!("input {:?}: {message}", self.name))
    }
}

/// The numbers of a batch in the model's input type.
pub(crate) struct Numbers<'a> {
    shape: [usize; 2],
    elements: Held<'a>,
}

/// Numbers in the caller's memory, or of our own, for which a few rows need no allocation.
enum Held<'a> {
    Given(Elements<'a>),
    Float(Few<f32>),
    Double(Few<f64>),
    Int32(Few<i32>),
    Int64(Few<i64>),
}

type Few<T> = SmallVec<[T; 16]>;

impl Numbers<'_> {
    pub(crate) fn view(&self) -> TensorView<'_> {
        let elements = match &self.elements {
            Held::Given(elements) => *elements,
            Held::Float(numbers) => numbers.as_slice().into(),
            Held::Double(numbers) => numbers.as_slice().into(),
            Held::Int32(numbers) => numbers.as_slice().into(),
            Held::Int64(numbers) => numbers.as_slice().into(),
        };
        TensorView {
            shape: &self.shape,
            elements,
        }
    }
}

/// A number of the model's input type.
trait Number: Element + tract_onnx::tract_core::num_traits::Zero {
    fn is_finite(self) -> bool;
    fn held(numbers: Few<Self>) -> Held<'static>;
}

macro_rules! number {
    ($($number:ty, $held:ident => $is_finite:expr),*) => {$(
        impl Number for $number {
            fn is_finite(self) -> bool {
                let is_finite: fn($number) -> bool = $is_finite;
                is_finite(self)
            }
            fn held(numbers: Few<Self>) -> Held<'static> {
                Held::$held(numbers)
            }
        }
    )*};
}
number!(f32, Float => f32::is_finite, f64, Double => f64::is_finite, i32, Int32 => |_| true, i64, Int64 => |_| true);

#[cfg(test)]
mod tests {
    use ndarray::ShapeBuilder;

    use super::*;
    use crate::error::ErrorKind;
    use crate::model::Model;

    #[test]
    fn more_numbers_than_memory_are_an_error() {
        let number = [0.5_f32];
        let shape = (1_usize << 44, 4).strides((0, 0));
        let rows = ArrayView2::from_shape(shape, &number).expect("one number again and again");
        let model = Model::iris().expect("loads");
        let error = model.predict(rows).expect_err("no room");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
}
