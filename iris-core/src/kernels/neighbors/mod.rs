//! Nearest neighbors.

pub(crate) mod metric;
pub(crate) mod nearest;
