//! Finds products of matrices in a typed graph, with what is done before and after them.

use tract_onnx::tract_hir::internal::*;

use crate::kernels::matmul::packed::{Layers, Product, places};
use crate::kernels::real::Real;
use crate::ops::math::binary::{Function, function_of};
use crate::ops::math::product;
use crate::optimize::fuse::Fused;
use crate::value::slots::Slot;

/// The [`Layers`] for the place of `node` and of what follows it and nothing else reads.
pub(crate) fn fused(graph: &TypedModel, node: &TypedNode) -> TractResult<Option<Fused>> {
    let Some((datum_type, _)) = constant_factor(graph, node)? else {
        return Ok(None);
    };
    match datum_type {
        DatumType::F32 => layers::<f32>(graph, node).map(Some),
        DatumType::F64 => layers::<f64>(graph, node).map(Some),
        _ => Ok(None),
    }
}

/// The second factor of a product.
struct Factor<'g> {
    tensor: &'g Tensor,
    /// Whether it is `[n, k]`.
    is_transposed: bool,
}

/// If `node` multiplies a matrix with a constant one: their type, and the constant.
fn constant_factor<'g>(
    graph: &'g TypedModel,
    node: &TypedNode,
) -> TractResult<Option<(DatumType, Factor<'g>)>> {
    let Some(is_transposed) = product::is_transposed(graph, node) else {
        return Ok(None);
    };
    let &[a, b] = &node.inputs[..] else {
        return Ok(None);
    };
    let (a, b) = (graph.outlet_fact(a)?, graph.outlet_fact(b)?);
    let constant = b.konst.as_ref().filter(|b| b.len() > 0);
    Ok(constant.map(|tensor| {
        let factor = Factor {
            tensor,
            is_transposed,
        };
        (a.datum_type, factor)
    }))
}

pub(crate) fn layers<T: Real + Datum + Slot>(
    graph: &TypedModel,
    first: &TypedNode,
) -> TractResult<Fused> {
    let mut layers = vec![];
    let (mut node, mut last) = (Some(first), first);
    while let Some(product) = node
        && let Some((datum_type, b)) = constant_factor(graph, product)?
        && datum_type == T::datum_type()
    {
        let (layer, end) = layer::<T>(graph, product, &b)?;
        layers.push(layer);
        last = end;
        node = only_reader(graph, last);
    }
    let (input, mean) = subtracted::<T>(graph, first.inputs[0])?;
    let layers = Layers {
        mean,
        products: layers,
    };
    Ok(Fused {
        last: last.id,
        operator: Arc::new(layers),
        input,
    })
}

/// The matrix from whose rows a constant one is subtracted, if that is what makes `outlet` and nothing else reads it, and
/// this row; else what makes `outlet`.
fn subtracted<T: Real + Datum>(
    graph: &TypedModel,
    outlet: OutletId,
) -> TractResult<(OutletId, Option<Vec<T>>)> {
    let found = || {
        let node = graph.node(outlet.node);
        only_reader(graph, node)?;
        let &[x, row] = &node.inputs[..] else {
            return None;
        };
        let (x_fact, row) = (graph.outlet_fact(x).ok()?, graph.outlet_fact(row).ok()?);
        let fact = &node.outputs[0].fact;
        let fits = function_of(node) == Some(Function::Sub)
            && x_fact.shape == fact.shape
            && [x_fact.datum_type, row.datum_type] == [T::datum_type(); 2];
        let row = row.konst.as_ref().filter(|_| fits)?;
        let k = fact.shape.last()?.to_usize().ok()?;
        let is_row = row.shape().last() == Some(&row.len()) && row.len() == k;
        is_row.then_some((x, row))
    };
    let Some((x, row)) = found() else {
        return Ok((outlet, None));
    };
    let row = row.try_as_plain_ram()?.as_slice::<T>()?.to_vec();
    Ok((x, Some(row)))
}

/// The product at `node` with `b`, and where what it does ends.
fn layer<'g, T: Real + Datum>(
    graph: &'g TypedModel,
    node: &'g TypedNode,
    b: &Factor<'_>,
) -> TractResult<(Product<T>, &'g TypedNode)> {
    let mut product = Product::<T>::of_factor(b)?;
    let n = product.n;
    let mut last = node;
    if let Some((next, factor)) = next(graph, last, Function::Mul)
        && factor.len() == 1
        && factor.datum_type() == T::datum_type()
        && let factor = factor.cast_to_scalar::<f64>()?
        && is_power_of_two(factor)
    {
        product.scale(factor);
        last = next;
    }
    if let Some(next) = added_squares(graph, node, last, product.k) {
        product.adds_squares = true;
        last = next;
    }
    if let Some((next, bias)) = next(graph, last, Function::Add)
        && bias.datum_type() == T::datum_type()
        && bias.shape().last().is_none_or(|last| *last == bias.len())
        && [1, n].contains(&bias.len())
    {
        let bias = bias.try_as_plain_ram()?;
        let bias = bias.as_slice::<T>()?.iter().cycle();
        for (slot, &bias) in product.bias[..n].iter_mut().zip(bias) {
            *slot = bias;
        }
        last = next;
    }
    if let Some((next, floor)) = next(graph, last, Function::Max)
        && floor.len() == 1
        && floor.datum_type() == T::datum_type()
        && floor.cast_to_scalar::<f64>()? == 0.0
    {
        product.relu = true;
        last = next;
    }
    Ok((product, last))
}

/// Whether a product by `factor`, which is small, is exact.
fn is_power_of_two(factor: f64) -> bool {
    let mantissa = factor.to_bits() << (u64::BITS - f64::MANTISSA_DIGITS + 1);
    (0.25..=4.0).contains(&factor.abs()) && mantissa == 0
}

/// The node that adds the sums of the squares of the rows of what `product` multiplies, of `k` columns, to `last`, which
/// nothing else reads.
fn added_squares<'g>(
    graph: &'g TypedModel,
    product: &TypedNode,
    last: &TypedNode,
    k: usize,
) -> Option<&'g TypedNode> {
    let reader = only_reader(graph, last)?;
    let other = reader.inputs.iter().find(|input| input.node != last.id)?;
    let squares = graph.nodes.get(other.node)?;
    let a = product.inputs[0];
    let a_fact = graph.outlet_fact(a).ok()?;
    // `k` is more than 1, so a tensor of one column can only be the row sums, not `a` itself.
    let sums: &[TDim] = &[a_fact.shape.first()?.clone(), 1.to_dim()];
    let is_sum = squares.op.name() == "ReduceSumSquare"
        && *squares.inputs.first()? == a
        && k > 1
        && squares.outputs[0].fact.shape.dims() == sums;
    let is_added = function_of(reader) == Some(Function::Add)
        && reader.outputs[0].fact.shape == last.outputs[0].fact.shape;
    (is_sum && is_added).then_some(reader)
}

/// The node that alone reads `node`'s output.
fn only_reader<'g>(graph: &'g TypedModel, node: &TypedNode) -> Option<&'g TypedNode> {
    let &[reader] = &node.outputs[0].successors[..] else {
        return None;
    };
    let is_output = graph.outputs.contains(&node.id.into());
    graph.nodes.get(reader.node).filter(|_| !is_output)
}

/// The node that alone reads `node`'s output, if it is `function` and its other operand is constant.
pub(crate) fn next<'g>(
    graph: &'g TypedModel,
    node: &TypedNode,
    function: Function,
) -> Option<(&'g TypedNode, &'g Arc<Tensor>)> {
    let reader = only_reader(graph, node).filter(|node| function_of(node) == Some(function))?;
    let other = reader.inputs.iter().find(|input| input.node != node.id)?;
    let constant = graph.outlet_fact(*other).ok()?.konst.as_ref()?;
    let same_shape = reader.outputs[0].fact.shape == node.outputs[0].fact.shape;
    same_shape.then_some((reader, constant))
}

impl<T: Real + Datum> Product<T> {
    fn of_factor(b: &Factor<'_>) -> TractResult<Self> {
        let &[rows, columns] = b.tensor.shape() else {
            bail!("a matrix of {} dimensions", b.tensor.rank());
        };
        let numbers = b.tensor.try_as_plain_ram()?;
        let numbers = numbers.as_slice::<T>()?;
        let (k, n, row, column) = if b.is_transposed {
            (columns, rows, 1, columns)
        } else {
            (rows, columns, columns, 1)
        };
        let mut product = Self::of_nothing(n);
        product.pack(numbers, &places(k, row), &places(n, column));
        Ok(product)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_exact_factors() {
        for factor in [1.0, -2.0, 0.5, 4.0] {
            assert!(is_power_of_two(factor), "{factor}");
        }
        for factor in [
            0.0,
            3.0,
            1e-300,
            f64::NAN,
            f64::INFINITY,
            1.0 + f64::EPSILON,
        ] {
            assert!(!is_power_of_two(factor), "{factor}");
        }
    }
}
