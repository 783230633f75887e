//! Finds sums of squared deviations in a typed graph.

use tract_onnx::tract_hir::internal::*;

use crate::operator::node::operator_of;
use crate::ops::math::binary::Function;
use crate::ops::math::deviations::Deviations;
use crate::ops::math::{binary, reduce};
use crate::ops::shape::squeeze::Unsqueeze;
use crate::optimize::fuse::Fused;

/// The [`Deviations`] for the place of the sum at `node` and of what it alone reads.
pub(crate) fn fused(graph: &TypedModel, node: &TypedNode) -> Option<Fused> {
    let (input, deviations) = found(graph, node)?;
    Some(Fused {
        last: node.id,
        operator: Arc::new(deviations),
        input,
    })
}

fn found(graph: &TypedModel, node: &TypedNode) -> Option<(OutletId, Deviations)> {
    let (axes, keeps_dim) = reduce::summed_axes(graph, node)?;
    if axes[..] != [2] {
        return None;
    }
    let weighted = alone_read(graph, *node.inputs.first()?)?;
    let (squares, weights, is_divisor) = match operands(graph, weighted, Function::Mul) {
        Some((squares, weights)) => (squares, weights, false),
        None => {
            let (squares, divisors) = operands(graph, weighted, Function::Div)?;
            let is_divided = squares.id == weighted.inputs[0].node;
            is_divided.then_some((squares, divisors, true))?
        }
    };
    let differences = squared(graph, squares)?;
    // Which of the two is subtracted makes no difference to the square.
    let (column, means) = operands(graph, differences, Function::Sub)?;
    if operator_of::<Unsqueeze>(column)?.axes != [1] {
        return None;
    }
    let x = column.inputs[0];
    let fact = graph.outlet_fact(x).ok()?;
    let (&[1, n_classes, n_features], [1, ..]) = (means.shape(), weights.shape()) else {
        return None;
    };
    let is_float = |datum_type| datum_type == DatumType::F32;
    let fits = fact.rank() == 2
        && fact.shape[1] == n_features.to_dim()
        && n_features > 0
        && weights.shape() == means.shape()
        && [fact.datum_type, means.datum_type(), weights.datum_type()]
            .into_iter()
            .all(is_float);
    let numbers = |tensor: &Tensor| {
        let view = tensor.try_as_plain_ram().ok()?;
        Some(view.as_slice::<f32>().ok()?.to_vec())
    };
    fits.then_some(())?;
    let deviations = Deviations {
        n_classes,
        n_features,
        means: numbers(means)?,
        weights: if is_divisor {
            numbers(weights)?.into_iter().map(f32::recip).collect()
        } else {
            numbers(weights)?
        },
        keeps_dim,
    };
    Some((x, deviations))
}

/// The node whose output `squares` alone reads and squares.
fn squared<'g>(graph: &'g TypedModel, squares: &TypedNode) -> Option<&'g TypedNode> {
    let &[x, exponent] = &squares.inputs[..] else {
        return None;
    };
    let exponent = graph.outlet_fact(exponent).ok()?.konst.as_ref()?;
    let is_square = squares.op.name() == "Pow"
        && exponent.len() == 1
        && exponent.cast_to_scalar::<f64>().ok()? == 2.0;
    alone_read(graph, x).filter(|_| is_square)
}

fn alone_read(graph: &TypedModel, outlet: OutletId) -> Option<&TypedNode> {
    let node = graph.nodes.get(outlet.node)?;
    let is_alone = node.outputs.len() == 1 && node.outputs[0].successors.len() == 1;
    (is_alone && !graph.outputs.contains(&outlet)).then_some(node)
}

/// The two operands of `node`, if it computes `function`: one that is computed for it alone, and a constant.
fn operands<'g>(
    graph: &'g TypedModel,
    node: &TypedNode,
    function: Function,
) -> Option<(&'g TypedNode, &'g Arc<Tensor>)> {
    let &[a, b] = &node.inputs[..] else {
        return None;
    };
    if binary::function_of(node) != Some(function) {
        return None;
    }
    let constant = |outlet| graph.outlet_fact(outlet).ok()?.konst.as_ref();
    match (constant(a), constant(b)) {
        (None, Some(constant)) => Some((alone_read(graph, a)?, constant)),
        (Some(constant), None) => Some((alone_read(graph, b)?, constant)),
        _ => None,
    }
}
