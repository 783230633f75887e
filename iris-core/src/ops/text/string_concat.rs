//! [StringConcat](https://onnx.ai/onnx/operators/onnx__StringConcat.html), version 20.
//!
//! `X` and `Y`, strings of shapes that broadcast to one another, give `Z` of the common shape: each string of `X` with the
//! one of `Y` after it.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::broadcast::multi_broadcast;

use crate::error;
use crate::error::{Error, Result};
use crate::guard::memory;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct StringConcat;

pub(crate) fn build(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::operator(StringConcat))
}

impl Operator for StringConcat {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x, y] = facts::inputs(inputs)?;
        facts::check_string("X", x)?;
        facts::check_string("Y", y)?;
        let shape = multi_broadcast(&[x.shape.to_tvec(), y.shape.to_tvec()]).map_err(|_| {
            error::invalid(format!(
                "inputs X and Y: shapes {:?} and {:?} do not broadcast",
                x.shape, y.shape
            ))
        })?;
        Ok(tvec![DatumType::String.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (x, y) = (&inputs[0], &inputs[1]);
        let mismatch = || {
            let (x, y) = (x.shape(), y.shape());
            Error::input(format!(
                "inputs X and Y: shapes {x:?} and {y:?} do not broadcast"
            ))
        };
        let shape = multi_broadcast(&[x.shape(), y.shape()]).map_err(|_| mismatch())?;
        let x = x.to_plain_array_view::<String>()?;
        let y = y.to_plain_array_view::<String>()?;
        let x = x.broadcast(&*shape).ok_or_else(mismatch)?;
        let y = y.broadcast(&*shape).ok_or_else(mismatch)?;
        memory::ask_for_texts(x.iter().zip(&y).map(|(x, y)| x.len() + y.len()))?;
        let joined: Vec<String> = x.iter().zip(&y).map(|(x, y)| [&**x, y].concat()).collect();
        Ok(tvec![tensors::from_vec(&shape, joined)?.into_tvalue()])
    }
}
