//! Finds out what a model's outputs mean: which one holds predictions, which one scores, and what the classes are.

use std::collections::HashSet;

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};
use tract_onnx::prelude::DatumType;

use crate::model::scores;
use crate::model::scores::Meaning;
use crate::onnx::attributes::Attributes;
use crate::onnx::domains::ONNX_DOMAIN;
use crate::onnx::makers::{Made, Makers};
use crate::onnx::signature::{Dimension, Outputs, ValueInfo, ValueType};
use crate::operator::class_labels::ClassLabels;
use crate::value::element::ElementType;
use crate::value::labels::Labels;
use crate::value::tract::load_tensor;

/// What the outputs of an estimator are for, by their index.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    /// What `predict` answers.
    pub(crate) prediction: Option<usize>,
    /// What `predict_proba` answers.
    pub(crate) probabilities: Option<Scores>,
    /// What `decision_function` answers.
    pub(crate) decision: Option<Decision>,
    /// What `transform` answers.
    pub(crate) transformed: Option<usize>,
    /// The classes, in the order of the scores' columns.
    pub(crate) classes: Option<Labels>,
}

/// Where scores are, one for each sample and class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scores {
    /// In one matrix `[n_samples, n_classes]`.
    Matrix(usize),
    /// In one vector `[n_samples]` for each class, which is ZipMap's form `columns`.
    Columns(Vec<usize>),
    /// In one matrix for each output of the estimator: a sequence, or a tensor `[n_outputs, n_samples, n_classes]`.
    PerOutput(usize),
}

impl Scores {
    /// The outputs of the graph that hold them.
    pub(crate) fn outputs(&self) -> &[usize] {
        match self {
            Self::Matrix(output) | Self::PerOutput(output) => std::slice::from_ref(output),
            Self::Columns(outputs) => outputs,
        }
    }
}

/// Where decision scores are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) scores: Scores,
    /// Which of two columns is that of the second class, the positive one.
    pub(crate) positive: usize,
}

impl Roles {
    /// Looks at a graph that ends in `outputs`.
    pub(crate) fn of(graph: &GraphProto, outputs: &Outputs) -> Self {
        let Outputs { infos, tensors, .. } = outputs;
        let makers = Makers::new(graph);
        let sources = |index: usize| {
            let made = tensors
                .get(index)
                .and_then(|made| graph.output.get(made.clone()));
            let made = made.unwrap_or_default();
            made.iter().map(|output| output.name.as_str())
        };
        let source = |index: usize| sources(index).next();
        let named: Vec<(&ValueInfo, Option<&str>)> = infos
            .iter()
            .enumerate()
            .map(|(index, info)| (info, source(index)))
            .collect();
        let label = match predicted(&makers, &named) {
            Some(label) if may_be_label(&infos[label]) => label,
            Some(target) => return Self::of_numbers(&makers, infos, target, source(target)),
            None => return Self::default(),
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
        let Some(scores) = scores_among(infos) else {
            return roles;
        };
        let label_maker = source(label).and_then(|name| makers.of(name));
        let is_nearest = label_maker.and_then(|made| made.op_type(ONNX_DOMAIN)) == Some("ArgMin");
        if let Scores::Matrix(distances) = scores
            && is_nearest
        {
            // A clusterer's distances to its centres.
            roles.transformed = Some(distances);
            return roles;
        }
        let names: Vec<&str> = scores.outputs().iter().flat_map(|&o| sources(o)).collect();
        let meaning = match scores {
            Scores::Matrix(output) if infos[output].name == "scores" => Meaning::Decision,
            _ => scores::meaning_of_all(&makers, &names),
        };
        let is_per_output = matches!(scores, Scores::PerOutput(_));
        if meaning != Meaning::Probabilities && !is_per_output {
            let positive = names
                .first()
                .map_or(1, |name| scores::positive_column(&makers, name));
            roles.decision = Some(Decision {
                scores: scores.clone(),
                positive,
            });
        }
        if meaning != Meaning::Decision {
            roles.probabilities = Some(scores);
        }
        roles
    }

    /// For a graph that gives no labels, whose output `target` the graph calls `source`.
    fn of_numbers(
        makers: &Makers<'_>,
        infos: &[ValueInfo],
        target: usize,
        source: Option<&str>,
    ) -> Self {
        let mut roles = Self::default();
        let (Some(info), Some(source)) = (infos.get(target), source) else {
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
            roles.prediction = Some(target);
        }
        if may_transform || !(must_predict || has_one_column) {
            roles.transformed = Some(target);
        }
        roles
    }
}

/// Which of the outputs, each with its name in the graph, is the estimator's prediction.
///
/// Labels come first, then numbers. A graph may have further outputs: the leaves that trees end in and the paths to them
/// (skl2onnx's options `decision_leaf` and `decision_path`), and integers or texts on the way to the prediction. None of
/// them is one.
fn predicted(makers: &Makers<'_>, outputs: &[(&ValueInfo, Option<&str>)]) -> Option<usize> {
    let is_further = |index: usize| {
        let (_, Some(name)) = outputs[index] else {
            return false;
        };
        if is_leaf(makers, name) {
            return true;
        }
        if makers.of(name).is_some_and(chooses_class) {
            return false;
        }
        let mut numbers = outputs.iter().filter(|(info, _)| is_real(info));
        numbers.any(|&(_, number)| {
            number.is_some_and(|number| {
                let maker = makers.of(number).map(|made| made.node.op_type.as_str());
                let is_target = maker.is_some_and(|op| REGRESSORS.contains(&op));
                (is_target && !makers.is_made_of(name, number)) || makers.is_made_of(number, name)
            })
        })
    };
    let labels = || (0..outputs.len()).filter(|&index| may_be_label(outputs[index].0));
    labels()
        .find(|&index| !is_further(index))
        .or_else(|| outputs.iter().position(|(info, _)| !may_be_label(info)))
        .or_else(|| labels().next())
}

fn may_be_label(info: &ValueInfo) -> bool {
    let element = info.element_type();
    matches!(element, Some(ElementType::Int64 | ElementType::String))
}

fn is_real(info: &ValueInfo) -> bool {
    let element = info.element_type();
    matches!(element, Some(ElementType::Float | ElementType::Double))
}

/// Whether a node's output is the class it decides for.
fn chooses_class(made: Made<'_>) -> bool {
    let of_onnx = made.op_type(ONNX_DOMAIN);
    match (of_onnx, made.ml_op_type()) {
        (Some("ArgMax" | "ArgMin"), _) | (_, Some("ArrayFeatureExtractor")) => true,
        (_, Some("SVMClassifier" | "LinearClassifier" | "TreeEnsembleClassifier")) => {
            made.output == 0
        }
        _ => false,
    }
}

/// Whether `name` is made of what trees say and nothing but looked up, converted and put together since.
fn is_leaf(makers: &Makers<'_>, name: &str) -> bool {
    let mut seen = HashSet::new();
    let mut left = vec![name];
    let mut has_trees = false;
    while let Some(name) = left.pop() {
        if !seen.insert(name) {
            continue;
        }
        let Some(made) = makers.of(name) else {
            return false;
        };
        match (made.op_type(ONNX_DOMAIN), made.ml_op_type()) {
            (Some("Concat"), _) => left.extend(made.node.input.iter().map(String::as_str)),
            (_, Some("LabelEncoder")) => {
                left.extend(made.node.input.first().map(String::as_str));
            }
            (_, Some("TreeEnsembleRegressor" | "TreeEnsemble")) => has_trees = true,
            _ => return false,
        }
    }
    has_trees
}

/// Where the scores are among the outputs of a classifier or outlier detector.
fn scores_among(infos: &[ValueInfo]) -> Option<Scores> {
    let matrix = infos.iter().position(is_scores).map(Scores::Matrix);
    matrix
        .or_else(|| infos.iter().position(is_per_output).map(Scores::PerOutput))
        .or_else(|| columns(infos))
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

/// Whether an output holds one matrix of scores for each output of an estimator.
fn is_per_output(info: &ValueInfo) -> bool {
    match &info.value_type {
        ValueType::Sequence(of) => matches!(**of, ValueType::Tensor { .. }),
        ValueType::Tensor { shape, .. } => {
            is_real(info) && shape.as_ref().is_some_and(|shape| shape.len() == 3)
        }
        ValueType::Map { .. } => false,
    }
}

/// The vectors among the outputs, if there are several and all numbers are in vectors.
fn columns(infos: &[ValueInfo]) -> Option<Scores> {
    let columns: Vec<usize> = (0..infos.len())
        .filter(|&index| is_real(&infos[index]))
        .collect();
    let is_vector = |&index: &usize| infos[index].shape().is_some_and(|shape| shape.len() == 1);
    (columns.len() > 1 && columns.iter().all(is_vector)).then_some(Scores::Columns(columns))
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
