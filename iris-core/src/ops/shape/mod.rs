//! Operators that give the elements of tensors another place, shape or number.

pub(super) mod concat;
pub(super) mod constant;
pub(super) mod cum_sum;
pub(super) mod expand;
pub(super) mod eye_like;
pub(super) mod range;
pub(super) mod reshape;
pub(super) mod shape;
pub(super) mod split;
pub(super) mod squeeze;
pub(super) mod tile;
pub(super) mod transpose;
