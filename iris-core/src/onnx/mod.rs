//! What an ONNX file says: domains, names, attributes, signatures. Imports values, guards and errors.

pub(crate) mod attributes;
pub(crate) mod constants;
pub(crate) mod domains;
pub(crate) mod graphs;
pub(crate) mod makers;
pub(crate) mod node_modes;
pub(crate) mod opset_changes;
#[cfg(test)]
pub(crate) mod protos;
pub(crate) mod signature;
