//! Products of matrices.

pub(crate) mod packed;
pub(crate) mod panels;
pub(crate) mod tiles;
