//! What the function answers: the response object, and the bodies in it.

pub(crate) mod health;
pub(crate) mod prediction;
pub(crate) mod response;
