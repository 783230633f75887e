//! What takes time: loops of which operators are made, and operators that take the place of several, in a graph that has been
//! typed.

mod deviations;
pub(super) mod exponential;
pub(super) mod functions;
pub(super) mod product;
pub(super) mod reduce;
mod tiles;

use tract_onnx::tract_hir::internal::*;

use super::operator::node_in_place;

/// `graph` with one operator in the place of several where there is one that does the same.
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
    Ok(graph)
}
