//! [RegexFullMatch](https://onnx.ai/onnx/operators/onnx__RegexFullMatch.html), version 20.
//!
//! `X` string of any shape gives `Y` bool of that shape: whether `pattern`, in RE2's syntax, matches the whole of a string.
//! See [`pattern`](crate::kernels::text::re2) for what of that syntax is not supported.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::text::re2::FullMatch;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, NEVER_FOLDED, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct RegexFullMatch(FullMatch);

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let pattern = attributes
        .string("pattern")?
        .ok_or_else(|| attributes.invalid("pattern", "missing"))?;
    let pattern = FullMatch::new(pattern).map_err(|e| attributes.invalid("pattern", e))?;
    Ok(Built::operator(RegexFullMatch(pattern)))
}

impl Operator for RegexFullMatch {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_string("X", x)?;
        Ok(tvec![bool::datum_type().fact(x.shape.clone())])
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = inputs[0].try_as_plain_ram()?;
        let texts = x.as_slice::<String>()?.iter();
        let matches = texts.map(|text| self.0.matches(text)).collect();
        Ok(tvec![
            tensors::from_vec::<bool>(x.shape(), matches)?.into_tvalue()
        ])
    }
}
