//! The operators of this crate, and those of tract that it takes.
//!
//! [`OPERATORS`] has those that need no more than a node to be made, [`stock`] those that take tract's inference. tract finds operators by name alone, so each of
//! ours is registered through [`build`], which looks at the node's domain and at the version of it that the model imports.

mod arg_max;
mod array_feature_extractor;
pub(crate) mod attributes;
mod axes;
mod batch_normalization;
mod binarizer;
mod binary;
pub(crate) mod bounded;
mod cast;
mod cast_1;
mod cast_like;
mod cast_map;
mod category_mapper;
mod cdist;
mod changes;
pub(crate) mod class_labels;
mod clip;
mod compress;
mod conditional;
mod constant_of_shape;
mod det;
mod dict_vectorizer;
pub(crate) mod dimensions;
mod direct;
#[cfg(test)]
mod documentation;
mod einsum;
mod exp;
mod feature_vectorizer;
pub(crate) mod filling;
mod flatten;
mod fusion;
mod gather;
mod gemm;
mod imputer;
mod is_inf;
mod is_nan;
mod kernels;
mod label_encoder;
mod lanes;
mod linear;
mod linear_classifier;
mod linear_regressor;
mod linear_scores;
mod lines;
mod logarithm;
mod lookup;
mod lowered;
mod lowering;
mod lp_normalization;
mod maps;
mod mat_mul;
mod murmur_hash3;
mod neighbors;
mod non_zero;
mod normalizer;
mod number_text;
mod one_hot_encoder;
mod operator;
mod pad;
mod pattern;
mod post_transform;
mod pow;
mod predicate;
mod products;
#[cfg(test)]
mod protos;
mod ranks;
mod real;
mod reduce;
mod regex_full_match;
mod rnn;
mod rows;
mod scaler;
mod scan;
mod scatter;
mod select;
pub(crate) mod simd;
mod slice;
mod softmax;
mod stock;
mod string_concat;
mod string_normalizer;
mod string_split;
mod svm;
mod tanh;
mod tensors;
mod text_cast;
mod tf_idf_vectorizer;
mod tokenizer;
mod top_k;
mod transpose;
mod tree_ensemble;
mod unary;
mod unique;
mod whole_numbers;

use std::sync::LazyLock;

use tract_onnx::Onnx;
use tract_onnx::model::{OnnxOpRegister, ParsingContext};
use tract_onnx::pb::{ModelProto, NodeProto, OperatorSetIdProto};
use tract_onnx::tract_hir::internal::{InferenceOp, TractResult};

use crate::error::{Error, ErrorKind, Result};
use attributes::Attributes;
pub(crate) use changes::is_same_operator;
pub(crate) use conditional::{ASSUMED, Surprise};
pub(crate) use direct::typed_graph;
pub(crate) use kernels::replace as with_kernels;
pub(crate) use neighbors::Metric;
pub(crate) use operator::in_numbers;
pub(crate) use operator::{as_filling, is_ours, maps_rows, maps_several, only_outputs};
pub(crate) use scan::loop_of;
pub(crate) use tensors::from_vec;

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
const NEWEST_VERSIONS: [(&str, i64); 3] = [(ONNX_DOMAIN, 25), (ML_DOMAIN, 5), (MS_DOMAIN, 1)];

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
    Entry { domain: ONNX_DOMAIN, op_type: "ArgMax", since_version: 1, build: arg_max::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ArgMin", since_version: 1, build: arg_max::build },
    Entry { domain: ONNX_DOMAIN, op_type: "Cast", since_version: 1, build: cast_1::build },
    Entry { domain: ONNX_DOMAIN, op_type: "Cast", since_version: 6, build: cast::build },
    Entry { domain: ONNX_DOMAIN, op_type: "CastLike", since_version: 15, build: cast_like::build },
    Entry { domain: ONNX_DOMAIN, op_type: "Compress", since_version: 9, build: compress::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ConstantOfShape", since_version: 9, build: constant_of_shape::build },
    Entry { domain: ONNX_DOMAIN, op_type: "Det", since_version: 11, build: det::build },
    Entry { domain: ONNX_DOMAIN, op_type: "Erf", since_version: 9, build: unary::build_erf },
    Entry { domain: ONNX_DOMAIN, op_type: "Flatten", since_version: 1, build: flatten::build },
    Entry { domain: ONNX_DOMAIN, op_type: "Gather", since_version: 1, build: gather::build },
    Entry { domain: ONNX_DOMAIN, op_type: "GatherElements", since_version: 11, build: gather::build_elements },
    Entry { domain: ONNX_DOMAIN, op_type: "GatherND", since_version: 11, build: gather::build_nd },
    Entry { domain: ONNX_DOMAIN, op_type: "Gemm", since_version: 1, build: gemm::build },
    Entry { domain: ONNX_DOMAIN, op_type: "If", since_version: 1, build: conditional::build },
    Entry { domain: ONNX_DOMAIN, op_type: "IsInf", since_version: 10, build: is_inf::build },
    Entry { domain: ONNX_DOMAIN, op_type: "IsNaN", since_version: 9, build: is_nan::build },
    Entry { domain: ONNX_DOMAIN, op_type: "LogSoftmax", since_version: 1, build: softmax::build_1 },
    Entry { domain: ONNX_DOMAIN, op_type: "LogSoftmax", since_version: 13, build: softmax::build_13 },
    Entry { domain: ONNX_DOMAIN, op_type: "LpNormalization", since_version: 1, build: lp_normalization::build },
    Entry { domain: ONNX_DOMAIN, op_type: "MatMul", since_version: 1, build: mat_mul::build },
    Entry { domain: ONNX_DOMAIN, op_type: "NonZero", since_version: 9, build: non_zero::build },
    Entry { domain: ONNX_DOMAIN, op_type: "Pow", since_version: 1, build: pow::build },
    Entry { domain: ONNX_DOMAIN, op_type: "RNN", since_version: 1, build: rnn::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceL1", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceL1", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceL2", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceL2", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceLogSum", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceLogSum", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceLogSumExp", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceLogSumExp", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceMax", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceMax", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceMean", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceMean", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceMin", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceMin", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceProd", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceProd", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceSum", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceSum", since_version: 13, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceSumSquare", since_version: 1, build: reduce::build },
    Entry { domain: ONNX_DOMAIN, op_type: "ReduceSumSquare", since_version: 18, build: reduce::build_with_input },
    Entry { domain: ONNX_DOMAIN, op_type: "RegexFullMatch", since_version: 20, build: regex_full_match::build },
    Entry { domain: ONNX_DOMAIN, op_type: "Round", since_version: 11, build: unary::build_round },
    Entry { domain: ONNX_DOMAIN, op_type: "Scatter", since_version: 9, build: scatter::build_elements },
    Entry { domain: ONNX_DOMAIN, op_type: "ScatterElements", since_version: 11, build: scatter::build_elements },
    Entry { domain: ONNX_DOMAIN, op_type: "ScatterND", since_version: 11, build: scatter::build_nd },
    Entry { domain: ONNX_DOMAIN, op_type: "Sigmoid", since_version: 1, build: unary::build_sigmoid },
    Entry { domain: ONNX_DOMAIN, op_type: "Softmax", since_version: 1, build: softmax::build_1 },
    Entry { domain: ONNX_DOMAIN, op_type: "Softmax", since_version: 13, build: softmax::build_13 },
    Entry { domain: ONNX_DOMAIN, op_type: "StringConcat", since_version: 20, build: string_concat::build },
    Entry { domain: ONNX_DOMAIN, op_type: "StringNormalizer", since_version: 10, build: string_normalizer::build },
    Entry { domain: ONNX_DOMAIN, op_type: "StringSplit", since_version: 20, build: string_split::build },
    Entry { domain: ONNX_DOMAIN, op_type: "TfIdfVectorizer", since_version: 9, build: tf_idf_vectorizer::build },
    Entry { domain: ONNX_DOMAIN, op_type: "TopK", since_version: 1, build: top_k::build_1 },
    Entry { domain: ONNX_DOMAIN, op_type: "TopK", since_version: 10, build: top_k::build_10 },
    Entry { domain: ONNX_DOMAIN, op_type: "Unique", since_version: 11, build: unique::build },
    Entry { domain: ML_DOMAIN, op_type: "ArrayFeatureExtractor", since_version: 1, build: array_feature_extractor::build },
    Entry { domain: ML_DOMAIN, op_type: "Binarizer", since_version: 1, build: binarizer::build },
    Entry { domain: ML_DOMAIN, op_type: "CastMap", since_version: 1, build: cast_map::build },
    Entry { domain: ML_DOMAIN, op_type: "CategoryMapper", since_version: 1, build: category_mapper::build },
    Entry { domain: ML_DOMAIN, op_type: "DictVectorizer", since_version: 1, build: dict_vectorizer::build },
    Entry { domain: ML_DOMAIN, op_type: "FeatureVectorizer", since_version: 1, build: feature_vectorizer::build },
    Entry { domain: ML_DOMAIN, op_type: "Imputer", since_version: 1, build: imputer::build },
    Entry { domain: ML_DOMAIN, op_type: "LabelEncoder", since_version: 1, build: label_encoder::build_1 },
    Entry { domain: ML_DOMAIN, op_type: "LabelEncoder", since_version: 2, build: label_encoder::build_2 },
    Entry { domain: ML_DOMAIN, op_type: "LabelEncoder", since_version: 4, build: label_encoder::build_4 },
    Entry { domain: ML_DOMAIN, op_type: "LinearClassifier", since_version: 1, build: linear_classifier::build },
    Entry { domain: ML_DOMAIN, op_type: "LinearRegressor", since_version: 1, build: linear_regressor::build },
    Entry { domain: ML_DOMAIN, op_type: "Normalizer", since_version: 1, build: normalizer::build },
    Entry { domain: ML_DOMAIN, op_type: "OneHotEncoder", since_version: 1, build: one_hot_encoder::build },
    Entry { domain: ML_DOMAIN, op_type: "SVMClassifier", since_version: 1, build: svm::classifier::build },
    Entry { domain: ML_DOMAIN, op_type: "SVMRegressor", since_version: 1, build: svm::regressor::build },
    Entry { domain: ML_DOMAIN, op_type: "Scaler", since_version: 1, build: scaler::build },
    Entry { domain: ML_DOMAIN, op_type: "TreeEnsemble", since_version: 5, build: tree_ensemble::ensemble::build },
    Entry { domain: ML_DOMAIN, op_type: "TreeEnsembleClassifier", since_version: 1, build: tree_ensemble::classifier::build },
    Entry { domain: ML_DOMAIN, op_type: "TreeEnsembleRegressor", since_version: 1, build: tree_ensemble::regressor::build },
    Entry { domain: MS_DOMAIN, op_type: "CDist", since_version: 1, build: cdist::build },
    Entry { domain: MS_DOMAIN, op_type: "MurmurHash3", since_version: 1, build: murmur_hash3::build },
    Entry { domain: MS_DOMAIN, op_type: "Tokenizer", since_version: 1, build: tokenizer::build },
];

/// The operators of [`INTERNAL_DOMAIN`].
#[rustfmt::skip]
static INTERNAL: &[Entry] = &[
    Entry { domain: INTERNAL_DOMAIN, op_type: NEAREST_NEIGHBORS, since_version: 1, build: neighbors::build_nearest },
    Entry { domain: INTERNAL_DOMAIN, op_type: PAIRWISE_DISTANCES, since_version: 1, build: neighbors::build_distances },
];

/// An operator that takes no inference of tract's.
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

/// The operators that take no inference of tract's, sorted by domain and name; `OPERATORS.md` lists the others, too.
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

/// tract's ONNX front end with our operators in it.
pub(crate) static FRAMEWORK: LazyLock<Onnx> = LazyLock::new(|| {
    let mut op_register = OnnxOpRegister::default();
    for op_type in stock::names() {
        op_register.insert(op_type, bounded::build);
    }
    for entry in OPERATORS.iter().chain(INTERNAL) {
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

fn find(
    table: &'static [Entry],
    domain: &str,
    op_type: &str,
    version: i64,
) -> Option<&'static Entry> {
    table
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
    let ours = find(OPERATORS, domain, &node.op_type, version).is_some();
    let of_tract = domain == ONNX_DOMAIN && stock::find(&node.op_type).is_some();
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
    let domain = canonical(&node.domain);
    let table = if domain == INTERNAL_DOMAIN {
        INTERNAL
    } else {
        OPERATORS
    };
    let entry = find(table, domain, &node.op_type, version).ok_or_else(|| {
        let message = format!("operator {} is not in the table", node.op_type);
        Error::new(ErrorKind::UnsupportedOperator, message)
    })?;
    let mut attributes = Attributes::new(node).within(context);
    let operator = (entry.build)(&mut attributes)?;
    let outer_inputs = attributes.finish()?;
    Ok((bounded::bounded(node, operator), outer_inputs))
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
    fn no_operator_is_both_ours_and_tracts() {
        let both = OPERATORS.iter().find(|e| stock::find(e.op_type).is_some());
        assert!(both.is_none_or(|e| e.domain != ONNX_DOMAIN));
    }
}
