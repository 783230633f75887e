//! Which inputs of a graph may hold missing values.

use std::collections::HashSet;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto};

use crate::onnx::domains::{ML_DOMAIN, ONNX_DOMAIN, is_operator};
use crate::onnx::graphs::graphs;
use crate::onnx::signature::ValueInfo;
use crate::value::Value;
use crate::value::tract::{from_tract, load_tensor};

/// Operators to which a missing value is a value, as it is to the scikit-learn estimators they come from.
const OPERATORS: [(&str, &str); 6] = [
    (ML_DOMAIN, "Imputer"),
    (ML_DOMAIN, "TreeEnsemble"),
    (ML_DOMAIN, "TreeEnsembleClassifier"),
    (ML_DOMAIN, "TreeEnsembleRegressor"),
    (ONNX_DOMAIN, "IsNaN"),
    (ONNX_DOMAIN, "IsInf"),
];

/// The inputs in which NaN and infinities mean something to the model: an operator that knows missing values computes with
/// what comes of them.
#[derive(Debug)]
pub(crate) struct Missing {
    inputs: HashSet<String>,
}

impl Missing {
    /// Looks for them among `inputs` of a graph whose nodes come after those that they need.
    pub(crate) fn new(inputs: &[ValueInfo], graph: &GraphProto) -> Self {
        let mut read = HashSet::new();
        read_with_missing(graph, &mut read);
        let names = inputs.iter().map(|input| &input.name);
        Self {
            inputs: names
                .filter(|name| read.contains(name.as_str()))
                .cloned()
                .collect(),
        }
    }

    pub(crate) fn is_taken_by(&self, input: &str) -> bool {
        self.inputs.contains(input)
    }
}

/// Adds to `read`, which has names that operators that know missing values read, those that `graph` makes them of.
fn read_with_missing<'a>(graph: &'a GraphProto, read: &mut HashSet<&'a str>) {
    for node in graph.node.iter().rev() {
        let mut is_read = node.output.iter().any(|name| read.contains(name.as_str()));
        for body in graphs(node) {
            if is_read {
                read.extend(body.output.iter().map(|output| output.name.as_str()));
            }
            read_with_missing(body, read);
            is_read |= body
                .input
                .iter()
                .any(|input| read.contains(input.name.as_str()));
        }
        if is_read || knows_missing(node) {
            read.extend(node.input.iter().map(String::as_str));
        }
    }
}

fn knows_missing(node: &NodeProto) -> bool {
    OPERATORS
        .iter()
        .any(|(domain, op_type)| is_operator(node, domain, op_type))
        || has_missing_key(node)
}

/// Whether NaN is a category of its own, as of an `OrdinalEncoder` that was fitted on some.
fn has_missing_key(node: &NodeProto) -> bool {
    let is_missing = |value: Value| match value {
        Value::Float(keys) => keys.iter().any(|key| key.is_nan()),
        Value::Double(keys) => keys.iter().any(|key| key.is_nan()),
        _ => false,
    };
    is_operator(node, ML_DOMAIN, "LabelEncoder")
        && node.attribute.iter().any(|attribute| {
            attribute.name == "keys_floats" && attribute.floats.iter().any(|key| key.is_nan())
                || attribute.name == "keys_tensor"
                    && attribute.t.as_ref().is_some_and(|keys| {
                        [DataType::Float as i32, DataType::Double as i32].contains(&keys.data_type)
                            && load_tensor(keys)
                                .ok()
                                .and_then(|keys| from_tract(&keys).ok())
                                .is_some_and(is_missing)
                    })
        })
}
