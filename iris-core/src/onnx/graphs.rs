//! The graphs inside of a node, and which outputs it has.

use tract_onnx::pb;
use tract_onnx::prelude::TVec;

/// The graphs in a node's attributes.
pub(crate) fn graphs(node: &pb::NodeProto) -> impl Iterator<Item = &pb::GraphProto> {
    let attributes = node.attribute.iter();
    attributes.flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}

/// Which of a node's outputs have a name: the others are not wanted.
pub(crate) fn named_outputs(node: &pb::NodeProto) -> TVec<usize> {
    let outputs = node.output.iter().enumerate();
    let named = outputs.filter(|(_, name)| !name.is_empty());
    named.map(|(place, _)| place).collect()
}
