//! The graphs inside of a node.

use tract_onnx::pb;

/// The graphs in a node's attributes.
pub(crate) fn graphs(node: &pb::NodeProto) -> impl Iterator<Item = &pb::GraphProto> {
    let attributes = node.attribute.iter();
    attributes.flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}
