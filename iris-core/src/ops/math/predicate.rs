//! Shared by `IsNaN` and `IsInf`: tests each element of a float or double tensor.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::operator::{Operator, facts};
use crate::value::tensors;

/// What may hold of a number.
pub(crate) trait Predicate: std::fmt::Debug + Send + Sync + 'static {
    fn holds(&self, x: f64) -> bool;
}

/// The operator that tells of which elements of `X` it holds: `bool` of the shape of `X`.
#[derive(Debug)]
pub(crate) struct OfEach<P>(pub(crate) P);

impl<P: Predicate> Operator for OfEach<P> {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_real("X", x)?;
        Ok(tvec![bool::fact(x.shape.iter())])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 0
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let view = x.try_as_plain_ram()?;
        let truths = if x.datum_type() == DatumType::F32 {
            let numbers = view.as_slice::<f32>()?.iter();
            numbers.map(|&x| self.0.holds(x.into())).collect()
        } else {
            let numbers = view.as_slice::<f64>()?.iter();
            numbers.map(|&x| self.0.holds(x)).collect()
        };
        Ok(tvec![tensors::from_vec(x.shape(), truths)?.into_tvalue()])
    }
}
