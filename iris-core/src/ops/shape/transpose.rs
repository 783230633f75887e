//! [Transpose](https://onnx.ai/onnx/operators/onnx__Transpose.html), versions 1 to 25.
//!
//! A tensor of any type with its dimensions in the order `perm`, or from the last to the first.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::guard::memory;
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, facts};

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let perm = match attributes.optional_ints("perm")? {
        Some(perm) => Some(
            permutation(perm)
                .ok_or_else(|| attributes.invalid("perm", format!("{perm:?} is no permutation")))?,
        ),
        None => None,
    };
    Ok(Built::expansion(move |name, model, inputs| {
        let rank = model.outlet_fact(inputs[0])?.rank();
        let perm = perm.unwrap_or_else(|| (0..rank).rev().collect());
        if perm.len() != rank {
            let message = format!("attribute perm: {perm:?} of {rank} dimensions");
            return Err(error::invalid(message).into());
        }
        if perm.iter().copied().eq(0..rank) {
            return Ok(inputs.into());
        }
        let transpose = Transpose { perm };
        Ok(tvec![wire_operator(
            "Transpose",
            name,
            model,
            transpose,
            inputs
        )?])
    }))
}

/// The dimensions that `perm` lists, if that is each one once.
fn permutation(perm: &[i64]) -> Option<Vec<usize>> {
    let mut is_there = vec![false; perm.len()];
    let mut order = vec![];
    for &axis in perm {
        let axis = usize::try_from(axis).ok()?;
        let is_again = std::mem::replace(is_there.get_mut(axis)?, true);
        (!is_again).then(|| order.push(axis))?;
    }
    Some(order)
}

#[derive(Debug)]
struct Transpose {
    perm: Vec<usize>,
}

impl Operator for Transpose {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
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
        assert_eq!(permutation(&[2, 0, 1]), Some(vec![2, 0, 1]));
        for perm in [&[0, 0][..], &[1], &[0, 2], &[-1, 0], &[i64::MAX, 0]] {
            assert_eq!(permutation(perm), None, "{perm:?}");
        }
    }
}
