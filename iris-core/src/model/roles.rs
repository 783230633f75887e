//! Finds out what a model's outputs mean: which one holds labels, which one scores, and what the classes are.

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};
use tract_onnx::prelude::DatumType;

use super::presentation::Outputs;
use super::signature::{ValueInfo, ValueType};
use crate::Labels;
use crate::ops::attributes::Attributes;
use crate::ops::class_labels::ClassLabels;
use crate::ops::{ML_DOMAIN, ONNX_DOMAIN, is_operator};
use crate::value::{ElementType, load_tensor};

/// What the outputs of a classifier are for.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    /// The output with the labels, one a row.
    pub(crate) label: Option<usize>,
    /// The output with the scores, `[n_samples, n_classes]`.
    pub(crate) probabilities: Option<usize>,
    /// The classes, in the order of the scores' columns.
    pub(crate) classes: Option<Labels>,
}

impl Roles {
    /// Looks at a graph that ends in `outputs`.
    pub(crate) fn of(graph: &GraphProto, outputs: &Outputs) -> Self {
        let Outputs {
            infos: outputs,
            tensors,
            ..
        } = outputs;
        let label = outputs.iter().position(|o| {
            matches!(
                o.element_type(),
                Some(ElementType::Int64 | ElementType::String)
            )
        });
        let probabilities = label.and_then(|_| outputs.iter().position(is_scores));
        let zip_map = outputs.iter().find_map(|o| o.zip_map_classes().cloned());
        let traced = || {
            let tensor = graph.output.get(tensors[label?].start)?;
            trace(graph, &tensor.name)
        };
        Self {
            label,
            probabilities,
            classes: zip_map.or_else(traced),
        }
    }
}

fn is_scores(output: &ValueInfo) -> bool {
    match &output.value_type {
        ValueType::Map { .. } | ValueType::Sequence(_) => output.zip_map_classes.is_some(),
        ValueType::Tensor { element, shape } => {
            matches!(element, ElementType::Float | ElementType::Double)
                && shape.as_ref().is_none_or(|shape| shape.len() == 2)
        }
    }
}

/// Follows labels back to the constant that lists them.
fn trace(graph: &GraphProto, name: &str) -> Option<Labels> {
    let mut name = name;
    // The graph has no cycle, so the walk takes no more steps than there are nodes.
    loop {
        let node = graph
            .node
            .iter()
            .find(|node| node.output.iter().any(|output| output == name))?;
        if is_operator(node, ML_DOMAIN, "ArrayFeatureExtractor") {
            let table = node.input.first()?;
            return constant(
                graph
                    .initializer
                    .iter()
                    .find(|tensor| tensor.name == *table)?,
            );
        }
        if let Some(ints) = classifier_labels(node) {
            return Some(
                ClassLabels::from_attributes(&mut Attributes::new(node), ints)
                    .ok()?
                    .into(),
            );
        }
        if !["Cast", "Identity", "Reshape", "Squeeze", "Flatten"]
            .iter()
            .any(|op_type| is_operator(node, ONNX_DOMAIN, op_type))
        {
            return None;
        }
        name = node.input.first()?;
    }
}

/// The name of the attribute that holds a classifier's integer labels.
fn classifier_labels(node: &NodeProto) -> Option<&'static str> {
    if is_operator(node, ML_DOMAIN, "TreeEnsembleClassifier") {
        Some("classlabels_int64s")
    } else if is_operator(node, ML_DOMAIN, "SVMClassifier")
        || is_operator(node, ML_DOMAIN, "LinearClassifier")
    {
        Some("classlabels_ints")
    } else {
        None
    }
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
