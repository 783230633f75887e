//! [Range](https://onnx.ai/onnx/operators/onnx__Range.html), version 11.
//!
//! `start`, `limit` and `delta`, single numbers of one type, give the numbers from `start` on in steps of `delta`, without
//! `limit`.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, Result};
use crate::guard::budget;
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, facts};
use crate::ops::shape::cast;
use crate::value::tensors;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::expansion(|name, model, inputs| {
        let inputs = cast::wire_in_one_type(name, model, inputs)?;
        let value = |input: OutletId| dimension(model.outlet_fact(input).ok()?.konst.as_deref()?);
        let known = [value(inputs[0]), value(inputs[1]), value(inputs[2])];
        let len = match known {
            [Some(start), Some(limit), Some(step)] if step.to_i64().is_ok_and(|step| step > 0) => {
                let step = step.to_i64()? as usize;
                (limit - start).divceil(step)
            }
            _ => model.symbols.new_with_prefix("range").to_dim(),
        };
        Ok(tvec![wire_operator(
            "Range",
            name,
            model,
            Range { len },
            &inputs
        )?])
    }))
}

/// The dimension that a constant is, if it is a single one.
fn dimension(constant: &Tensor) -> Option<TDim> {
    if constant.datum_type() != DatumType::TDim {
        return None;
    }
    let view = constant.as_plain_ram()?;
    match view.as_slice::<TDim>().ok()? {
        [dim] => Some(dim.clone()),
        _ => None,
    }
}

#[derive(Debug)]
struct Range {
    len: TDim,
}

impl Operator for Range {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [start, limit, delta] = facts::inputs(inputs)?;
        for (what, fact) in [("start", start), ("limit", limit), ("delta", delta)] {
            facts::check_number(what, fact)?;
            facts::check_value(what, fact)?;
        }
        let datum_type = match start.datum_type {
            DatumType::TDim => DatumType::I64,
            other => other,
        };
        Ok(tvec![datum_type.fact([self.len.clone()])])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let datum_type = match inputs[0].datum_type() {
            DatumType::TDim => DatumType::I64,
            other => other,
        };
        if datum_type.is_float() {
            let numbers = inputs.iter().map(|input| input.cast_to_scalar::<f64>());
            let numbers: Vec<f64> = numbers.collect::<TractResult<_>>()?;
            let len = ((numbers[1] - numbers[0]) / numbers[2]).ceil().max(0.0);
            if !len.is_finite() {
                return Err(impossible(&numbers).into());
            }
            budget::check_tensor([len as usize], datum_type.size_of())?;
            return Ok(tvec![match datum_type {
                DatumType::F64 => steps(numbers[0], numbers[2], len as usize, |a, b| a + b)?,
                _ => {
                    let (start, delta) = (numbers[0] as f32, numbers[2] as f32);
                    let range = steps(start, delta, len as usize, |a, b| a + b)?;
                    range.cast_to_dt(datum_type)?.into_owned().into_tvalue()
                }
            }]);
        }
        let numbers = inputs.iter().map(|input| input.cast_to_scalar::<i64>());
        let numbers: Vec<i64> = numbers.collect::<TractResult<_>>()?;
        let [start, limit, delta] = [numbers[0], numbers[1], numbers[2]];
        let span = i128::from(limit) - i128::from(start);
        let len = match delta {
            0 => return Err(impossible(&numbers).into()),
            _ if (span < 0) != (delta < 0) => 0,
            _ => span.unsigned_abs().div_ceil(delta.unsigned_abs().into()),
        };
        budget::check_tensor([len.min(u64::MAX.into()) as u64], datum_type.size_of())?;
        let range = steps(start, delta, len as usize, i64::wrapping_add)?;
        Ok(tvec![
            range.cast_to_dt(datum_type)?.into_owned().into_tvalue()
        ])
    }
}

fn impossible(numbers: &[impl std::fmt::Debug]) -> Error {
    let [start, limit, delta] = [0, 1, 2].map(|index| &numbers[index]);
    Error::input(format!("from {start:?} to {limit:?} in steps of {delta:?}"))
}

/// `len` numbers from `start` on.
fn steps<T: Datum + Copy>(
    start: T,
    delta: T,
    len: usize,
    add: impl Fn(T, T) -> T,
) -> TractResult<TValue> {
    let range = tensors::filled(&[len], |slots: &mut [T]| {
        let mut next = start;
        for slot in slots {
            *slot = next;
            next = add(next, delta);
        }
        Ok(())
    })?;
    Ok(range.into_tvalue())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_either_way() {
        let range = |inputs: [Tensor; 3]| {
            let inputs = inputs.map(IntoTValue::into_tvalue);
            let range = Range { len: 0.to_dim() };
            range
                .eval(&inputs, &[0])
                .map(|mut y| y.remove(0).into_tensor())
        };
        for (start, limit, delta, expected) in [
            (0_i64, 3, 1, &[0_i64, 1, 2][..]),
            (5, 0, -2, &[5, 3, 1]),
            (0, -3, 1, &[]),
            (3, 9, -1, &[]),
            (i64::MAX - 1, i64::MAX, 1, &[i64::MAX - 1]),
            (2, 2, 1, &[]),
        ] {
            let y = range([tensor0(start), tensor0(limit), tensor0(delta)]).expect("a range");
            assert_eq!(y, tensor1(expected), "{start} {limit} {delta}");
        }
        let y = range([tensor0(0.0_f32), tensor0(1.0_f32), tensor0(0.4_f32)]);
        assert_eq!(y.expect("a range"), tensor1(&[0.0_f32, 0.4, 0.8]));
        for delta in [0_i64, i64::MIN] {
            let y = range([tensor0(0_i64), tensor0(3_i64), tensor0(delta)]);
            assert_eq!(y.is_err(), delta == 0);
        }
        assert!(range([tensor0(0_i64), tensor0(i64::MAX), tensor0(1_i64)]).is_err());
    }
}
