//! The classes and functions that Python sees, and nothing of how their values are read and made.

pub(crate) mod iris;
mod load;
pub(crate) mod model;
pub(crate) mod session;
pub(crate) mod signature;
