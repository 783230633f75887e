//! [CategoryMapper](https://onnx.ai/onnx/operators/onnx_aionnxml_CategoryMapper.html), version 1.
//!
//! `X` int64 or string of any shape gives `Y` of the same shape and the other type: for each integer of `cats_int64s`
//! the string of `cats_strings` in its place, and back; for anything else the default. Of a repeated category the last
//! counts, as in onnxruntime.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::lookup::TwoWay;
use crate::operator::{Built, Operator, facts};
use crate::ops::ml::label_encoder::{DEFAULT_INT, DEFAULT_STRING};

#[derive(Debug)]
struct CategoryMapper {
    categories: TwoWay,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    for name in ["cats_int64s", "cats_strings"] {
        if !attributes.is_given(name) {
            return Err(attributes.invalid(name, "missing"));
        }
    }
    let ints = attributes.ints("cats_int64s")?;
    let strings = attributes.strings("cats_strings")?;
    attributes.check_len("cats_strings", strings.len(), ints.len())?;
    let default_int = attributes.int("default_int64")?.unwrap_or(DEFAULT_INT);
    let default_string = attributes
        .string("default_string")?
        .unwrap_or(DEFAULT_STRING);
    let categories = TwoWay::new(ints, &strings, default_int, default_string)
        .ok_or_else(|| attributes.invalid("cats_strings", "not as many as cats_int64s"))?;
    Ok(Built::operator(CategoryMapper { categories }))
}

impl Operator for CategoryMapper {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        Ok(tvec![self.categories.output_fact(x)?])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        Ok(tvec![self.categories.apply(&inputs[0])?.into_tvalue()])
    }
}
