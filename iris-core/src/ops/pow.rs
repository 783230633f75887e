//! [Pow](https://onnx.ai/onnx/operators/onnx__Pow.html), versions 1 to 15.
//!
//! `X` to the power `Y`, numbers of any two types whose shapes broadcast, in the type of `X`. What is not an integer is
//! rounded towards 0 where `X` is made of integers. tract's own fails on squares of int64.

use tract_core::broadcast::multi_broadcast;
use tract_onnx::tract_hir::infer::helpers::infer_shape_broadcasting;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::binary::{wire_cast, wire_rank_broadcast};
use tract_onnx::tract_hir::tract_core;

use super::attributes::Attributes;
use super::operator::{Operator, wire_operator};
use super::tensors::{self, with_f64s};
use crate::error::Result;

#[derive(Clone, Debug)]
struct Pow;

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    // Before version 7 an input that is to broadcast is marked; from which axis on is not supported.
    attributes.int("broadcast")?;
    Ok(expand(Pow))
}

impl Expansion for Pow {
    fn name(&self) -> StaticName {
        "Pow".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 2)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        s.with(&inputs[0].shape, move |s, x| {
            s.with(
                &inputs[1].shape,
                move |s, y| match infer_shape_broadcasting(&[&x, &y]) {
                    Ok(Some(shape)) => s.equals(&outputs[0].shape, shape),
                    _ => Ok(()),
                },
            )
        })
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let x = model.outlet_fact(inputs[0])?.datum_type;
        let y = model.outlet_fact(inputs[1])?.datum_type;
        let inputs = wire_rank_broadcast(prefix, model, inputs)?;
        if matches!(x, DatumType::I32 | DatumType::I64) {
            return wire_operator("Pow", prefix, model, IntegerPow, &inputs);
        }
        let pow = tract_core::ops::math::pow();
        // A float to the power of an integer is computed in double, as in onnxruntime.
        let common = if y.is_integer() {
            DatumType::F64
        } else {
            x.common_super_type(y)
                .ok_or_else(|| tensors::invalid(format!("{x:?} to the power of {y:?}")))?
        };
        let inputs = wire_cast(prefix, model, &inputs, common)?;
        if common == x {
            return model.wire_node(prefix, pow, &inputs);
        }
        let wide = model.wire_node(format!("{prefix}.pow"), pow, &inputs)?;
        model.wire_node(prefix, tract_core::ops::cast::cast(x), &wide)
    }
}

/// The power of integers.
#[derive(Debug)]
struct IntegerPow;

/// Exact, wrapping around, where both are integers and `y` is not negative.
fn integer_pow(x: i64, y: i64) -> i64 {
    match u32::try_from(y) {
        Ok(y) => x.wrapping_pow(y),
        // Of such powers those of 0, 1 and -1 alone are within bounds.
        Err(_) => float_pow(x, y as f64),
    }
}

fn float_pow(x: i64, y: f64) -> i64 {
    (x as f64).powf(y) as i64
}

impl Operator for IntegerPow {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, y] = tensors::inputs(inputs)?;
        tensors::check_numeric("X", x)?;
        tensors::check_numeric("Y", y)?;
        let shape =
            multi_broadcast(&[x.shape.to_tvec(), y.shape.to_tvec()]).map_err(tensors::invalid)?;
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let shape = multi_broadcast(&[inputs[0].shape(), inputs[1].shape()])?;
        let x = inputs[0].cast_to::<i64>()?.broadcast_to_shape(&shape)?;
        let y = inputs[1].broadcast_to_shape(&shape)?;
        let x_view = x.try_as_plain_ram()?;
        let xs = x_view.as_slice::<i64>()?.iter();
        let powers: Vec<i64> = if y.datum_type().is_integer() {
            let y = y.cast_to::<i64>()?;
            let y = y.try_as_plain_ram()?;
            let pairs = xs.zip(y.as_slice::<i64>()?);
            pairs.map(|(&x, &y)| integer_pow(x, y)).collect()
        } else {
            with_f64s!(y, y => xs.zip(y).map(|(&x, y)| float_pow(x, y)).collect())
        };
        let output = if inputs[0].datum_type() == DatumType::I32 {
            tensors::from_vec(&shape, powers.iter().map(|&power| power as i32).collect())
        } else {
            tensors::from_vec(&shape, powers)
        }?;
        Ok(tvec![output.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raises_integers() {
        let cases = [
            (3, 2, 9),
            (-2, 3, -8),
            (0, 0, 1),
            (5, -1, 0),
            (1, -7, 1),
            (-1, -3, -1),
            (i64::MAX, 2, 1),
        ];
        for (x, y, expected) in cases {
            assert_eq!(integer_pow(x, y), expected, "{x} {y}");
        }
        assert_eq!(float_pow(10, 0.5), 3);
    }
}
