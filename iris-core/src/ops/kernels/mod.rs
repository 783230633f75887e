//! Operators of ours in the place of tract's, in a graph that tract has typed: for a small model tract's cost more to call
//! than to compute, and for many rows they go through general iterators.

mod broadcast;
mod deviations;
pub(super) mod exponential;
mod product;
pub(super) mod reduce;
mod tiles;

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_hir::tract_core::ops::nn::Reduce;

use super::operator::node_in_place;

/// `graph` with our operators where they do the same.
pub(crate) fn replace(mut graph: TypedModel) -> TractResult<TypedModel> {
    let mut id = 0;
    while let Some(node) = graph.nodes.get(id) {
        id += 1;
        let patch = match product::patch(&graph, node)? {
            None => deviations::patch(&graph, node)?,
            product => product,
        };
        if let Some(patch) = patch {
            patch.apply(&mut graph)?;
            // What it takes the place of must not be found again.
            graph.compact()?;
            id = 0;
        }
    }
    for id in 0..graph.nodes.len() {
        if let Some(patch) = simple(&graph, &graph.nodes[id])? {
            patch.apply(&mut graph)?;
        }
    }
    graph.compact()?;
    Ok(graph)
}

/// One operator for one.
fn simple(graph: &TypedModel, node: &TypedNode) -> TractResult<Option<TypedModelPatch>> {
    let facts = graph.node_input_facts(node.id)?;
    let new = if let Some(op) = node.op_as::<TypedBinOp>() {
        broadcast::Broadcast::new(op, &facts).map(|op| node_in_place(node, op))
    } else if let Some(op) = node.op_as::<Reduce>() {
        reduce::Reduce::new(op, &facts).map(|op| node_in_place(node, op))
    } else {
        exponential::Exponential::new(node, &facts).map(|op| node_in_place(node, op))
    };
    new.map(|op| TypedModelPatch::replace_single_op(graph, node, &node.inputs, op))
        .transpose()
}
