//! Passes over typed graphs. Imports operators and what is below them.

pub(crate) mod deviations;
pub(crate) mod fuse;
pub(crate) mod layers;
pub(crate) mod linear;
