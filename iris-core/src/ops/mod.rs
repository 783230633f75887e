//! The table of all operators that models may use.

mod arg_max;
mod array_feature_extractor;
pub(crate) mod attributes;
mod axes;
mod batch_normalization;
mod binarizer;
mod binary;
mod cast;
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
mod lp_normalization;
mod maps;
mod mat_mul;
mod murmur_hash3;
mod neighbors;
mod non_zero;
mod normalizer;
mod number_text;
mod one_hot_encoder;
pub(crate) mod operator;
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
mod shape;
pub(crate) mod simd;
mod slice;
mod softmax;
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

use tract_onnx::pb::{ModelProto, NodeProto, OperatorSetIdProto};

use crate::error::{Error, ErrorKind, Result};
use attributes::Attributes;
pub(crate) use changes::is_same_operator;
pub(crate) use conditional::{ASSUMED, Surprise};
pub(crate) use direct::typed_graph;
pub(crate) use neighbors::Metric;
use operator::Built;
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

type Builder = fn(&mut Attributes<'_>) -> Result<Built>;

/// One operator: what it is called, from which version of its domain on, how many inputs it has, and how a node of it is built.
struct Entry {
    domain: &'static str,
    op_type: &'static str,
    since_version: i64,
    /// The least and the most inputs; those beyond the least are optional. A map comes as two: its keys and its values.
    inputs: (usize, usize),
    build: Builder,
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
    entry(ONNX_DOMAIN, "Concat", 1, (1, MANY), shape::concat::build),
    entry(ONNX_DOMAIN, "Constant", 1, (0, 0), shape::constant::build),
    entry(ONNX_DOMAIN, "ConstantOfShape", 9, (1, 1), constant_of_shape::build),
    entry(ONNX_DOMAIN, "Cos", 7, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "CumSum", 11, (2, 2), shape::cum_sum::build),
    entry(ONNX_DOMAIN, "Det", 11, (1, 1), det::build),
    entry(ONNX_DOMAIN, "Div", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Einsum", 12, (1, MANY), einsum::build),
    entry(ONNX_DOMAIN, "Elu", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Equal", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Erf", 9, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Exp", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Expand", 8, (2, 2), shape::expand::build),
    entry(ONNX_DOMAIN, "EyeLike", 9, (1, 1), shape::eye_like::build),
    entry(ONNX_DOMAIN, "Flatten", 1, (1, 1), shape::reshape::build_flatten),
    entry(ONNX_DOMAIN, "Floor", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Gather", 1, (2, 2), gather::build),
    entry(ONNX_DOMAIN, "GatherElements", 11, (2, 2), gather::build_elements),
    entry(ONNX_DOMAIN, "GatherND", 11, (2, 2), gather::build_nd),
    entry(ONNX_DOMAIN, "Gemm", 1, (2, 3), gemm::build),
    entry(ONNX_DOMAIN, "Greater", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "GreaterOrEqual", 12, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "HardSigmoid", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Identity", 1, (1, 1), shape::constant::build_identity),
    entry(ONNX_DOMAIN, "If", 1, (1, 1), conditional::build),
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
    entry(ONNX_DOMAIN, "Mod", 10, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Mul", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Neg", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "NonZero", 9, (1, 1), non_zero::build),
    entry(ONNX_DOMAIN, "Not", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Or", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Pad", 1, (1, 4), pad::build),
    entry(ONNX_DOMAIN, "Pow", 1, (2, 2), pow::build),
    entry(ONNX_DOMAIN, "RNN", 1, (3, 6), rnn::build),
    entry(ONNX_DOMAIN, "Range", 11, (3, 3), shape::range::build),
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
    entry(ONNX_DOMAIN, "Reshape", 1, (1, 2), shape::reshape::build),
    entry(ONNX_DOMAIN, "Round", 11, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "ScaledTanh", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Scan", 9, (1, MANY), scan::build),
    entry(ONNX_DOMAIN, "Scatter", 9, (3, 3), scatter::build_elements),
    entry(ONNX_DOMAIN, "ScatterElements", 11, (3, 3), scatter::build_elements),
    entry(ONNX_DOMAIN, "ScatterND", 11, (3, 3), scatter::build_nd),
    entry(ONNX_DOMAIN, "Selu", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Shape", 1, (1, 1), shape::shape::build),
    entry(ONNX_DOMAIN, "Sigmoid", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Sign", 9, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Sin", 7, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Size", 1, (1, 1), shape::shape::build_size),
    entry(ONNX_DOMAIN, "Slice", 1, (1, 1), slice::build_1),
    entry(ONNX_DOMAIN, "Slice", 10, (3, 5), slice::build),
    entry(ONNX_DOMAIN, "Softmax", 1, (1, 1), softmax::build_1),
    entry(ONNX_DOMAIN, "Softmax", 13, (1, 1), softmax::build_13),
    entry(ONNX_DOMAIN, "Softplus", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Softsign", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Split", 1, (1, 2), shape::split::build),
    entry(ONNX_DOMAIN, "Sqrt", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Squeeze", 1, (1, 2), shape::squeeze::build),
    entry(ONNX_DOMAIN, "StringConcat", 20, (2, 2), string_concat::build),
    entry(ONNX_DOMAIN, "StringNormalizer", 10, (1, 1), string_normalizer::build),
    entry(ONNX_DOMAIN, "StringSplit", 20, (1, 1), string_split::build),
    entry(ONNX_DOMAIN, "Sub", 1, (2, 2), binary::build),
    entry(ONNX_DOMAIN, "Sum", 1, (1, MANY), binary::build_of_several),
    entry(ONNX_DOMAIN, "Tanh", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "TfIdfVectorizer", 9, (1, 1), tf_idf_vectorizer::build),
    entry(ONNX_DOMAIN, "ThresholdedRelu", 1, (1, 1), unary::build),
    entry(ONNX_DOMAIN, "Tile", 6, (2, 2), shape::tile::build),
    entry(ONNX_DOMAIN, "TopK", 1, (1, 1), top_k::build_1),
    entry(ONNX_DOMAIN, "TopK", 10, (2, 2), top_k::build_10),
    entry(ONNX_DOMAIN, "Transpose", 1, (1, 1), shape::transpose::build),
    entry(ONNX_DOMAIN, "Unique", 11, (1, 1), unique::build),
    entry(ONNX_DOMAIN, "Unsqueeze", 1, (1, 2), shape::squeeze::build_unsqueeze),
    entry(ONNX_DOMAIN, "Where", 9, (3, 3), select::build),
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
    entry(ML_DOMAIN, "SVMClassifier", 1, (1, 1), svm::classifier::build),
    entry(ML_DOMAIN, "SVMRegressor", 1, (1, 1), svm::regressor::build),
    entry(ML_DOMAIN, "Scaler", 1, (1, 1), scaler::build),
    entry(ML_DOMAIN, "TreeEnsemble", 5, (1, 1), tree_ensemble::ensemble::build),
    entry(ML_DOMAIN, "TreeEnsembleClassifier", 1, (1, 1), tree_ensemble::classifier::build),
    entry(ML_DOMAIN, "TreeEnsembleRegressor", 1, (1, 1), tree_ensemble::regressor::build),
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

/// The entry of an operator as version `version` of its domain has it.
fn entry_of(domain: &str, op_type: &str, version: i64) -> Option<&'static Entry> {
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
    if domain != INTERNAL_DOMAIN && entry_of(domain, &node.op_type, version).is_some() {
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
