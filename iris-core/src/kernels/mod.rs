//! Numbers only: loops over slices, which know neither tract nor ONNX. Imports guards and errors.

pub(crate) mod along;
pub(crate) mod array;
pub(crate) mod broadcast;
pub(crate) mod contraction;
pub(crate) mod exp;
pub(crate) mod functions;
pub(crate) mod lanes;
pub(crate) mod linear;
pub(crate) mod linear_scores;
pub(crate) mod ln;
pub(crate) mod matmul;
pub(crate) mod neighbors;
pub(crate) mod normalize;
pub(crate) mod post_transform;
pub(crate) mod ranks;
pub(crate) mod real;
pub(crate) mod reduce;
pub(crate) mod simd;
pub(crate) mod softmax;
pub(crate) mod svm;
pub(crate) mod tanh;
pub(crate) mod text;
pub(crate) mod transpose;
pub(crate) mod trees;
