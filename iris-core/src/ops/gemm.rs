//! [Gemm](https://onnx.ai/onnx/operators/onnx__Gemm.html), versions 1 to 13.
//!
//! `A` `[m, k]`, `B` `[k, n]` (`[k, m]` and `[n, k]` if `transA` and `transB` are set) and, if it is there, `C`, which
//! broadcasts to `[m, n]`, give `alpha · A · B + beta · C`, all of them float, all double or all float16. tract's own has
//! `alpha` and `beta` as floats only.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::binary::{self, Function};
use super::operator::{Operator, wire_operator};
use super::products::wire_matrix_product;
use super::tensors;
use crate::error::{Error, Result};

#[derive(Clone, Debug)]
struct Gemm {
    alpha: f32,
    beta: f32,
    trans_a: bool,
    trans_b: bool,
}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    // Before version 7 `C` had to be marked if it was to broadcast; now it always may.
    attributes.int("broadcast")?;
    Ok(expand(Gemm {
        alpha: attributes.float("alpha")?.unwrap_or(1.0),
        beta: attributes.float("beta")?.unwrap_or(1.0),
        trans_a: attributes.int("transA")?.unwrap_or(0) != 0,
        trans_b: attributes.int("transB")?.unwrap_or(0) != 0,
    }))
}

/// `wire` times `factor`, in the type of `wire`.
fn scaled(
    name: &str,
    model: &mut TypedModel,
    wire: OutletId,
    factor: f32,
) -> TractResult<OutletId> {
    if factor == 1.0 {
        return Ok(wire);
    }
    let datum_type = model.outlet_fact(wire)?.datum_type;
    let factor = tensor0(factor).cast_to_dt(datum_type)?.into_owned();
    let factor = model.add_const(format!("{name}.factor"), factor)?;
    binary::wire(name, model, Function::Mul, [factor, wire])
}

impl Expansion for Gemm {
    fn name(&self) -> StaticName {
        "Gemm".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        if !(2..=3).contains(&inputs.len()) {
            let message = format!("expected 2 or 3 inputs, got {}", inputs.len());
            return Err(tensors::invalid(message).into());
        }
        check_output_arity(outputs, 1)?;
        for input in inputs {
            s.equals(&input.datum_type, &outputs[0].datum_type)?;
        }
        s.equals(&inputs[0].rank, 2)?;
        s.equals(&inputs[1].rank, 2)?;
        s.equals(&outputs[0].rank, 2)?;
        let (m, k) = if self.trans_a { (1, 0) } else { (0, 1) };
        let (k_of_b, n) = if self.trans_b { (1, 0) } else { (0, 1) };
        s.equals(&inputs[0].shape[m], &outputs[0].shape[0])?;
        s.equals(&inputs[0].shape[k], &inputs[1].shape[k_of_b])?;
        s.equals(&inputs[1].shape[n], &outputs[0].shape[1])
    }

    /// Only its product, once it is wired, says how much work it is.
    fn runs_out_of_plan(&self) -> bool {
        false
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let datum_type = model.outlet_fact(inputs[0])?.datum_type;
        if !datum_type.is_float() {
            let message = format!("input A: expected float or double, got {datum_type:?}");
            return Err(tensors::invalid(message).into());
        }
        let transposed = [self.trans_a, self.trans_b];
        let name = format!("{prefix}.ab");
        let product = wire_matrix_product(&name, model, &inputs[..2], transposed)?;
        let product = scaled(&format!("{prefix}.alpha_ab"), model, product, self.alpha)?;
        let Some(&c) = inputs.get(2).filter(|_| self.beta != 0.0) else {
            return Ok(tvec![product]);
        };
        let rank = model.outlet_fact(c)?.rank();
        if rank > 2 {
            let message = format!("input C: expected at most 2 dimensions, got {rank}");
            return Err(tensors::invalid(message).into());
        }
        let mut c = scaled(&format!("{prefix}.beta_c"), model, c, self.beta)?;
        let product_dims = model.outlet_fact(product)?.shape.to_tvec();
        let c_dims = model.outlet_fact(c)?.shape.to_tvec();
        let mut broadcasts = c_dims.iter().rev().zip(product_dims.iter().rev());
        if !broadcasts.all(|(c, product)| c.is_one() || c == product) {
            let name = format!("{prefix}.c");
            c = wire_operator("Gemm", &name, model, Repeated, &[product, c])?[0];
        }
        Ok(tvec![binary::wire(
            prefix,
            model,
            Function::Add,
            [product, c]
        )?])
    }
}

/// A `C` of which only the run shows whether it broadcasts to the product, made as large.
#[derive(Debug)]
struct Repeated;

impl Operator for Repeated {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [product, c] = tensors::inputs(inputs)?;
        let dims = product.shape.dims().iter().rev();
        for (expected, got) in dims.zip(c.shape.dims().iter().rev()) {
            if let (Ok(expected), Ok(got)) = (expected.to_usize(), got.to_usize())
                && ![1, expected].contains(&got)
            {
                let (c, product) = (&c.shape, &product.shape);
                let message = format!("input C: shape {c:?} does not broadcast to {product:?}");
                return Err(tensors::invalid(message));
            }
        }
        Ok(tvec![c.datum_type.fact(product.shape.iter())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (product, c) = (inputs[0].shape(), inputs[1].shape());
        let mut dims = c.iter().rev().zip(product.iter().rev());
        if !dims.all(|(c, product)| [1, *product].contains(c)) {
            let message = format!("input C: shape {c:?} does not broadcast to {product:?}");
            return Err(Error::input(message).into());
        }
        let repeated = inputs[1].broadcast_to_shape(product)?;
        Ok(tvec![repeated.into_tvalue()])
    }
}
