//! The table of all operators that models may use.

#[cfg(test)]
pub(crate) mod documentation;

use tract_onnx::pb::{ModelProto, NodeProto};

use crate::control::{if_, scan};
use crate::error::{Error, ErrorKind, Result};
use crate::onnx::attributes::Attributes;
use crate::onnx::domains::{
    INTERNAL_DOMAIN, ML_DOMAIN, MS_DOMAIN, NEAREST_NEIGHBORS, NEWEST_VERSIONS, ONNX_DOMAIN,
    PAIRWISE_DISTANCES, canonical, display, imported_version,
};
use crate::operator::Built;
use crate::ops::math::{
    arg_max, batch_normalization, binary, cdist, clip, det, einsum, gemm, hardmax, is_inf, is_nan,
    lp_normalization, mat_mul, neighbors, pow, reduce, softmax, top_k, unary, unique,
};
use crate::ops::ml::tree_ensemble::{classifier, ensemble, regressor};
use crate::ops::ml::{
    array_feature_extractor, binarizer, cast_map, category_mapper, dict_vectorizer,
    feature_vectorizer, imputer, label_encoder, linear_classifier, linear_regressor, normalizer,
    one_hot_encoder, scaler, svm_classifier, svm_regressor,
};
use crate::ops::rnn;
use crate::ops::shape::{
    cast, cast_like, compress, concat, constant, constant_of_shape, cum_sum, expand, eye_like,
    gather, non_zero, pad, range, reshape, scatter, shape_of, slice, split, squeeze, tile,
    transpose, where_,
};
use crate::ops::text::{
    murmur_hash3, regex_full_match, string_concat, string_normalizer, string_split,
    tf_idf_vectorizer, tokenizer,
};

type Builder = fn(&mut Attributes<'_>) -> Result<Built>;

/// One operator: what it is called, from which version of its domain on, how many inputs it has, and how a node of it is built.
pub(crate) struct Entry {
    domain: &'static str,
    op_type: &'static str,
    since_version: i64,
    /// The least and the most inputs; those beyond the least are optional. A map comes as two: its keys and its values.
    pub(crate) inputs: (usize, usize),
    pub(crate) build: Builder,
}

const fn entry(
    domain: &'static str,
    op_type: &'static str,
    since_version: i64,
    inputs: (usize, usize),
    build: Builder,
) -> Entry {
    Entry {
        domain,
        op_type,
        since_version,
        inputs,
        build,
    }
}

/// Any number of inputs.
const MANY: usize = usize::MAX;

/// Sorted by domain and name; an operator that changed has one entry for each version that changed how it is built.
#[rustfmt::skip]
static OPERATORS: &[Entry] = &[
    entry(ONNX_DOMAIN, "Abs", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Add", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "And", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "ArgMax", 1, (1, 1), arg_max::build),
    entry(ONNX_DOMAIN, "ArgMin", 1, (1, 1), arg_max::build),
    entry(ONNX_DOMAIN, "BatchNormalization", 1, (5, 5), batch_normalization::build),
    entry(ONNX_DOMAIN, "Cast", 1, (1, 1), cast::build_1),
    entry(ONNX_DOMAIN, "Cast", 6, (1, 1), cast::build),
    entry(ONNX_DOMAIN, "CastLike", 15, (2, 2), cast_like::build),
    entry(ONNX_DOMAIN, "Ceil", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Clip", 6, (1, 1), clip::build_6),
    entry(ONNX_DOMAIN, "Clip", 11, (1, 3), clip::build),
    entry(ONNX_DOMAIN, "Compress", 9, (2, 2), compress::build),
    entry(ONNX_DOMAIN, "Concat", 1, (1, MANY), concat::build),
    entry(ONNX_DOMAIN, "Constant", 1, (0, 0), constant::build),
    entry(ONNX_DOMAIN, "ConstantOfShape", 9, (1, 1), constant_of_shape::build),
    entry(ONNX_DOMAIN, "Cos", 7, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "CumSum", 11, (2, 2), cum_sum::build),
    entry(ONNX_DOMAIN, "Det", 11, (1, 1), det::build),
    entry(ONNX_DOMAIN, "Div", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Einsum", 12, (1, MANY), einsum::build),
    entry(ONNX_DOMAIN, "Elu", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Equal", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Erf", 9, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Exp", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Expand", 8, (2, 2), expand::build),
    entry(ONNX_DOMAIN, "EyeLike", 9, (1, 1), eye_like::build),
    entry(ONNX_DOMAIN, "Flatten", 1, (1, 1), reshape::build_flatten),
    entry(ONNX_DOMAIN, "Floor", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Gather", 1, (2, 2), gather::build),
    entry(ONNX_DOMAIN, "GatherElements", 11, (2, 2), gather::build_elements),
    entry(ONNX_DOMAIN, "GatherND", 11, (2, 2), gather::build_nd),
    entry(ONNX_DOMAIN, "Gelu", 20, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Gemm", 1, (2, 3), gemm::build),
    entry(ONNX_DOMAIN, "Greater", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "GreaterOrEqual", 12, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "HardSigmoid", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Hardmax", 1, (1, 1), hardmax::build_1),
    entry(ONNX_DOMAIN, "Hardmax", 13, (1, 1), hardmax::build_13),
    entry(ONNX_DOMAIN, "Identity", 1, (1, 1), constant::build_identity),
    entry(ONNX_DOMAIN, "If", 1, (1, 1), if_::build),
    entry(ONNX_DOMAIN, "IsInf", 10, (1, 1), is_inf::build),
    entry(ONNX_DOMAIN, "IsNaN", 9, (1, 1), is_nan::build),
    entry(ONNX_DOMAIN, "LeakyRelu", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Less", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "LessOrEqual", 12, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Log", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "LogSoftmax", 1, (1, 1), softmax::build_1),
    entry(ONNX_DOMAIN, "LogSoftmax", 13, (1, 1), softmax::build_13),
    entry(ONNX_DOMAIN, "LpNormalization", 1, (1, 1), lp_normalization::build),
    entry(ONNX_DOMAIN, "MatMul", 1, (2, 2), mat_mul::build),
    entry(ONNX_DOMAIN, "Max", 1, (1, MANY), binary::build_of_several),
    entry(ONNX_DOMAIN, "Mean", 1, (1, MANY), binary::build_of_several),
    entry(ONNX_DOMAIN, "Min", 1, (1, MANY), binary::build_of_several),
    entry(ONNX_DOMAIN, "Mish", 18, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Mod", 10, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Mul", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Neg", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "NonZero", 9, (1, 1), non_zero::build),
    entry(ONNX_DOMAIN, "Not", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Or", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Pad", 1, (1, 4), pad::build),
    entry(ONNX_DOMAIN, "Pow", 1, (2, 2), pow::build),
    entry(ONNX_DOMAIN, "RNN", 1, (3, 6), rnn::build),
    entry(ONNX_DOMAIN, "Range", 11, (3, 3), range::build),
    entry(ONNX_DOMAIN, "Reciprocal", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "ReduceL1", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceL1", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceL2", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceL2", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceLogSum", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceLogSum", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceLogSumExp", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceLogSumExp", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceMax", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceMax", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceMean", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceMean", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceMin", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceMin", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceProd", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceProd", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceSum", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceSum", 13, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "ReduceSumSquare", 1, (1, 1), reduce::build),
    entry(ONNX_DOMAIN, "ReduceSumSquare", 18, (1, 2), reduce::build_with_input),
    entry(ONNX_DOMAIN, "RegexFullMatch", 20, (1, 1), regex_full_match::build),
    entry(ONNX_DOMAIN, "Relu", 1, (1, 1), clip::build_relu),
    entry(ONNX_DOMAIN, "Reshape", 1, (1, 2), reshape::build),
    entry(ONNX_DOMAIN, "Round", 11, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "ScaledTanh", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Scan", 9, (1, MANY), scan::build),
    entry(ONNX_DOMAIN, "Scatter", 9, (3, 3), scatter::build_elements),
    entry(ONNX_DOMAIN, "ScatterElements", 11, (3, 3), scatter::build_elements),
    entry(ONNX_DOMAIN, "ScatterND", 11, (3, 3), scatter::build_nd),
    entry(ONNX_DOMAIN, "Selu", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Shape", 1, (1, 1), shape_of::build),
    entry(ONNX_DOMAIN, "Sigmoid", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Sign", 9, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Sin", 7, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Size", 1, (1, 1), shape_of::build_size),
    entry(ONNX_DOMAIN, "Slice", 1, (1, 1), slice::build_1),
    entry(ONNX_DOMAIN, "Slice", 10, (3, 5), slice::build),
    entry(ONNX_DOMAIN, "Softmax", 1, (1, 1), softmax::build_1),
    entry(ONNX_DOMAIN, "Softmax", 13, (1, 1), softmax::build_13),
    entry(ONNX_DOMAIN, "Softplus", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Softsign", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Split", 1, (1, 2), split::build),
    entry(ONNX_DOMAIN, "Sqrt", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Squeeze", 1, (1, 2), squeeze::build),
    entry(ONNX_DOMAIN, "StringConcat", 20, (2, 2), string_concat::build),
    entry(ONNX_DOMAIN, "StringNormalizer", 10, (1, 1), string_normalizer::build),
    entry(ONNX_DOMAIN, "StringSplit", 20, (1, 1), string_split::build),
    entry(ONNX_DOMAIN, "Sub", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Sum", 1, (1, MANY), binary::build_of_several),
    entry(ONNX_DOMAIN, "Tanh", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "TfIdfVectorizer", 9, (1, 1), tf_idf_vectorizer::build),
    entry(ONNX_DOMAIN, "ThresholdedRelu", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Tile", 6, (2, 2), tile::build),
    entry(ONNX_DOMAIN, "TopK", 1, (1, 1), top_k::build_1),
    entry(ONNX_DOMAIN, "TopK", 10, (2, 2), top_k::build_10),
    entry(ONNX_DOMAIN, "Transpose", 1, (1, 1), transpose::build),
    entry(ONNX_DOMAIN, "Unique", 11, (1, 1), unique::build),
    entry(ONNX_DOMAIN, "Unsqueeze", 1, (1, 2), squeeze::build_unsqueeze),
    entry(ONNX_DOMAIN, "Where", 9, (3, 3), where_::build),
    entry(ONNX_DOMAIN, "Xor", 1, (2, 2), binary::build),
    entry(ML_DOMAIN, "ArrayFeatureExtractor", 1, (2, 2), array_feature_extractor::build),
    entry(ML_DOMAIN, "Binarizer", 1, (1, 1), binarizer::build),
    entry(ML_DOMAIN, "CastMap", 1, (1, 2), cast_map::build),
    entry(ML_DOMAIN, "CategoryMapper", 1, (1, 1), category_mapper::build),
    entry(ML_DOMAIN, "DictVectorizer", 1, (1, 2), dict_vectorizer::build),
    entry(ML_DOMAIN, "FeatureVectorizer", 1, (1, MANY), feature_vectorizer::build),
    entry(ML_DOMAIN, "Imputer", 1, (1, 1), imputer::build),
    entry(ML_DOMAIN, "LabelEncoder", 1, (1, 1), label_encoder::build_1),
    entry(ML_DOMAIN, "LabelEncoder", 2, (1, 1), label_encoder::build_2),
    entry(ML_DOMAIN, "LabelEncoder", 4, (1, 1), label_encoder::build_4),
    entry(ML_DOMAIN, "LinearClassifier", 1, (1, 1), linear_classifier::build),
    entry(ML_DOMAIN, "LinearRegressor", 1, (1, 1), linear_regressor::build),
    entry(ML_DOMAIN, "Normalizer", 1, (1, 1), normalizer::build),
    entry(ML_DOMAIN, "OneHotEncoder", 1, (1, 1), one_hot_encoder::build),
    entry(ML_DOMAIN, "SVMClassifier", 1, (1, 1), svm_classifier::build),
    entry(ML_DOMAIN, "SVMRegressor", 1, (1, 1), svm_regressor::build),
    entry(ML_DOMAIN, "Scaler", 1, (1, 1), scaler::build),
    entry(ML_DOMAIN, "TreeEnsemble", 5, (1, 1), ensemble::build),
    entry(ML_DOMAIN, "TreeEnsembleClassifier", 1, (1, 1), classifier::build),
    entry(ML_DOMAIN, "TreeEnsembleRegressor", 1, (1, 1), regressor::build),
    entry(MS_DOMAIN, "CDist", 1, (2, 2), cdist::build),
    entry(MS_DOMAIN, "MurmurHash3", 1, (1, 1), murmur_hash3::build),
    entry(MS_DOMAIN, "Tokenizer", 1, (1, 1), tokenizer::build),
];

/// The operators of [`INTERNAL_DOMAIN`].
#[rustfmt::skip]
static INTERNAL: &[Entry] = &[
    entry(INTERNAL_DOMAIN, NEAREST_NEIGHBORS, 1, (1, 1), neighbors::build_nearest),
    entry(INTERNAL_DOMAIN, PAIRWISE_DISTANCES, 1, (2, 2), neighbors::build_distances),
];

/// An operator that models may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorInfo {
    /// Its domain, such as `ai.onnx.ml`.
    pub domain: &'static str,
    /// Its name.
    pub op_type: &'static str,
    /// The version of the domain from which on it is as it is here.
    pub since_version: i64,
}

/// The operators that models may use, sorted by domain and name. An operator that changed comes once for each version of its
/// domain that changed how its nodes are read.
pub fn operators() -> impl Iterator<Item = OperatorInfo> {
    OPERATORS.iter().map(|entry| OperatorInfo {
        domain: display(entry.domain),
        op_type: entry.op_type,
        since_version: entry.since_version,
    })
}

/// The entry of an operator as version `version` of its domain has it.
pub(crate) fn entry_of(domain: &str, op_type: &str, version: i64) -> Option<&'static Entry> {
    if domain == INTERNAL_DOMAIN {
        return INTERNAL.iter().find(|entry| entry.op_type == op_type);
    }
    // The last one that is not behind what is looked for.
    let key = |entry: &Entry| (rank(entry.domain), entry.op_type, entry.since_version);
    let wanted = (rank(domain), op_type, version);
    let end = OPERATORS.partition_point(|entry| key(entry) <= wanted);
    let entry = &OPERATORS[end.checked_sub(1)?];
    (entry.domain == domain && entry.op_type == op_type).then_some(entry)
}

/// The place of a domain in the table.
fn rank(domain: &str) -> Option<usize> {
    NEWEST_VERSIONS
        .iter()
        .position(|(known, _)| *known == domain)
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
    if domain != INTERNAL_DOMAIN && entry_of(domain, &node.op_type, version).is_some() {
        return Ok(());
    }
    Err(unsupported(format!(
        "operator {} of {} version {version} is not supported",
        node.op_type,
        display(domain)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_unique() {
        let keys: Vec<_> = OPERATORS
            .iter()
            .map(|entry| (rank(entry.domain), entry.op_type, entry.since_version))
            .collect();
        assert!(keys.is_sorted());
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn entries_are_found_by_version() {
        let since = |domain, op_type, version| {
            entry_of(domain, op_type, version).map(|entry| entry.since_version)
        };
        assert_eq!(since(ONNX_DOMAIN, "Softmax", 12), Some(1));
        assert_eq!(since(ONNX_DOMAIN, "Softmax", 13), Some(13));
        assert_eq!(since(ONNX_DOMAIN, "Det", 10), None);
        assert_eq!(since(ML_DOMAIN, "Softmax", 5), None);
        assert_eq!(since("unknown", "Softmax", 13), None);
    }
}
