//! What takes time: loops of which operators are made, and operators that take the place of several, in a graph that has been
//! typed.

use tract_onnx::tract_hir::internal::*;

use crate::operator::Operator;
use crate::operator::node::OperatorNode;
use crate::optimize::{deviations, layers};

/// One operator that does what several nodes do.
pub(crate) struct Fused {
    /// The last of the nodes, whose place the operator takes.
    pub(crate) last: usize,
    pub(crate) operator: Arc<dyn Operator>,
    pub(crate) input: OutletId,
}

/// `graph` with one operator in the place of several nodes where there is one that does the same.
pub(crate) fn replace(mut graph: TypedModel) -> TractResult<TypedModel> {
    let mut is_kept = vec![false; graph.nodes.len()];
    for outlet in &graph.outputs {
        is_kept[outlet.node] = true;
    }
    let mut is_idle = vec![false; graph.nodes.len()];
    for id in 0..graph.nodes.len() {
        if is_idle[id] || !graph.nodes[id].op_is::<OperatorNode>() {
            continue;
        }
        let node = &graph.nodes[id];
        let fused = match layers::fused(&graph, node)? {
            None => deviations::fused(&graph, node),
            product => product,
        };
        if let Some(fused) = fused {
            put_in_place(&mut graph, fused, &is_kept, &mut is_idle)?;
        }
    }
    Ok(graph)
}

/// Puts an operator in its place; nodes that nothing reads any more read nothing.
fn put_in_place(
    graph: &mut TypedModel,
    fused: Fused,
    is_kept: &[bool],
    is_idle: &mut [bool],
) -> TractResult<()> {
    let Fused {
        last,
        operator,
        input,
    } = fused;
    let mut left = vec![last];
    while let Some(id) = left.pop() {
        for (slot, read) in std::mem::take(&mut graph.nodes[id].inputs)
            .into_iter()
            .enumerate()
        {
            let inlet = InletId::new(id, slot);
            let producer = &mut graph.nodes[read.node];
            producer.outputs[read.slot]
                .successors
                .retain(|reader| *reader != inlet);
            let is_read = producer
                .outputs
                .iter()
                .any(|output| !output.successors.is_empty());
            let is_needed = is_read || is_kept[read.node] || read.node == input.node;
            if !is_needed && !std::mem::replace(&mut is_idle[read.node], true) {
                left.push(read.node);
            }
        }
    }
    let node = graph.nodes[last].op_as::<OperatorNode>();
    let node = node.context("an operator that is fused")?.with(operator);
    graph.nodes[last].op = Box::new(node);
    graph.add_edge(input, InletId::new(last, 0))
}
