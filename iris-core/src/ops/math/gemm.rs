//! [Gemm](https://onnx.ai/onnx/operators/onnx__Gemm.html), versions 1 to 13.
//!
//! `A` `[m, k]`, `B` `[k, n]` (`[k, m]` and `[n, k]` if `transA` and `transB` are set) and, if it is there, `C`, which
//! broadcasts to `[m, n]`, give `alpha · A · B + beta · C`, all of them float, all double or all float16.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::node::{constant, wire_operator};
use crate::operator::{Built, Operator, facts};
use crate::ops::math::binary;
use crate::ops::math::binary::Function;
use crate::ops::math::product::wire_matrix_product;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    if attributes.version() < 7 {
        // Whether `C` broadcasts, as it always may from version 7 on.
        attributes.int("broadcast")?;
    }
    let alpha = attributes.float("alpha")?.unwrap_or(1.0);
    let beta = attributes.float("beta")?.unwrap_or(1.0);
    let mut transposed = |name| Ok(attributes.int(name)?.unwrap_or(0) != 0);
    let transposed = [transposed("transA")?, transposed("transB")?];
    Ok(Built::expansion(move |prefix, model, inputs| {
        for (name, &input) in ["A", "B"].into_iter().zip(inputs) {
            check_matrix(name, model.outlet_fact(input)?)?;
        }
        let name = format!("{prefix}.ab");
        let product = wire_matrix_product(&name, model, &inputs[..2], transposed)?;
        let product = scaled(&format!("{prefix}.alpha_ab"), model, product, alpha)?;
        let Some(&c) = inputs.get(2) else {
            return Ok(tvec![product]);
        };
        check_c(model.outlet_fact(product)?, model.outlet_fact(c)?)?;
        if beta == 0.0 {
            return Ok(tvec![product]);
        }
        let mut c = scaled(&format!("{prefix}.beta_c"), model, c, beta)?;
        let product_dims = model.outlet_fact(product)?.shape.to_tvec();
        let c_dims = model.outlet_fact(c)?.shape.to_tvec();
        let mut broadcasts = c_dims.iter().rev().zip(product_dims.iter().rev());
        if !broadcasts.all(|(c, product)| c.is_one() || c == product) {
            let name = format!("{prefix}.c");
            c = wire_operator("Gemm", &name, model, Repeated, &[product, c])?;
        }
        Ok(tvec![binary::wire(
            prefix,
            model,
            Function::Add,
            [product, c]
        )?])
    }))
}

fn check_matrix(name: &str, fact: &TypedFact) -> Result<()> {
    facts::check_float(name, fact)?;
    if fact.rank() != 2 {
        let rank = fact.rank();
        let message = format!("input {name}: expected 2 dimensions, got {rank}");
        return Err(error::invalid(message));
    }
    Ok(())
}

fn check_c(product: &TypedFact, c: &TypedFact) -> Result<()> {
    let rank = c.rank();
    if rank > 2 {
        let message = format!("input C: expected at most 2 dimensions, got {rank}");
        return Err(error::invalid(message));
    }
    if c.datum_type != product.datum_type {
        let (expected, got) = (product.datum_type, c.datum_type);
        let message = format!("input C: expected {expected:?}, got {got:?}");
        return Err(error::invalid(message));
    }
    Ok(())
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
    let factor = constant(&format!("{name}.factor"), model, factor)?;
    binary::wire(name, model, Function::Mul, [factor, wire])
}

/// A `C` of which only the run shows whether it broadcasts to the product, made as large.
#[derive(Debug)]
struct Repeated;

impl Operator for Repeated {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [product, c] = facts::inputs(inputs)?;
        let dims = product.shape.dims().iter().rev();
        for (expected, got) in dims.zip(c.shape.dims().iter().rev()) {
            if let (Ok(expected), Ok(got)) = (expected.to_usize(), got.to_usize())
                && ![1, expected].contains(&got)
            {
                let (c, product) = (&c.shape, &product.shape);
                let message = format!("input C: shape {c:?} does not broadcast to {product:?}");
                return Err(error::invalid(message));
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
