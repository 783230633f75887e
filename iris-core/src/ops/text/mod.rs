//! Operators for text.

pub(crate) mod murmur_hash3;
pub(crate) mod regex_full_match;
pub(crate) mod string_concat;
pub(crate) mod string_normalizer;
pub(crate) mod string_split;
pub(crate) mod text_cast;
pub(crate) mod tf_idf_vectorizer;
pub(crate) mod tokenizer;
