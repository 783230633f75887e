//! Support vector machines, as libsvm defines them.
//!
//! Source: C.-C. Chang and C.-J. Lin, "LIBSVM: a library for support vector machines", ACM TIST 2(3), 2011.

pub(super) mod classifier;
mod coupling;
pub(super) mod exp;
mod kernel;
pub(super) mod regressor;
