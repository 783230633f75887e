//! [Pow](https://onnx.ai/onnx/operators/onnx__Pow.html), versions 1 to 15.
//!
//! `X` to the power `Y`, numbers of any two types whose shapes broadcast, in the type of `X`. What is not an integer is
//! rounded towards 0 where `X` is made of integers. tract's own fails on squares of int64, and reads a
//! number of an exponent without elements.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::broadcast::multi_broadcast;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, facts};
use crate::ops::math::binary;
use crate::ops::shape::cast;
use crate::value::tensors;
use crate::value::tensors::with_f64s;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    binary::check_broadcast(attributes)?;
    Ok(Built::expansion(|name, model, inputs| {
        let (x, mut y) = (inputs[0], inputs[1]);
        let datum_type = model.outlet_fact(y)?.datum_type;
        if datum_type.is_integer() && !matches!(datum_type, DatumType::I32 | DatumType::I64) {
            y = cast::wire(&format!("{name}.y"), model, DatumType::I64, y)?;
        }
        Ok(tvec![wire_operator("Pow", name, model, Power, &[x, y])?])
    }))
}

/// The powers of tensors that broadcast to each other.
#[derive(Debug)]
struct Power;

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

/// Most exponents are 2.
fn power(x: f64, y: f64) -> f64 {
    if y == 2.0 { x * x } else { x.powf(y) }
}

fn power_of_float(x: f32, y: f32) -> f32 {
    if y == 2.0 { x * x } else { x.powf(y) }
}

impl Operator for Power {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, y] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        facts::check_numeric("Y", y)?;
        let shape =
            multi_broadcast(&[x.shape.to_tvec(), y.shape.to_tvec()]).map_err(error::invalid)?;
        Ok(tvec![x.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let shape = multi_broadcast(&[inputs[0].shape(), inputs[1].shape()])?;
        let x = inputs[0].broadcast_to_shape(&shape)?;
        let y = inputs[1].broadcast_to_shape(&shape)?;
        let powers = match (x.datum_type(), y.datum_type()) {
            (DatumType::F32, DatumType::F32) => {
                let (x, y) = (x.try_as_plain_ram()?, y.try_as_plain_ram()?);
                let pairs = x.as_slice::<f32>()?.iter().zip(y.as_slice::<f32>()?);
                let powers = pairs.map(|(&x, &y)| power_of_float(x, y)).collect();
                tensors::from_vec(&shape, powers)?
            }
            (DatumType::F32 | DatumType::F64, _) => {
                // A float to the power of an integer is computed in double, as in onnxruntime.
                let wide = x.cast_to::<f64>()?;
                let wide = wide.try_as_plain_ram()?;
                let xs = wide.as_slice::<f64>()?.iter();
                let powers =
                    with_f64s!(y, y => xs.zip(y).map(|(&x, y)| power(x, y)).collect::<Vec<f64>>());
                in_type(x.datum_type(), tensors::from_vec(&shape, powers)?)?
            }
            _ => powers_of_integers(&x, &y, &shape)?,
        };
        Ok(tvec![powers.into_tvalue()])
    }
}

fn powers_of_integers(x: &Tensor, y: &Tensor, shape: &[usize]) -> TractResult<Tensor> {
    let wide = x.cast_to::<i64>()?;
    let wide = wide.try_as_plain_ram()?;
    let xs = wide.as_slice::<i64>()?.iter();
    let powers: Vec<i64> = if y.datum_type().is_integer() {
        let y = y.cast_to::<i64>()?;
        let y = y.try_as_plain_ram()?;
        let pairs = xs.zip(y.as_slice::<i64>()?);
        pairs.map(|(&x, &y)| integer_pow(x, y)).collect()
    } else {
        with_f64s!(y, y => xs.zip(y).map(|(&x, y)| float_pow(x, y)).collect())
    };
    in_type(x.datum_type(), tensors::from_vec(shape, powers)?)
}

/// `powers` in the type of `X`.
fn in_type(x: DatumType, powers: Tensor) -> TractResult<Tensor> {
    if powers.datum_type() == x {
        return Ok(powers);
    }
    Ok(powers.cast_to_dt(x)?.into_owned())
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
