//! Layers of a matrix product as an operator.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, Result};
use crate::kernels::matmul::packed::Layers;
use crate::kernels::matmul::panels::Multiply;
use crate::kernels::real::Real;
use crate::kernels::simd;
use crate::operator::{Filling, Layout, facts};
use crate::value::slots::{Slot, Slots};
use crate::value::view::TensorView;
use crate::{error, operator};

impl<T: Real + Datum + Slot> Filling for Layers<T> {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [a] = facts::inputs(inputs)?;
        let [m, _] = a.shape.dims() else {
            let message = format!("expected 2 dimensions, got {}", a.rank());
            return Err(error::invalid(message));
        };
        let (_, last) = self.ends()?;
        Ok(tvec![T::datum_type().fact([m.clone(), last.n.to_dim()])])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        true
    }

    fn layout(&self, inputs: &[TensorView<'_>], _output: usize) -> TractResult<Layout> {
        let (first, last) = self.ends()?;
        let [TensorView { shape: &[m, k], .. }] = *inputs else {
            bail!("expected one matrix");
        };
        if k != first.k {
            let message = format!("{k} columns of A times {} rows of B", first.k);
            return Err(Error::input(message).into());
        }
        Ok(Layout::new::<T>(&[m, last.n]))
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let a = inputs.first().and_then(|a| T::slice_of(a.elements));
        let multiply = Multiply {
            layers: self,
            a: a.ok_or_else(|| format_err!("A of another type than B"))?,
            c: operator::only(outputs)?,
        };
        simd::dispatch(multiply);
        Ok(())
    }
}
