//! The operators. Import what an operator is, kernels and what an ONNX file says.

pub(crate) mod math;
pub(crate) mod ml;
pub(crate) mod rnn;
pub(crate) mod shape;
pub(crate) mod text;
