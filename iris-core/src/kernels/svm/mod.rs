//! Support vector machines, as libsvm defines them.
//!
//! Source: C.-C. Chang and C.-J. Lin, "LIBSVM: a library for support vector machines", ACM TIST 2(3), 2011.

pub(crate) mod coupling;
pub(crate) mod kernel;
