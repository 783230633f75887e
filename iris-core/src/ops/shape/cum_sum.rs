//! [CumSum](https://onnx.ai/onnx/operators/onnx__CumSum.html), versions 11 and 14.
//!
//! `x` of numbers of any type and `axis`, one integer, give the sums of all elements of `x` up to each one along the axis,
//! with that one unless `exclusive` is set, and from the end on if `reverse` is. Sums are made in the type of `x`; integers
//! wrap around.

use std::ops::Add;

use tract_onnx::tract_core::num_traits::Zero;
use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::kernels::along::Along;
use crate::onnx::attributes::Attributes;
use crate::operator::axes::resolve;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct CumSum {
    is_reversed: bool,
    is_exclusive: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::operator(CumSum {
        is_reversed: attributes.flag("reverse")?,
        is_exclusive: attributes.flag("exclusive")?,
    }))
}

impl Operator for CumSum {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, axis] = facts::inputs(inputs)?;
        facts::check_number("x", x)?;
        if !matches!(axis.datum_type, DatumType::I32 | DatumType::I64) {
            let got = axis.datum_type;
            let message = format!("input axis: expected int32 or int64, got {got:?}");
            return Err(error::invalid(message));
        }
        facts::check_value("axis", axis)?;
        if let Some(axis) = &axis.konst {
            axis_of(axis, x.rank())?;
        }
        Ok(tvec![x.without_value()])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let axis = axis_of(&inputs[1], x.rank())?;
        let along = Along::new(x.shape(), axis);
        let sums = match x.datum_type() {
            DatumType::F32 => self.sums::<f32>(x, along, f32::add),
            DatumType::F64 => self.sums::<f64>(x, along, f64::add),
            DatumType::I64 => self.sums::<i64>(x, along, i64::wrapping_add),
            other => {
                let wide = if other.is_float() {
                    DatumType::F32
                } else {
                    DatumType::I64
                };
                let wide = tvec![
                    x.cast_to_dt(wide)?.into_owned().into_tvalue(),
                    inputs[1].clone()
                ];
                let sums = self.eval(&wide, &[0])?;
                return Ok(tvec![sums[0].cast_to_dt(other)?.into_owned().into_tvalue()]);
            }
        }?;
        Ok(tvec![sums.into_tvalue()])
    }
}

/// The dimension that input `axis` names.
fn axis_of(axis: &Tensor, rank: usize) -> Result<usize> {
    match axis.cast_to::<i64>().ok().as_deref() {
        Some(axis) if axis.len() == 1 => {
            let axis = axis.cast_to_scalar::<i64>().map_err(error::invalid)?;
            resolve(axis, rank)
        }
        _ => {
            let message = format!("input axis: expected one value, got {}", axis.len());
            Err(error::invalid(message))
        }
    }
}

impl CumSum {
    fn sums<T: Datum + Copy + Zero>(
        &self,
        x: &Tensor,
        along: Along,
        add: impl Fn(T, T) -> T,
    ) -> TractResult<Tensor> {
        let Along { outer, len, inner } = along;
        let view = x.try_as_plain_ram()?;
        let elements = view.as_slice::<T>()?;
        tensors::filled(x.shape(), |sums: &mut [T]| {
            for start in (0..outer).flat_map(|o| (0..inner).map(move |i| o * len * inner + i)) {
                let mut sum = T::zero();
                for at in 0..len {
                    let at = if self.is_reversed { len - 1 - at } else { at };
                    let place = start + at * inner;
                    let next = add(sum, elements[place]);
                    sums[place] = if self.is_exclusive { sum } else { next };
                    sum = next;
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_either_way() {
        let x = tensor2(&[[1_i64, 2, 3], [4, 5, 6]]).into_tvalue();
        for (axis, is_reversed, is_exclusive, expected) in [
            (0, false, false, [[1_i64, 2, 3], [5, 7, 9]]),
            (1, false, false, [[1, 3, 6], [4, 9, 15]]),
            (-1, true, false, [[6, 5, 3], [15, 11, 6]]),
            (1, false, true, [[0, 1, 3], [0, 4, 9]]),
            (1, true, true, [[5, 3, 0], [11, 6, 0]]),
        ] {
            let operator = CumSum {
                is_reversed,
                is_exclusive,
            };
            let inputs = [x.clone(), tensor0(axis).into_tvalue()];
            let sums = operator.eval(&inputs, &[0]).expect("sums");
            assert_eq!(*sums[0], tensor2(&expected), "{operator:?}");
        }
    }
}
