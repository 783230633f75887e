//! [Transpose](https://onnx.ai/onnx/operators/onnx__Transpose.html), versions 1 to 25.
//!
//! A tensor of any type with its dimensions in the order `perm`, or from the last to the first.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::model::memory;
use crate::ops::attributes::Attributes;
use crate::ops::operator::{Built, Operator, wire_operator};
use crate::ops::tensors;

pub(in crate::ops) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let perm = attributes.optional_ints("perm")?.map(<[i64]>::to_vec);
    Ok(Built::expansion(move |name, model, inputs| {
        let rank = model.outlet_fact(inputs[0])?.rank();
        let perm = match perm {
            Some(perm) => permutation(&perm, rank)?,
            None => (0..rank).rev().collect(),
        };
        if perm.iter().copied().eq(0..rank) {
            return Ok(inputs.into());
        }
        Ok(tvec![wire_operator(
            "Transpose",
            name,
            model,
            Transpose { perm },
            inputs
        )?])
    }))
}

/// The order that `perm` is of `rank` dimensions.
fn permutation(perm: &[i64], rank: usize) -> Result<Vec<usize>> {
    let wrong = || tensors::invalid(format!("attribute perm: {perm:?} of {rank} dimensions"));
    let mut is_there = vec![false; rank];
    let mut order = vec![];
    for &axis in perm {
        let axis = usize::try_from(axis).map_err(|_| wrong())?;
        let slot = is_there.get_mut(axis).ok_or_else(wrong)?;
        if std::mem::replace(slot, true) {
            return Err(wrong());
        }
        order.push(axis);
    }
    (order.len() == rank).then_some(order).ok_or_else(wrong)
}

#[derive(Debug)]
struct Transpose {
    perm: Vec<usize>,
}

impl Operator for Transpose {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        let dims: TVec<TDim> = self
            .perm
            .iter()
            .map(|&axis| x.shape[axis].clone())
            .collect();
        Ok(tvec![x.datum_type.fact(dims)])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        self.perm.first() == Some(&0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        memory::ask_for_inputs(inputs)?;
        let x = inputs[0].clone().into_tensor();
        Ok(tvec![x.permute_axes(&self.perm)?.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_permutations_are() {
        assert_eq!(permutation(&[2, 0, 1], 3).expect("is one"), [2, 0, 1]);
        for perm in [
            &[0_i64, 0][..],
            &[1],
            &[0, 2],
            &[-1, 0],
            &[0, 1, 2],
            &[i64::MAX, 0],
        ] {
            assert!(permutation(perm, 2).is_err(), "{perm:?}");
        }
    }
}
