//! How a graph runs. Imports the table of operators and what is below it.

pub(crate) mod blocks;
pub(crate) mod outputs;
pub(crate) mod planned;
pub(crate) mod recent;
pub(crate) mod runner;
pub(crate) mod sizes;
pub(crate) mod wire_fused;
pub(crate) mod wire_product;
pub(crate) mod wiring;
