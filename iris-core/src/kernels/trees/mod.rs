//! Trees and forests.

pub(crate) mod columns;
pub(crate) mod forest;
pub(crate) mod key;
pub(crate) mod masks;
pub(crate) mod order;
pub(crate) mod sets;
pub(crate) mod tree;
pub(crate) mod votes;
pub(crate) mod walk;
