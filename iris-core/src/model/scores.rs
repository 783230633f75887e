//! Finds out whether a classifier's scores are probabilities, by what the graph makes them of.
//!
//! skl2onnx calls both `probabilities`. A model whose scores cannot be told apart answers as either.

use std::collections::HashSet;

use tract_onnx::pb::NodeProto;

use crate::onnx::attributes::Attributes;
use crate::onnx::domains::ONNX_DOMAIN;
use crate::onnx::makers::{Made, Makers};

/// What scores are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Probabilities,
    /// Distances to the planes between the classes, sums of trees' votes, and the like.
    Decision,
    Unknown,
}

/// Operators that leave a sum of decision scores one.
const LINEAR: [&str; 18] = [
    "Abs",
    "Add",
    "Cast",
    "Concat",
    "Flatten",
    "Gather",
    "Identity",
    "Mul",
    "Neg",
    "ReduceMean",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Sub",
    "Sum",
    "Transpose",
    "Unsqueeze",
];

/// Operators that make probabilities of scores.
const SQUASHING: [&str; 4] = ["Erf", "Exp", "Sigmoid", "Softmax"];

/// What scores are that lie in several tensors: probabilities if all of them are, and decision scores if any is.
pub(crate) fn meaning_of_all(makers: &Makers<'_>, names: &[&str]) -> Meaning {
    let meanings = names.iter().map(|name| meaning(makers, name));
    let worse = |a: Meaning, b: Meaning| match (a, b) {
        (Meaning::Decision, _) | (_, Meaning::Decision) => Meaning::Decision,
        (Meaning::Probabilities, Meaning::Probabilities) => Meaning::Probabilities,
        _ => Meaning::Unknown,
    };
    meanings.reduce(worse).unwrap_or(Meaning::Unknown)
}

/// What the scores `name` are.
fn meaning(makers: &Makers<'_>, name: &str) -> Meaning {
    let last = makers.of(name).and_then(|made| made.op_type(ONNX_DOMAIN));
    // Shares are made to add up to one so, whatever they were before.
    let is_normalised = matches!(last, Some("Div" | "Where"));
    let (mut has_margins, mut has_sums, mut has_others) = (false, false, false);
    let mut seen = HashSet::new();
    let mut left = vec![name];
    while let Some(name) = left.pop() {
        if !seen.insert(name) {
            continue;
        }
        let Some(made) = makers.direct(name) else {
            continue;
        };
        let inputs = made.node.input.iter().map(String::as_str);
        match (made.op_type(ONNX_DOMAIN), made.ml_op_type()) {
            (Some(op), _) if SQUASHING.contains(&op) => return Meaning::Probabilities,
            (Some(op), _) if LINEAR.contains(&op) || op == "Div" => left.extend(inputs),
            (Some("MatMul" | "Gemm"), _) => has_sums = true,
            (_, Some("Normalizer")) => return Meaning::Probabilities,
            (_, Some("ArrayFeatureExtractor")) => left.extend(inputs.take(1)),
            (_, Some("SVMClassifier" | "LinearClassifier" | "TreeEnsembleClassifier"))
                if made.output == 0 =>
            {
                has_others = true;
            }
            (_, Some("SVMClassifier")) if has(made.node, "prob_a") => {
                return Meaning::Probabilities;
            }
            (_, Some("SVMClassifier")) => has_margins = true,
            (_, Some("LinearClassifier")) if transforms(made.node) => {
                return Meaning::Probabilities;
            }
            (_, Some("TreeEnsembleClassifier")) if transforms(made.node) || votes(made.node) => {
                return Meaning::Probabilities;
            }
            (_, Some("LinearClassifier" | "TreeEnsembleClassifier")) => has_sums = true,
            _ => has_others = true,
        }
    }
    if !is_normalised && (has_margins || (has_sums && !has_others)) {
        Meaning::Decision
    } else {
        Meaning::Unknown
    }
}

/// Which of two columns of decision scores is that of the second class.
///
/// `SVMClassifier` puts libsvm's decision value first, which is positive for the second class; all others put it second.
/// ZipMap's form `columns` cuts the matrix of scores into columns, and `name` is the first of them then.
pub(crate) fn positive_column(makers: &Makers<'_>, name: &str) -> usize {
    let maker = makers.behind(name, &["Cast", "Identity", "Reshape", "Slice"]);
    usize::from(maker.and_then(|made: Made<'_>| made.ml_op_type()) != Some("SVMClassifier"))
}

fn has(node: &NodeProto, attribute: &'static str) -> bool {
    let values = Attributes::new(node).floats(attribute);
    values.is_ok_and(|values| !values.is_empty())
}

/// Whether a classifier transforms its scores.
fn transforms(node: &NodeProto) -> bool {
    let transform = Attributes::new(node).string("post_transform");
    transform.is_ok_and(|transform| transform.is_some_and(|name| name != "NONE"))
}

/// Whether the leaves of trees hold shares of classes, as those of a forest do, rather than parts of a score.
fn votes(node: &NodeProto) -> bool {
    let mut attributes = Attributes::new(node);
    let is_share = |weight: f64| (0.0..=1.0).contains(&weight);
    if let Ok(Some(weights)) = attributes.tensor("class_weights_as_tensor") {
        let weights = weights.cast_to::<f64>().ok();
        let weights = weights.as_ref().and_then(|weights| weights.as_plain_ram());
        let weights = weights
            .as_ref()
            .and_then(|weights| weights.as_slice::<f64>().ok());
        return weights.is_some_and(|weights| weights.iter().copied().all(is_share));
    }
    let weights = attributes.floats("class_weights");
    weights.is_ok_and(|weights| weights.iter().copied().map(f64::from).all(is_share))
}
