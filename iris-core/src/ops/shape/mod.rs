//! Operators that give the elements of tensors another place, shape or number.

pub(crate) mod cast;
pub(crate) mod cast_like;
pub(crate) mod compress;
pub(crate) mod concat;
pub(crate) mod constant;
pub(crate) mod constant_of_shape;
pub(crate) mod cum_sum;
pub(crate) mod expand;
pub(crate) mod eye_like;
pub(crate) mod gather;
pub(crate) mod non_zero;
pub(crate) mod pad;
pub(crate) mod range;
pub(crate) mod reshape;
pub(crate) mod scatter;
pub(crate) mod shape_of;
pub(crate) mod slice;
pub(crate) mod split;
pub(crate) mod squeeze;
pub(crate) mod tile;
pub(crate) mod transpose;
pub(crate) mod where_;
