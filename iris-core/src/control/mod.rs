//! Operators that hold graphs. Imports operators and what is below them.

pub(crate) mod if_;
pub(crate) mod scan;
