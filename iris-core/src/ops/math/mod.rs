//! Operators of ai.onnx that compute.

pub(crate) mod arg_max;
pub(crate) mod batch_normalization;
pub(crate) mod binary;
pub(crate) mod cdist;
pub(crate) mod clip;
pub(crate) mod det;
pub(crate) mod deviations;
pub(crate) mod einsum;
pub(crate) mod gemm;
pub(crate) mod hardmax;
pub(crate) mod is_inf;
pub(crate) mod is_nan;
pub(crate) mod layers;
pub(crate) mod lp_normalization;
pub(crate) mod mat_mul;
pub(crate) mod neighbors;
pub(crate) mod pow;
pub(crate) mod predicate;
pub(crate) mod product;
pub(crate) mod reduce;
pub(crate) mod reducer;
pub(crate) mod softmax;
pub(crate) mod top_k;
pub(crate) mod unary;
pub(crate) mod unique;
