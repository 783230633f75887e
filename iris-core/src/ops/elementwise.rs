//! What the operators have in common that answer for each element of a float or double tensor by itself.

use tract_onnx::tract_hir::internal::*;

use super::operator::Operator;
use super::tensors;
use crate::error::Result;

/// A function of one number, in both types; `Y` is either the type of the number or `bool`.
pub(super) trait Function: std::fmt::Debug + Send + Sync + 'static {
    /// What `X` of type `x` gives.
    fn output_type(x: DatumType) -> DatumType;

    /// The values of all of `x`.
    fn eval(&self, x: &Tensor) -> TractResult<Tensor>;
}

/// The operator that is `F` of each element.
#[derive(Debug)]
pub(super) struct Elementwise<F>(pub(super) F);

impl<F: Function> Operator for Elementwise<F> {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        if !matches!(x.datum_type, DatumType::F32 | DatumType::F64) {
            let got = x.datum_type;
            return Err(tensors::invalid(format!(
                "input X: expected float or double, got {got:?}"
            )));
        }
        Ok(tvec![F::output_type(x.datum_type).fact(x.shape.iter())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        Ok(tvec![self.0.eval(&inputs[0])?.into_tvalue()])
    }
}

/// `f` of each element.
pub(super) fn map<T: Datum + Copy, U: Datum + Copy>(
    x: &Tensor,
    f: impl Fn(T) -> U,
) -> TractResult<Tensor> {
    let view = x.try_as_plain_ram()?;
    let y = view.as_slice::<T>()?.iter().map(|&x| f(x)).collect();
    tensors::from_vec(x.shape(), y)
}
