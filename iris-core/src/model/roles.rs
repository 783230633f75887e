//! Finds out what a model's outputs mean: which one holds predictions, which one scores, and what the classes are.

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};
use tract_onnx::prelude::DatumType;

use super::presentation::Outputs;
use super::scores::{self, Meaning};
use super::signature::{Dimension, ValueInfo, ValueType};
use super::trace::{Made, Makers};
use crate::Labels;
use crate::ops::ONNX_DOMAIN;
use crate::ops::attributes::Attributes;
use crate::ops::class_labels::ClassLabels;
use crate::value::{ElementType, load_tensor};

/// What the outputs of an estimator are for, by their index.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    /// What `predict` answers.
    pub(crate) prediction: Option<usize>,
    /// What `predict_proba` answers.
    pub(crate) probabilities: Option<Probabilities>,
    /// What `decision_function` answers.
    pub(crate) decision: Option<Decision>,
    /// What `transform` answers.
    pub(crate) transformed: Option<usize>,
    /// The classes, in the order of the scores' columns.
    pub(crate) classes: Option<Labels>,
}

/// Where probabilities are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Probabilities {
    /// In one matrix `[n_samples, n_classes]`.
    Matrix(usize),
    /// In one vector `[n_samples]` for each class, which is ZipMap's form `columns`.
    Columns(Vec<usize>),
    /// In one matrix for each output of the estimator: a sequence, or a tensor `[n_outputs, n_samples, n_classes]`.
    PerOutput(usize),
}

/// Where decision scores are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) output: usize,
    /// Which of two columns is that of the second class, the positive one.
    pub(crate) positive: usize,
}

impl Roles {
    /// Looks at a graph that ends in `outputs`.
    pub(crate) fn of(graph: &GraphProto, outputs: &Outputs) -> Self {
        let Outputs { infos, tensors, .. } = outputs;
        let makers = Makers::new(graph);
        let source = |index: usize| {
            let output = graph.output.get(tensors.get(index)?.start)?;
            Some(output.name.as_str())
        };
        let label = infos.iter().position(|info| {
            let element = info.element_type();
            matches!(element, Some(ElementType::Int64 | ElementType::String))
        });
        let Some(label) = label else {
            return Self::of_numbers(&makers, infos, source(0));
        };
        let mut roles = Self {
            prediction: Some(label),
            classes: infos
                .iter()
                .find_map(|info| info.zip_map_classes().cloned())
                .or_else(|| classes(graph, makers.of(source(label)?)?)),
            ..Self::default()
        };
        if infos.len() == 1 && roles.classes.is_none() {
            // Codes of categories are labels, and what an encoder transforms to.
            roles.transformed = Some(label);
        }
        let Some(output) = infos.iter().position(is_scores) else {
            roles.probabilities = per_output(infos).or_else(|| columns(infos, label));
            return roles;
        };
        let label_maker = source(label).and_then(|name| makers.of(name));
        let is_nearest = label_maker.and_then(|made| made.op_type(ONNX_DOMAIN)) == Some("ArgMin");
        let meaning = match source(output) {
            Some(_) if infos[output].name == "scores" => Meaning::Decision,
            Some(name) => scores::meaning(&makers, name),
            None => Meaning::Unknown,
        };
        if is_nearest {
            // A clusterer's distances to its centres.
            roles.transformed = Some(output);
            return roles;
        }
        if meaning != Meaning::Decision {
            roles.probabilities = Some(Probabilities::Matrix(output));
        }
        if meaning != Meaning::Probabilities {
            let positive = source(output).map_or(1, |name| scores::positive_column(&makers, name));
            roles.decision = Some(Decision { output, positive });
        }
        roles
    }

    /// For a graph that gives no labels, of whose first output `source` is the name in the graph.
    fn of_numbers(makers: &Makers<'_>, infos: &[ValueInfo], source: Option<&str>) -> Self {
        let mut roles = Self::default();
        let (Some(info), Some(source)) = (infos.first(), source) else {
            return roles;
        };
        if info.element_type().is_none() {
            return roles;
        }
        let has_one_column = matches!(info.shape(), Some([_, Dimension::Fixed(1)] | [_]));
        let op_type = makers.of(source).map(|made| made.node.op_type.as_str());
        // What the graph only hands through is a transformer's, too.
        let may_transform = op_type.is_none_or(|op| TRANSFORMERS.contains(&op));
        let must_predict = op_type.is_some_and(|op| REGRESSORS.contains(&op));
        if must_predict || !may_transform || has_one_column {
            roles.prediction = Some(0);
        }
        if may_transform || !(must_predict || has_one_column) {
            roles.transformed = Some(0);
        }
        roles
    }
}

/// What a regressor's graph ends in, where the operator alone tells.
const REGRESSORS: &[&str] = &[
    "LinearRegressor",
    "SVMRegressor",
    "TreeEnsembleRegressor",
    "TreeEnsemble",
];

/// What only a transformer's graph ends in, if it has more than one column.
const TRANSFORMERS: &[&str] = &[
    "ArrayFeatureExtractor",
    "Binarizer",
    "FeatureVectorizer",
    "Imputer",
    "MatMul",
    "Normalizer",
    "OneHotEncoder",
    "Scaler",
    "TfIdfVectorizer",
];

/// Whether an output is one of scores, `[n_samples, n_classes]`.
fn is_scores(info: &ValueInfo) -> bool {
    match &info.value_type {
        ValueType::Map { .. } | ValueType::Sequence(_) => info.zip_map_classes.is_some(),
        ValueType::Tensor { element, shape } => {
            matches!(element, ElementType::Float | ElementType::Double)
                && (info.name == "scores" || shape.as_ref().is_none_or(|shape| shape.len() == 2))
        }
    }
}

fn per_output(infos: &[ValueInfo]) -> Option<Probabilities> {
    let is_per_output = |info: &ValueInfo| match &info.value_type {
        ValueType::Sequence(of) => matches!(**of, ValueType::Tensor { .. }),
        ValueType::Tensor { element, shape } => {
            matches!(element, ElementType::Float | ElementType::Double)
                && shape.as_ref().is_some_and(|shape| shape.len() == 3)
        }
        ValueType::Map { .. } => false,
    };
    infos
        .iter()
        .position(is_per_output)
        .map(Probabilities::PerOutput)
}

fn columns(infos: &[ValueInfo], label: usize) -> Option<Probabilities> {
    let is_column = |info: &ValueInfo| {
        matches!(
            info.element_type(),
            Some(ElementType::Float | ElementType::Double)
        ) && info.shape().is_some_and(|shape| shape.len() == 1)
    };
    let columns: Vec<usize> = (0..infos.len()).filter(|&index| index != label).collect();
    (columns.len() > 1 && columns.iter().all(|&index| is_column(&infos[index])))
        .then_some(Probabilities::Columns(columns))
}

/// The classes that the maker of labels lists.
fn classes(graph: &GraphProto, maker: Made<'_>) -> Option<Labels> {
    match maker.ml_op_type()? {
        "ArrayFeatureExtractor" => {
            let table = maker.node.input.first()?;
            let mut initializers = graph.initializer.iter();
            constant(initializers.find(|tensor| tensor.name == *table)?)
        }
        "TreeEnsembleClassifier" => labels_of(maker.node, "classlabels_int64s"),
        "SVMClassifier" | "LinearClassifier" => labels_of(maker.node, "classlabels_ints"),
        _ => None,
    }
}

fn labels_of(node: &NodeProto, ints: &'static str) -> Option<Labels> {
    let labels = ClassLabels::from_attributes(&mut Attributes::new(node), ints);
    Some(labels.ok()?.into())
}

fn constant(tensor: &TensorProto) -> Option<Labels> {
    let tensor = load_tensor(tensor).ok()?;
    if tensor.datum_type() == DatumType::String {
        let labels = tensor.as_plain_ram()?.as_slice::<String>().ok()?;
        return Some(Labels::String(labels.to_vec()));
    }
    if !matches!(tensor.datum_type(), DatumType::I32 | DatumType::I64) {
        return None;
    }
    let labels = tensor.cast_to::<i64>().ok()?;
    Some(Labels::Int(
        labels.as_plain_ram()?.as_slice().ok()?.to_vec(),
    ))
}
