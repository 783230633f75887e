//! What a model takes and gives: names, types and shapes, spelled as onnxruntime spells them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use smallvec::SmallVec;
use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;

use crate::error::{Error, ErrorKind, Result};
use crate::value::Value;
use crate::value::element::ElementType;
use crate::value::feed::Feed;

/// One dimension of an input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dimension {
    /// Always this many.
    Fixed(usize),
    /// Any number, the same wherever the name occurs.
    Named(String),
    /// Any number.
    Unknown,
}

impl fmt::Display for Dimension {
    /// The number, the name, or `?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Named(name) => f.write_str(name),
            Self::Unknown => f.write_str("?"),
        }
    }
}

/// The type of an input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// A tensor.
    Tensor {
        /// The type of its elements.
        element: ElementType,
        /// Its dimensions, or `None` where the model does not even say how many there are.
        shape: Option<Vec<Dimension>>,
    },
    /// A map from keys to numbers or strings, as `DictVectorizer` takes it.
    Map {
        /// The type of the keys.
        key: ElementType,
        /// The type of the values.
        value: ElementType,
    },
    /// Any number of values of one type, such as the maps that ZipMap makes.
    Sequence(Box<ValueType>),
}

impl fmt::Display for ValueType {
    /// `tensor(float)`, `map(string,tensor(float))`, `seq(map(int64,tensor(float)))`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tensor { element, .. } => write!(f, "tensor({element})"),
            Self::Map { key, value } => write!(f, "map({key},tensor({value}))"),
            Self::Sequence(of) => write!(f, "seq({of})"),
        }
    }
}

impl ValueType {
    /// Whether `feed` is of this type, whatever its shape.
    fn is_of(&self, feed: &Feed<'_>) -> bool {
        match (self, feed) {
            (Self::Tensor { element, .. }, Feed::View(view)) => {
                *element == view.elements.element_type()
            }
            (Self::Map { key, value }, Feed::Value(Value::Map { keys, values })) => {
                *key == ElementType::of_labels(keys)
                    && *value == values.element_type()
                    && !matches!(**values, Value::Map { .. } | Value::Sequence(_))
            }
            (Self::Map { .. } | Self::Sequence(_), _)
            | (_, Feed::Value(Value::Map { .. } | Value::Sequence(_))) => false,
            (Self::Tensor { element, .. }, Feed::Value(tensor)) => {
                *element == tensor.element_type()
            }
        }
    }
}

/// An input or output of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueInfo {
    pub(crate) name: String,
    pub(crate) value_type: ValueType,
    pub(crate) zip_map_classes: Option<crate::value::labels::Labels>,
}

/// More elements than fit into any memory.
const MOST_ELEMENTS: usize = 1 << 44;
/// More rows with nothing in them than anybody means, each of which may take a step.
const MOST_OF_NOTHING: usize = 1 << 24;

impl ValueInfo {
    /// Its name in the graph.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type and shape.
    pub fn value_type(&self) -> &ValueType {
        &self.value_type
    }

    /// The dimensions of a tensor, where the model gives them.
    pub fn shape(&self) -> Option<&[Dimension]> {
        match &self.value_type {
            ValueType::Tensor { shape, .. } => shape.as_deref(),
            ValueType::Map { .. } | ValueType::Sequence(_) => None,
        }
    }

    /// The type of a tensor's elements.
    pub fn element_type(&self) -> Option<ElementType> {
        match &self.value_type {
            ValueType::Tensor { element, .. } => Some(*element),
            ValueType::Map { .. } | ValueType::Sequence(_) => None,
        }
    }

    /// For an output that ZipMap makes: the keys of its maps.
    ///
    /// [`Model::run`](crate::Model::run) gives the scores as one tensor `[n_samples, n_classes]`, whose columns are in the
    /// order of these keys.
    pub fn zip_map_classes(&self) -> Option<&crate::value::labels::Labels> {
        self.zip_map_classes.as_ref()
    }

    /// Checks that `feed` is of this type and shape.
    pub(crate) fn check(&self, feed: &Feed<'_>) -> Result<()> {
        let error = |what: String| Err(Error::input(format!("input {:?}: {what}", self.name)));
        if !self.value_type.is_of(feed) {
            return error(format!(
                "expected {}, got {}",
                self.value_type,
                feed.type_name()
            ));
        }
        if let Feed::Value(Value::Map { keys, values }) = feed {
            if values.shape() != [keys.len()] {
                return error(format!(
                    "{} keys need as many values, got values of shape {:?}",
                    keys.len(),
                    values.shape()
                ));
            }
            if let Some(key) = keys.first_repeated() {
                return error(format!("key {key} is given twice"));
            }
        }
        if let Feed::View(view) = feed
            && view
                .shape
                .iter()
                .try_fold(1_usize, |n, &d| n.checked_mul(d))
                != Some(view.elements.len())
        {
            return error(format!(
                "{} elements do not make up the shape {:?}",
                view.elements.len(),
                view.shape
            ));
        }
        if is_too_large(feed.shape()) {
            return error(format!("shape {:?} is too large", feed.shape()));
        }
        let Some(shape) = self.shape() else {
            return Ok(());
        };
        let fits = shape.len() == feed.shape().len()
            && shape
                .iter()
                .zip(feed.shape())
                .all(|(expected, got)| match expected {
                    Dimension::Fixed(expected) => expected == got,
                    Dimension::Named(_) | Dimension::Unknown => true,
                });
        if fits {
            return Ok(());
        }
        let expected: Vec<String> = shape.iter().map(ToString::to_string).collect();
        error(format!(
            "expected shape [{}], got {:?}",
            expected.join(", "),
            feed.shape()
        ))
    }

    /// A tensor of floats of any shape.
    pub(crate) fn of_float(name: String) -> Self {
        let value_type = ValueType::Tensor {
            element: ElementType::Float,
            shape: None,
        };
        Self {
            name,
            value_type,
            zip_map_classes: None,
        }
    }

    /// Reads a graph's declaration, whose type is in `types` if it is not a tensor; `role` is "input" or "output".
    pub(crate) fn from_onnx(info: &pb::ValueInfoProto, types: &Types, role: &str) -> Result<Self> {
        let invalid = |what: &str| {
            Error::new(
                ErrorKind::InvalidModel,
                format!("{role} {:?}: {what}", info.name),
            )
        };
        let Some(pb::type_proto::Value::TensorType(tensor)) =
            info.r#type.as_ref().and_then(|t| t.value.as_ref())
        else {
            let Some(value_type) = types.get(&info.name) else {
                return Err(invalid("not declared as a tensor"));
            };
            return Ok(Self {
                name: info.name.clone(),
                value_type: value_type.clone(),
                zip_map_classes: None,
            });
        };
        let element = element_type(tensor.elem_type).ok_or_else(|| {
            invalid(&format!(
                "element type {} is not supported",
                tensor.elem_type
            ))
        })?;
        let shape = tensor
            .shape
            .as_ref()
            .map(|shape| shape.dim.iter().map(dimension).collect::<Option<Vec<_>>>())
            .map(|shape| shape.ok_or_else(|| invalid("a dimension is negative")))
            .transpose()?;
        let value_type = ValueType::Tensor { element, shape };
        Ok(Self {
            name: info.name.clone(),
            value_type,
            zip_map_classes: None,
        })
    }
}

/// The element type of an ONNX `TensorProto.DataType` number.
pub(crate) fn element_type(data_type: i32) -> Option<ElementType> {
    match DataType::try_from(data_type).ok()? {
        DataType::Float => Some(ElementType::Float),
        DataType::Double => Some(ElementType::Double),
        DataType::Int32 => Some(ElementType::Int32),
        DataType::Int64 => Some(ElementType::Int64),
        DataType::Int16 => Some(ElementType::Int16),
        DataType::Uint32 => Some(ElementType::UInt32),
        DataType::Bool => Some(ElementType::Bool),
        DataType::String => Some(ElementType::String),
        _ => None,
    }
}

fn dimension(dim: &pb::tensor_shape_proto::Dimension) -> Option<Dimension> {
    Some(match &dim.value {
        Some(DimValue::DimValue(size)) => Dimension::Fixed(usize::try_from(*size).ok()?),
        Some(DimValue::DimParam(name)) if !name.is_empty() => Dimension::Named(name.clone()),
        _ => Dimension::Unknown,
    })
}

/// Whether nobody can count through the dimensions of an input, which may be so even where it has no elements.
pub(crate) fn is_too_large(shape: &[usize]) -> bool {
    let most = if shape.contains(&0) {
        MOST_OF_NOTHING
    } else {
        MOST_ELEMENTS
    };
    let extent = shape.iter().try_fold(1_usize, |extent, &dim| {
        extent.checked_mul(dim.max(1)).filter(|&n| n <= most)
    });
    extent.is_none()
}

/// What a graph gives, and which of its tensors each of them is made of.
#[derive(Default)]
pub(crate) struct Outputs {
    pub(crate) infos: Vec<ValueInfo>,
    /// For each output the graph's outputs that hold it: one, or as many as a sequence is long.
    pub(crate) tensors: Vec<Range<usize>>,
    /// Which outputs the file gives no type: theirs is that of the graph's tensor.
    pub(crate) untyped: Vec<usize>,
}

/// The name of the number of rows, which exporters leave unnamed.
pub(crate) const N_SAMPLES: &str = "n_samples";

/// The inputs a caller must give: those that no initializer gives a value to.
pub(crate) fn fed_inputs(graph: &pb::GraphProto) -> impl Iterator<Item = &pb::ValueInfoProto> {
    let constants = graph.initializer.iter().map(|tensor| tensor.name.as_str());
    let constants: HashSet<&str> = constants.collect();
    let inputs = graph.input.iter();
    inputs.filter(move |input| !constants.contains(input.name.as_str()))
}

/// The types of those inputs and outputs of a graph that are maps or sequences, by name.
pub(crate) type Types = HashMap<String, ValueType>;

/// What a graph is fed, in its order; most take one input.
pub(crate) type Feeds<'a> = SmallVec<[Feed<'a>; 1]>;

/// The names of inputs or outputs, as messages list them.
pub(crate) fn names(infos: &[ValueInfo]) -> String {
    let quoted: Vec<String> = infos
        .iter()
        .map(|info| format!("{:?}", info.name))
        .collect();
    if quoted.is_empty() {
        "nothing".into()
    } else {
        quoted.join(", ")
    }
}
