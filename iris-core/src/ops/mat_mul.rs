//! [MatMul](https://onnx.ai/onnx/operators/onnx__MatMul.html), versions 1 to 13.
//!
//! The product of `A` `[.., m, k]` and `B` `[.., k, n]`, as numpy's `matmul`. tract's own does it but for int64, which it
//! does not take; it has no product of two vectors.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::matmul::{MatMulInference, compute_shapes};
use tract_onnx::tract_hir::tract_core::broadcast::multi_broadcast;

use super::attributes::Attributes;
use super::barrier::wire_product;
use super::operator::{Operator, wire_operator};
use super::tensors;
use crate::error::{Error, ErrorKind, Result};

#[derive(Clone, Debug)]
struct MatMul(MatMulInference);

pub(super) fn build(_attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    Ok(expand(MatMul(MatMulInference::default())))
}

impl Expansion for MatMul {
    fn name(&self) -> StaticName {
        "MatMul".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        self.0.rules(s, inputs, outputs)
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let datum_type = model.outlet_fact(inputs[0])?.datum_type;
        if datum_type == DatumType::I64 {
            return wire_operator("MatMul", prefix, model, IntegerMatMul, inputs);
        }
        let rank = |input: usize| TractResult::Ok(model.outlet_fact(inputs[input])?.rank());
        let axes = axes(rank(0)?, rank(1)?)?;
        wire_product(prefix, model, axes, inputs)
    }
}

/// The axes of a product of tensors of so many dimensions.
fn axes(a: usize, b: usize) -> TractResult<AxesMapping> {
    let most = a.max(b).saturating_sub(2);
    let batch: Vec<char> = ('A'..='Z').take(most).collect();
    if a.min(b) == 0 || a.max(b) == 1 || batch.len() < most {
        bail!("a product of {a} by {b} dimensions");
    }
    let of = |rank: usize, matrix: &str| -> String {
        let own = &batch[most - rank.saturating_sub(2)..];
        let vector = if rank == 1 { "k" } else { matrix };
        own.iter().copied().chain(vector.chars()).collect()
    };
    let batch: String = batch.iter().collect();
    let (m, n) = (if a > 1 { "m" } else { "" }, if b > 1 { "n" } else { "" });
    format!("{},{}->{batch}{m}{n}", of(a, "mk"), of(b, "kn")).parse()
}

/// The product of integers, which wraps around.
#[derive(Debug)]
struct IntegerMatMul;

/// The product of `a` `[m, k]` and `b` `[k, n]`, added to `c` `[m, n]`.
fn add_product(a: &[i64], b: &[i64], c: &mut [i64], k: usize, n: usize) {
    if k == 0 || n == 0 {
        return;
    }
    for (a, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
        for (&a, b) in a.iter().zip(b.chunks_exact(n)) {
            for (c, &b) in c.iter_mut().zip(b) {
                *c = c.wrapping_add(a.wrapping_mul(b));
            }
        }
    }
}

impl Operator for IntegerMatMul {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [a, b] = tensors::inputs(inputs)?;
        let (_, _, _, shape) =
            compute_shapes(a.shape.to_tvec(), b.shape.to_tvec(), false, false, false)
                .map_err(tensors::invalid)?;
        Ok(tvec![DatumType::I64.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        let (a_batch, m, k) = match a.shape() {
            [] => return Err(tensors::invalid("input A: a scalar").into()),
            [k] => (&[][..], 1, *k),
            [batch @ .., m, k] => (batch, *m, *k),
        };
        let (b_batch, k_of_b, n) = match b.shape() {
            [] => return Err(tensors::invalid("input B: a scalar").into()),
            [k] => (&[][..], *k, 1),
            [batch @ .., k, n] => (batch, *k, *n),
        };
        if k != k_of_b {
            let message = format!("{k} columns of A times {k_of_b} rows of B");
            return Err(Error::new(ErrorKind::InvalidInput, message).into());
        }
        let batch = multi_broadcast(&[a_batch, b_batch])?;
        let matrices = |x: &Tensor, x_batch: &[usize], rows: usize, columns: usize| {
            let own: Vec<usize> = [x_batch, &[rows, columns]].concat();
            let all: Vec<usize> = [&batch[..], &[rows, columns]].concat();
            let x = x.clone().into_shape(&own)?.broadcast_to_shape(&all)?;
            let x = x.try_as_plain_ram()?;
            TractResult::Ok(x.as_slice::<i64>()?.to_vec())
        };
        let a_matrices = matrices(a, a_batch, m, k)?;
        let b_matrices = matrices(b, b_batch, k, n)?;
        let mut shape = batch.clone();
        shape.extend((a.rank() > 1).then_some(m));
        shape.extend((b.rank() > 1).then_some(n));
        let c = tensors::filled(&shape, |c: &mut [i64]| {
            let n_matrices: usize = batch.iter().product();
            for index in 0..n_matrices {
                add_product(
                    &a_matrices[index * m * k..][..m * k],
                    &b_matrices[index * k * n..][..k * n],
                    &mut c[index * m * n..][..m * n],
                    k,
                    n,
                );
            }
            Ok(())
        })?;
        Ok(tvec![c.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_integers() {
        let mut c = [0; 4];
        add_product(&[1, 2, 3, 4, 5, 6], &[1, 0, 0, 1, 2, 2], &mut c, 3, 2);
        assert_eq!(c, [7, 8, 16, 17]);
        let mut c = [0];
        add_product(&[i64::MAX, 1], &[2, 3], &mut c, 2, 1);
        assert_eq!(c, [1]);
        add_product(&[], &[], &mut c, 0, 1);
        assert_eq!(c, [1]);
    }
}
