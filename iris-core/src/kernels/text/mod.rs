//! Text: numbers in it, and regular expressions.

pub(crate) mod numbers;
pub(crate) mod re2;
