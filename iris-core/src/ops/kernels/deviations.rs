//! Weighted sums of squared deviations, which are most of Gaussian naive Bayes: a matrix each of whose rows is compared
//! with each row of a constant one, without the tensor of all differences.
#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::NullaryFnOnce;
use tract_onnx::tract_hir::internal::*;

use super::Fused;
use crate::error::{Error, Result};
use crate::ops::binary::{self, Function};
use crate::ops::operator::{Operator, operator_of};
use crate::ops::shape::squeeze::Unsqueeze;
use crate::ops::{reduce, simd, tensors};

/// `X` `[n_samples, n_features]` gives `[n_samples, n_classes]`, or `[n_samples, n_classes, 1]`: the sums over the features
/// of `(X - means)² · weights`.
#[derive(Debug)]
struct Deviations {
    n_classes: usize,
    n_features: usize,
    /// `[n_classes, n_features]`, as the weights are.
    means: Vec<f32>,
    weights: Vec<f32>,
    keeps_dim: bool,
}

/// The [`Deviations`] for the place of the sum at `node` and of what it alone reads.
pub(super) fn fused(graph: &TypedModel, node: &TypedNode) -> Option<Fused> {
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

/// Sums in as many lanes, so that the compiler can use vectors.
const LANES: usize = 8;

struct Sums<'a> {
    deviations: &'a Deviations,
    x: &'a [f32],
}

impl NullaryFnOnce for Sums<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn call(self) -> Vec<f32> {
        let Deviations {
            n_classes,
            n_features,
            means,
            weights,
            keeps_dim: _,
        } = self.deviations;
        let mut sums = Vec::with_capacity(self.x.len() / n_features * n_classes);
        for x in self.x.chunks_exact(*n_features) {
            let classes = means
                .chunks_exact(*n_features)
                .zip(weights.chunks_exact(*n_features));
            sums.extend(classes.map(|(means, weights)| sum(x, means, weights)));
        }
        sums
    }
}

/// The terms are floats, as the graph's are; their sum is made in double.
#[inline(always)]
fn sum(x: &[f32], means: &[f32], weights: &[f32]) -> f32 {
    let term = |x: f32, mean: f32, weight: f32| {
        let difference = x - mean;
        f64::from(difference * difference * weight)
    };
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (all_means, mean_rest) = means.as_chunks::<LANES>();
    let (all_weights, weight_rest) = weights.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for ((x, means), weights) in xs.iter().zip(all_means).zip(all_weights) {
        for lane in 0..LANES {
            sums[lane] += term(x[lane], means[lane], weights[lane]);
        }
    }
    let rest = x_rest.iter().zip(mean_rest).zip(weight_rest);
    let rest = rest.map(|((&x, &mean), &weight)| term(x, mean, weight));
    rest.chain(sums).sum::<f64>() as f32
}

impl Operator for Deviations {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        let [n_samples, _] = x.shape.dims() else {
            let message = format!("expected 2 dimensions, got {}", x.rank());
            return Err(tensors::invalid(message));
        };
        let shape = [n_samples.clone(), self.n_classes.to_dim(), 1.to_dim()];
        let rank = if self.keeps_dim { 3 } else { 2 };
        Ok(tvec![DatumType::F32.fact(&shape[..rank])])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let &[n_samples, n_features] = inputs[0].shape() else {
            bail!("expected 2 dimensions, got {}", inputs[0].rank());
        };
        if n_features != self.n_features {
            let message = format!("expected {} features, got {n_features}", self.n_features);
            return Err(Error::input(message).into());
        }
        let x = inputs[0].try_as_plain_ram()?;
        let sums = simd::dispatch(Sums {
            deviations: self,
            x: x.as_slice::<f32>()?,
        });
        let rank = if self.keeps_dim { 3 } else { 2 };
        let sums = tensors::from_vec(&[n_samples, self.n_classes, 1][..rank], sums)?;
        Ok(tvec![sums.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_squares_of_differences() {
        for n_features in [1, 7, 8, 19] {
            let numbers = |len: usize, by: usize| -> Vec<f32> {
                (0..len).map(|i| ((i * by) % 13) as f32 - 6.0).collect()
            };
            let (x, means, weights) = (
                numbers(5 * n_features, 5),
                numbers(3 * n_features, 7),
                numbers(3 * n_features, 3),
            );
            let expected: Vec<f32> = (0..15)
                .map(|index| {
                    let (row, class) = (index / 3 * n_features, index % 3 * n_features);
                    let term = |at: usize| {
                        let difference = x[row + at] - means[class + at];
                        difference * difference * weights[class + at]
                    };
                    (0..n_features).map(term).sum()
                })
                .collect();
            let deviations = Deviations {
                n_classes: 3,
                n_features,
                means,
                weights,
                keeps_dim: false,
            };
            let sums = simd::dispatch(Sums {
                deviations: &deviations,
                x: &x,
            });
            assert_eq!(sums, expected, "{n_features}");
        }
    }
}
