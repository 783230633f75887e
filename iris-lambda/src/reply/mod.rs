//! The answers of the function: the response object, and the bodies in it.

pub(crate) mod health;
pub(crate) mod prediction;
pub(crate) mod response;
