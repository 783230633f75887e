//! Rewrites of a model before it is planned. Imports what an operator is, and what is below it.

pub(crate) mod conditions;
pub(crate) mod inline;
pub(crate) mod maps;
pub(crate) mod neighbors;
pub(crate) mod normalize;
pub(crate) mod presentation;
