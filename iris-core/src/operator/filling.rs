//! Operators that put their answers where they are told to: each of them can be evaluated a block of rows at a time, on
//! several threads, straight into the outputs of the whole batch.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::operator::{Few, Filling, NEVER_FOLDED, Operator, tensors};
use crate::value::tract::view;
use crate::value::view::TensorView;

impl<F: Filling> Operator for F {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        Filling::output_facts(self, inputs)
    }

    fn maps_rows(&self, rank: usize) -> bool {
        Filling::maps_rows(self, rank)
    }

    fn maps_several(&self) -> bool {
        Filling::maps_several(self)
    }

    fn as_filling(&self) -> Option<&dyn Filling> {
        Some(self)
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let views = inputs.iter().map(|input| view(input));
        let views: Few<TensorView<'_>> = views.collect::<Result<_>>()?;
        tensors(self, &views, wanted)
    }
}
