//! [Gemm](https://onnx.ai/onnx/operators/onnx__Gemm.html), versions 1 to 13.
//!
//! `A` `[m, k]`, `B` `[k, n]` (`[k, m]` and `[n, k]` if `transA` and `transB` are set) and, if it is there, `C`, which
//! broadcasts to `[m, n]`, give `alpha · A · B + beta · C`, all of them float, all double or all float16. tract's own has
//! `alpha` and `beta` as floats only.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::math;

use super::attributes::Attributes;
use super::barrier::wire_product;
use super::operator::{Operator, wire_operator};
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
    let fact = model.outlet_fact(wire)?.clone();
    let factor = tensor0(factor)
        .cast_to_dt(fact.datum_type)?
        .into_owned()
        .broadcast_into_rank(fact.rank())?;
    let factor = model.add_const(format!("{name}.factor"), factor)?;
    Ok(model.wire_node(name, math::mul(), &[factor, wire])?[0])
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
        let axes = AxesMapping::for_numpy_matmul(2, self.trans_a, self.trans_b, false)?;
        let product = wire_product(&format!("{prefix}.ab"), model, axes, &inputs[..2])?[0];
        let product = scaled(&format!("{prefix}.alpha_ab"), model, product, self.alpha)?;
        let Some(&c) = inputs.get(2).filter(|_| self.beta != 0.0) else {
            return Ok(tvec![product]);
        };
        let mut c = c;
        let rank = model.outlet_fact(c)?.rank();
        if rank > 2 {
            let message = format!("input C: expected at most 2 dimensions, got {rank}");
            return Err(tensors::invalid(message).into());
        }
        for missing in rank..2 {
            c = model.wire_node(format!("{prefix}.c_{missing}"), AxisOp::Add(0), &[c])?[0];
        }
        let c = scaled(&format!("{prefix}.beta_c"), model, c, self.beta)?;
        let product_dims = model.outlet_fact(product)?.shape.to_tvec();
        let c_dims = model.outlet_fact(c)?.shape.to_tvec();
        let mut broadcasts = c_dims.iter().zip(&product_dims);
        if broadcasts.all(|(c, product)| c.is_one() || c == product) {
            return model.wire_node(prefix, math::add(), &[product, c]);
        }
        wire_operator("Gemm", prefix, model, AddC, &[product, c])
    }
}

/// The sum of the product and a `C` of which only the run shows whether it broadcasts.
#[derive(Debug)]
struct AddC;

fn sum<T>(product: &Tensor, c: &Tensor) -> TractResult<Tensor>
where
    T: Datum + Copy + std::ops::Add<Output = T>,
{
    let (&[_, n], &[m_of_c, n_of_c]) = (product.shape(), c.shape()) else {
        bail!("Gemm of {:?} and {:?}", product.shape(), c.shape());
    };
    let (elements, c) = (product.try_as_plain_ram()?, c.try_as_plain_ram()?);
    let c = c.as_slice::<T>()?;
    let mut sum = Vec::with_capacity(product.len());
    for (row, elements) in elements.as_slice::<T>()?.chunks(n.max(1)).enumerate() {
        let c = c[row % m_of_c * n_of_c..][..n_of_c].iter().cycle();
        sum.extend(elements.iter().zip(c).map(|(&x, &c)| x + c));
    }
    tensors::from_vec(product.shape(), sum)
}

impl Operator for AddC {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [product, c] = tensors::inputs(inputs)?;
        for (expected, got) in product.shape.iter().zip(c.shape.iter()) {
            if let (Ok(expected), Ok(got)) = (expected.to_usize(), got.to_usize())
                && ![1, expected].contains(&got)
            {
                let (c, product) = (&c.shape, &product.shape);
                let message = format!("input C: shape {c:?} does not broadcast to {product:?}");
                return Err(tensors::invalid(message));
            }
        }
        Ok(tvec![product.datum_type.fact(product.shape.iter())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (product, c) = (&inputs[0], &inputs[1]);
        let mut dims = c.shape().iter().zip(product.shape());
        if !dims.all(|(c, product)| [1, *product].contains(c)) {
            let (c, product) = (c.shape(), product.shape());
            let message = format!("input C: shape {c:?} does not broadcast to {product:?}");
            return Err(Error::input(message).into());
        }
        let y = match product.datum_type() {
            DatumType::F16 => sum::<f16>(product, c),
            DatumType::F32 => sum::<f32>(product, c),
            _ => sum::<f64>(product, c),
        }?;
        Ok(tvec![y.into_tvalue()])
    }
}
