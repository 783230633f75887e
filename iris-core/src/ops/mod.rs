//! The operators this crate adds to tract, or puts in the place of tract's.
//!
//! [`OPERATORS`] is the whole list. tract finds operators by name alone, so each of ours is registered through
//! [`build`], which looks at the node's domain and at the version of it that the model imports.

mod array_feature_extractor;
pub(crate) mod attributes;
mod cast;
pub(crate) mod class_labels;
mod operator;
mod post_transform;
mod svm;
mod tensors;

use std::sync::LazyLock;

use tract_onnx::Onnx;
use tract_onnx::model::{OnnxOpRegister, ParsingContext};
use tract_onnx::pb::{ModelProto, NodeProto, OperatorSetIdProto};
use tract_onnx::tract_hir::internal::{InferenceOp, TractResult};

use crate::error::{Error, ErrorKind, Result};
use attributes::Attributes;

/// The main domain, as nodes spell it; `ai.onnx` means the same.
pub(crate) const ONNX_DOMAIN: &str = "";
/// The domain of the traditional machine learning operators.
pub(crate) const ML_DOMAIN: &str = "ai.onnx.ml";

/// The newest version of each domain that this crate knows.
const NEWEST_VERSIONS: [(&str, i64); 2] = [(ONNX_DOMAIN, 25), (ML_DOMAIN, 5)];

type Builder = fn(&mut Attributes<'_>) -> Result<Box<dyn InferenceOp>>;

/// One operator: what it is called, from which version of its domain on, and how a node of it is built.
struct Entry {
    domain: &'static str,
    op_type: &'static str,
    since_version: i64,
    build: Builder,
}

/// Sorted by domain and name; an operator that changed has one entry for each version that changed it.
#[rustfmt::skip]
static OPERATORS: &[Entry] = &[
    Entry { domain: ONNX_DOMAIN, op_type: "Cast", since_version: 6, build: cast::build },
    Entry { domain: ML_DOMAIN, op_type: "ArrayFeatureExtractor", since_version: 1, build: array_feature_extractor::build },
    Entry { domain: ML_DOMAIN, op_type: "SVMClassifier", since_version: 1, build: svm::classifier::build },
];

/// An operator that this crate adds to tract, or puts in the place of tract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorInfo {
    /// Its domain, such as `ai.onnx.ml`.
    pub domain: &'static str,
    /// Its name.
    pub op_type: &'static str,
    /// The version of the domain from which on it is as we have it.
    pub since_version: i64,
}

/// The operators that this crate adds to tract, or puts in the place of tract's, sorted by domain and name.
pub fn operators() -> impl Iterator<Item = OperatorInfo> {
    OPERATORS.iter().map(
        |&Entry {
             domain,
             op_type,
             since_version,
             ..
         }| OperatorInfo {
            domain: display(domain),
            op_type,
            since_version,
        },
    )
}

/// tract's own ai.onnx.ml operators that have no entry in [`OPERATORS`].
const TRACT_ML_OPERATORS: [&str; 5] = [
    "CategoryMapper",
    "LinearClassifier",
    "LinearRegressor",
    "Normalizer",
    "TreeEnsembleClassifier",
];

/// tract's operators, as it registers them.
static STOCK: LazyLock<OnnxOpRegister> = LazyLock::new(|| tract_onnx::onnx().op_register);

/// tract's ONNX front end with our operators in it.
pub(crate) static FRAMEWORK: LazyLock<Onnx> = LazyLock::new(|| {
    let mut op_register = STOCK.clone();
    for entry in OPERATORS {
        op_register.insert(entry.op_type, build);
    }
    Onnx {
        op_register,
        ignore_value_info: true,
        ..Onnx::default()
    }
});

/// Whether `node` is `domain`'s operator `op_type`.
pub(crate) fn is_operator(node: &NodeProto, domain: &str, op_type: &str) -> bool {
    canonical(&node.domain) == domain && node.op_type == op_type
}

fn canonical(domain: &str) -> &str {
    if domain == "ai.onnx" {
        ONNX_DOMAIN
    } else {
        domain
    }
}

/// The version of `domain` that `model` imports.
fn imported_version(model: &ModelProto, domain: &str) -> Option<i64> {
    let import = model
        .opset_import
        .iter()
        .find(|i| canonical(&i.domain) == canonical(domain))?;
    Some(import.version)
}

fn find(domain: &str, op_type: &str, version: i64) -> Option<&'static Entry> {
    OPERATORS
        .iter()
        .filter(|e| e.domain == domain && e.op_type == op_type && e.since_version <= version)
        .max_by_key(|e| e.since_version)
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

/// Refuses a node whose operator neither we nor tract have.
pub(crate) fn check_supported(model: &ModelProto, node: &NodeProto) -> Result<()> {
    let domain = canonical(&node.domain);
    let unsupported = |what: String| Error::new(ErrorKind::UnsupportedOperator, what);
    let version = imported_version(model, domain).ok_or_else(|| {
        unsupported(format!(
            "the model does not import operator set {}",
            display(domain)
        ))
    })?;
    let ours = find(domain, &node.op_type, version).is_some();
    let is_ml = TRACT_ML_OPERATORS.contains(&node.op_type.as_str());
    let of_tract = match domain {
        ONNX_DOMAIN => {
            !is_ml
                && !OPERATORS.iter().any(|e| e.op_type == node.op_type)
                && STOCK.0.contains_key(&node.op_type)
        }
        ML_DOMAIN => is_ml,
        _ => false,
    };
    if ours || of_tract {
        return Ok(());
    }
    Err(unsupported(format!(
        "operator {} of {} version {version} is not supported",
        node.op_type,
        display(domain)
    )))
}

fn display(domain: &str) -> &str {
    if domain == ONNX_DOMAIN {
        "ai.onnx"
    } else {
        domain
    }
}

/// Builds a node of one of [`OPERATORS`]; [`check_supported`] has seen it before.
fn build(
    context: &ParsingContext<'_>,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let version = imported_version(context.model, &node.domain).unwrap_or(0);
    let entry = find(canonical(&node.domain), &node.op_type, version).ok_or_else(|| {
        let message = format!("operator {} is not in the table", node.op_type);
        Error::new(ErrorKind::UnsupportedOperator, message)
    })?;
    let mut attributes = Attributes::new(node);
    let operator = (entry.build)(&mut attributes)?;
    attributes.finish()?;
    Ok((operator, vec![]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_unique() {
        let keys: Vec<_> = OPERATORS
            .iter()
            .map(|e| (e.domain, e.op_type, e.since_version))
            .collect();
        assert!(keys.is_sorted());
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn tract_has_the_operators_we_leave_to_it() {
        for op_type in TRACT_ML_OPERATORS {
            assert!(STOCK.0.contains_key(op_type), "{op_type}");
            assert!(
                !OPERATORS.iter().any(|e| e.op_type == op_type),
                "{op_type} is ours"
            );
        }
    }
}
