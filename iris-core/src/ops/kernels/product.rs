//! The product of a matrix and a constant one, with what a layer of a network does to it next.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Simd, WithSimd};
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_hir::tract_core::ops::einsum::EinSum;

use super::node_in_place;
use crate::error::{Error, Result};
use crate::ops::operator::Operator;
use crate::ops::real::Real;
use crate::ops::simd;
use crate::ops::tensors;

/// How many columns of `B` lie side by side: a multiple of any register's size.
const PANEL: usize = 32;
/// How many rows of `A` are in flight.
const ROWS: usize = 6;
/// How many rows see a panel before the next one is taken.
const BATCH: usize = 8 * ROWS;

/// `A` `[m, k]` times `B` `[k, n]`, plus `bias` `[n]`, and no less than 0 if `relu` is set.
#[derive(Debug)]
struct Product<T> {
    k: usize,
    n: usize,
    /// `[n / PANEL, k, PANEL]`, rounded up, with zeros at the end.
    panels: Vec<T>,
    /// As long as the panels are wide; zeros if there is none.
    bias: Vec<T>,
    relu: bool,
}

/// Products of which each takes what the one before it gives.
#[derive(Debug)]
struct Layers<T>(Vec<Product<T>>);

/// Puts [`Layers`] in the place of `node` and of what follows it and nothing else reads.
pub(super) fn patch(graph: &TypedModel, node: &TypedNode) -> TractResult<Option<TypedModelPatch>> {
    let Some((datum_type, _)) = constant_factor(graph, node)? else {
        return Ok(None);
    };
    match datum_type {
        DatumType::F32 => patch_of::<f32>(graph, node),
        DatumType::F64 => patch_of::<f64>(graph, node),
        _ => Ok(None),
    }
}

/// If `node` multiplies a matrix with a constant one: their type, and the constant.
fn constant_factor<'g>(
    graph: &'g TypedModel,
    node: &TypedNode,
) -> TractResult<Option<(DatumType, &'g Arc<Tensor>)>> {
    let Some(op) = node.op_as::<EinSum>() else {
        return Ok(None);
    };
    let (&[a, b], None) = (&node.inputs[..], op.q_params) else {
        return Ok(None);
    };
    let (a, b) = (graph.outlet_fact(a)?, graph.outlet_fact(b)?);
    let axes: Vec<char> = op.axes.to_string().chars().collect();
    let &[m, k, ',', k_of_b, n, '-', '>', m_of_c, n_of_c] = &axes[..] else {
        return Ok(None);
    };
    let is_product = [m, k, n] == [m_of_c, k_of_b, n_of_c] && m != k && k != n && n != m;
    let types = [a.datum_type, b.datum_type, op.operating_dt];
    let constant = b.konst.as_ref().filter(|b| b.rank() == 2 && b.len() > 0);
    if !is_product || types.iter().any(|t| *t != types[0]) {
        return Ok(None);
    }
    Ok(constant.map(|constant| (types[0], constant)))
}

fn patch_of<T: Real>(
    graph: &TypedModel,
    first: &TypedNode,
) -> TractResult<Option<TypedModelPatch>> {
    let mut layers = vec![];
    let (mut node, mut last) = (Some(first), first);
    while let Some(product) = node
        && let Some((datum_type, b)) = constant_factor(graph, product)?
        && datum_type == T::datum_type()
    {
        let (layer, end) = layer::<T>(graph, product, b)?;
        layers.push(layer);
        last = end;
        node = only_reader(graph, last).and_then(|next| {
            let is_barrier = next.op.name() == "Barrier";
            if is_barrier {
                only_reader(graph, next)
            } else {
                Some(next)
            }
        });
    }
    let mut input = first.inputs[0];
    let before = graph.node(input.node);
    if before.op.name() == "Barrier" {
        input = before.inputs[0];
    }
    let mut patch = TypedModelPatch::default();
    let inputs = patch.taps(graph, &[input])?;
    let wires = patch.wire_node(&last.name, node_in_place(last, Layers(layers)), &inputs)?;
    patch.shunt_outside(graph, last.id.into(), wires[0])?;
    Ok(Some(patch))
}

/// The product at `node` with `b`, and where what it does ends.
fn layer<'g, T: Real>(
    graph: &'g TypedModel,
    node: &'g TypedNode,
    b: &Tensor,
) -> TractResult<(Product<T>, &'g TypedNode)> {
    let &[k, n] = b.shape() else {
        bail!("a matrix of {} dimensions", b.rank());
    };
    let mut product = Product::new(b.try_as_plain_ram()?.as_slice::<T>()?, k, n);
    let mut last = node;
    if let Some((next, bias)) = next(graph, last, "Add")
        && bias.datum_type() == T::datum_type()
        && bias.shape().last() == Some(&bias.len())
        && [1, n].contains(&bias.len())
    {
        let bias = bias.try_as_plain_ram()?;
        let bias = bias.as_slice::<T>()?.iter().cycle();
        for (slot, &bias) in product.bias[..n].iter_mut().zip(bias) {
            *slot = bias;
        }
        last = next;
    }
    if let Some((next, floor)) = next(graph, last, "Max")
        && floor.len() == 1
        && floor.datum_type() == T::datum_type()
        && floor.cast_to_scalar::<f64>()? == 0.0
    {
        product.relu = true;
        last = next;
    }
    Ok((product, last))
}

/// The node that alone reads `node`'s output.
fn only_reader<'g>(graph: &'g TypedModel, node: &TypedNode) -> Option<&'g TypedNode> {
    let &[reader] = &node.outputs[0].successors[..] else {
        return None;
    };
    let is_output = graph.outputs.contains(&node.id.into());
    graph.nodes.get(reader.node).filter(|_| !is_output)
}

/// The node that alone reads `node`'s output, if its operator is called `name` and its other operand is constant.
fn next<'g>(
    graph: &'g TypedModel,
    node: &TypedNode,
    name: &str,
) -> Option<(&'g TypedNode, &'g Arc<Tensor>)> {
    let reader = only_reader(graph, node)?;
    let op = reader.op_as::<TypedBinOp>()?;
    if op.0.name() != name || op.1.is_some() {
        return None;
    }
    let other = reader.inputs.iter().find(|input| input.node != node.id)?;
    let constant = graph.outlet_fact(*other).ok()?.konst.as_ref()?;
    let same_shape = reader.outputs[0].fact.shape == node.outputs[0].fact.shape;
    same_shape.then_some((reader, constant))
}

impl<T: Real> Product<T> {
    fn new(b: &[T], k: usize, n: usize) -> Self {
        let width = n.next_multiple_of(PANEL);
        let mut panels = vec![T::default(); width * k];
        for row in 0..k {
            for column in 0..n {
                let panel = column / PANEL * PANEL * k;
                panels[panel + row * PANEL + column % PANEL] = b[row * n + column];
            }
        }
        Self {
            k,
            n,
            panels,
            bias: vec![T::default(); width],
            relu: false,
        }
    }
}

/// Appends what the layers make of `a` `[m, k]` to `c`.
struct Multiply<'a, T> {
    layers: &'a [Product<T>],
    a: &'a [T],
    c: &'a mut Vec<T>,
}

impl<T: Real> WithSimd for Multiply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layers, a, c } = self;
        let Some((first, others)) = layers.split_first() else {
            return;
        };
        let n_rows = BATCH.min(a.len() / first.k);
        let widest = layers.iter().map(|layer| layer.bias.len()).max();
        let volume = n_rows * widest.unwrap_or(0);
        let (mut sums, mut given) = (vec![T::default(); volume], vec![T::default(); volume]);
        for a in a.chunks(BATCH * first.k) {
            let n_rows = a.len() / first.k;
            layer_rows(simd, first, a, first.k, n_rows, &mut sums);
            let mut last = first;
            for layer in others {
                std::mem::swap(&mut sums, &mut given);
                layer_rows(simd, layer, &given, last.bias.len(), n_rows, &mut sums);
                last = layer;
            }
            for row in sums.chunks_exact(last.bias.len()).take(n_rows) {
                c.extend_from_slice(&row[..last.n]);
            }
        }
    }
}

/// What `product` makes of `n_rows` rows, of which there is one at each `stride` of `a`, as wide as its panels.
#[inline(always)]
fn layer_rows<T: Real, S: Simd>(
    simd: S,
    product: &Product<T>,
    a: &[T],
    stride: usize,
    n_rows: usize,
    sums: &mut [T],
) {
    let &Product { k, n, relu, .. } = product;
    let width = product.bias.len();
    for first in (0..n).step_by(PANEL) {
        let panel = &product.panels[first * k..][..PANEL * k];
        let bias = &product.bias[first..][..PANEL];
        let sizes = [stride, width, PANEL.min(n - first)];
        let mut at = 0;
        while at < n_rows {
            let (a, sums) = (&a[at * stride..], &mut sums[at * width + first..]);
            at += if n_rows - at >= ROWS {
                block::<T, S, ROWS>(simd, [a, panel, bias], sizes, relu, sums);
                ROWS
            } else {
                block::<T, S, 1>(simd, [a, panel, bias], sizes, relu, sums);
                1
            };
        }
    }
}

/// Multiplies the first `R` rows of `a` with as many columns of a panel, rounded up, as `n`.
#[inline(always)]
fn block<T: Real, S: Simd, const R: usize>(
    simd: S,
    [a, panel, bias]: [&[T]; 3],
    [stride, width, n]: [usize; 3],
    relu: bool,
    sums: &mut [T],
) {
    let (panel, _) = panel.as_chunks::<PANEL>();
    let k = panel.len();
    let rows: [&[T]; R] = std::array::from_fn(|row| &a[row * stride..][..k]);
    let lanes = PANEL / T::vectors::<S>(bias).len();
    let mut start = 0;
    while start * lanes < n {
        if n - start * lanes > lanes {
            columns::<T, S, R, 2>(simd, rows, panel, bias, start, sums, width);
        } else {
            columns::<T, S, R, 1>(simd, rows, panel, bias, start, sums, width);
        }
        start += 2;
    }
    if relu {
        for row in 0..R {
            for sum in &mut sums[row * width..][..n] {
                // What is not a number stays so.
                *sum = if *sum < T::default() {
                    T::default()
                } else {
                    *sum
                };
            }
        }
    }
}

/// Multiplies `rows` with `V` vectors of columns, from the one at `start` on.
#[inline(always)]
fn columns<T: Real, S: Simd, const R: usize, const V: usize>(
    simd: S,
    rows: [&[T]; R],
    panel: &[[T; PANEL]],
    bias: &[T],
    start: usize,
    sums: &mut [T],
    width: usize,
) {
    let Some(&bias) = T::vectors::<S>(bias)[start..].first_chunk::<V>() else {
        return;
    };
    let mut totals = [[T::splat(simd, T::default()); V]; R];
    for (at, panel) in panel.iter().enumerate() {
        let Some(&b) = T::vectors::<S>(panel)[start..].first_chunk::<V>() else {
            return;
        };
        for (totals, row) in totals.iter_mut().zip(rows) {
            let a = T::splat(simd, row[at]);
            for (total, b) in totals.iter_mut().zip(b) {
                *total = T::mul_add(simd, a, b, *total);
            }
        }
    }
    for (row, totals) in totals.iter().enumerate() {
        let sums = &mut T::vectors_mut::<S>(&mut sums[row * width..][..PANEL])[start..];
        for ((sum, &total), bias) in sums.iter_mut().zip(totals).zip(bias) {
            *sum = T::sum(simd, total, bias);
        }
    }
}

impl<T: Real> Layers<T> {
    fn ends(&self) -> Result<(&Product<T>, &Product<T>)> {
        let ends = self.0.first().zip(self.0.last());
        ends.ok_or_else(|| tensors::invalid("no layers"))
    }
}

impl<T: Real> Operator for Layers<T> {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [a] = tensors::inputs(inputs)?;
        let [m, _] = a.shape.dims() else {
            let message = format!("expected 2 dimensions, got {}", a.rank());
            return Err(tensors::invalid(message));
        };
        let (_, last) = self.ends()?;
        Ok(tvec![T::datum_type().fact([m.clone(), last.n.to_dim()])])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (first, last) = self.ends()?;
        let &[m, k] = inputs[0].shape() else {
            bail!("expected 2 dimensions, got {}", inputs[0].rank());
        };
        if k != first.k {
            let message = format!("{k} columns of A times {} rows of B", first.k);
            return Err(Error::input(message).into());
        }
        let a = inputs[0].try_as_plain_ram()?;
        let mut c = Vec::with_capacity(m * last.n);
        simd::dispatch(Multiply {
            layers: &self.0,
            a: a.as_slice::<T>()?,
            c: &mut c,
        });
        Ok(tvec![tensors::from_vec(&[m, last.n], c)?.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_as_its_definition() {
        for (m, k, n) in [
            (1, 1, 1),
            (0, 3, 2),
            (5, 7, 33),
            (6, 64, 100),
            (101, 9, 32),
            (50, 2, 65),
        ] {
            // Small integers, whose sums are exact.
            let numbers = |len: usize, by: usize| -> Vec<f32> {
                (0..len).map(|i| ((i * by) % 17) as f32 - 8.0).collect()
            };
            let (a, b, bias) = (numbers(m * k, 5), numbers(k * n, 7), numbers(n, 3));
            for relu in [false, true] {
                let mut product = Product::new(&b, k, n);
                product.bias[..n].copy_from_slice(&bias);
                product.relu = relu;
                let mut c = vec![];
                simd::dispatch(Multiply {
                    layers: std::slice::from_ref(&product),
                    a: &a,
                    c: &mut c,
                });
                let expected = |index: usize| {
                    let (row, column) = (index / n, index % n);
                    let terms = (0..k).map(|at| a[row * k + at] * b[at * n + column]);
                    let sum = terms.sum::<f32>() + bias[column];
                    if relu { sum.max(0.0) } else { sum }
                };
                let expected: Vec<f32> = (0..m * n).map(expected).collect();
                assert_eq!(c, expected, "{m} {k} {n} {relu}");
            }
        }
    }

    #[test]
    fn layers_follow_each_other() {
        let first = Product::new(&[1.0_f32, 2.0, 3.0, 0.0, 1.0, -1.0], 2, 3);
        let mut second = Product::new(&[1.0, 1.0, 1.0], 3, 1);
        second.bias[0] = 0.5;
        second.relu = true;
        let mut c = vec![];
        simd::dispatch(Multiply {
            layers: &[first, second],
            a: &[1.0, 1.0, 0.0, 2.0, -1.0, 0.0],
            c: &mut c,
        });
        assert_eq!(c, [6.5, 0.5, 0.0]);
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let mut product = Product::new(&[1.0_f64], 1, 1);
        product.relu = true;
        let mut c = vec![];
        simd::dispatch(Multiply {
            layers: std::slice::from_ref(&product),
            a: &[f64::NAN, -1.0],
            c: &mut c,
        });
        assert!(c[0].is_nan() && c[1] == 0.0, "{c:?}");
    }
}
