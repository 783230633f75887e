//! Operators of ai.onnx.ml.

pub(crate) mod array_feature_extractor;
pub(crate) mod binarizer;
pub(crate) mod cast_map;
pub(crate) mod category_mapper;
pub(crate) mod dict_vectorizer;
pub(crate) mod feature_vectorizer;
pub(crate) mod imputer;
pub(crate) mod label_encoder;
pub(crate) mod linear;
pub(crate) mod linear_classifier;
pub(crate) mod linear_regressor;
pub(crate) mod normalizer;
pub(crate) mod one_hot_encoder;
pub(crate) mod post_transform;
pub(crate) mod scaler;
pub(crate) mod svm;
pub(crate) mod svm_classifier;
pub(crate) mod svm_regressor;
pub(crate) mod tree_ensemble;
