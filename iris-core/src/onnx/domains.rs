//! Domains, their versions, and what nodes are called.

use tract_onnx::pb;
use tract_onnx::pb::{ModelProto, NodeProto, OperatorSetIdProto};

use crate::error::{Error, ErrorKind, Result};

/// The attribute, of our own making, that says which number a node has and what is assumed of its condition.
pub(crate) const ASSUMED: &str = "iris_core.assumed";

/// The main domain, as nodes spell it; `ai.onnx` means the same.
pub(crate) const ONNX_DOMAIN: &str = "";
/// The domain of the traditional machine learning operators.
pub(crate) const ML_DOMAIN: &str = "ai.onnx.ml";

/// The domain of onnxruntime's own operators.
pub(crate) const MS_DOMAIN: &str = "com.microsoft";
/// The domain of the operators that no file can name: a graph has them where the loader puts them.
pub(crate) const INTERNAL_DOMAIN: &str = "iris";
pub(crate) const NEAREST_NEIGHBORS: &str = "NearestNeighbors";
pub(crate) const PAIRWISE_DISTANCES: &str = "PairwiseDistances";

/// The newest version of each domain that this crate knows.
pub(crate) const NEWEST_VERSIONS: [(&str, i64); 3] =
    [(ONNX_DOMAIN, 25), (ML_DOMAIN, 5), (MS_DOMAIN, 1)];

/// Whether `node` is `domain`'s operator `op_type`.
pub(crate) fn is_operator(node: &NodeProto, domain: &str, op_type: &str) -> bool {
    canonical(&node.domain) == domain && node.op_type == op_type
}

pub(crate) fn canonical(domain: &str) -> &str {
    if domain == "ai.onnx" {
        ONNX_DOMAIN
    } else {
        domain
    }
}

/// The version of `domain` that `model` imports.
pub(crate) fn imported_version(model: &ModelProto, domain: &str) -> Option<i64> {
    let import = model
        .opset_import
        .iter()
        .find(|i| canonical(&i.domain) == canonical(domain))?;
    Some(import.version)
}

/// Refuses versions of the domains we know that are newer than what we know of them.
pub(crate) fn check_opset(import: &OperatorSetIdProto) -> Result<()> {
    let domain = canonical(&import.domain);
    match NEWEST_VERSIONS.iter().find(|(known, _)| *known == domain) {
        Some((_, newest)) if !(1..=*newest).contains(&import.version) => Err(Error::new(
            ErrorKind::UnsupportedOperator,
            format!(
                "operator set {} {}: versions 1 to {newest} are supported",
                display(domain),
                import.version
            ),
        )),
        _ => Ok(()),
    }
}

pub(crate) fn display(domain: &str) -> &str {
    if domain == ONNX_DOMAIN {
        "ai.onnx"
    } else {
        domain
    }
}

/// A node as messages name it: `node "svm" (SVMClassifier)`.
pub(crate) fn node_name(node: &pb::NodeProto) -> String {
    format!("node {:?} ({})", node.name, node.op_type)
}
