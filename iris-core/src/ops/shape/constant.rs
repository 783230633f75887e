//! [Constant](https://onnx.ai/onnx/operators/onnx__Constant.html), versions 1 to 25, and
//! [Identity](https://onnx.ai/onnx/operators/onnx__Identity.html), of tensors.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::Built;
use crate::operator::node::constant;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let value = value(attributes)?;
    let value = value.ok_or_else(|| error::invalid("no value that is supported"))?;
    Ok(Built::expansion(|name, model, _| {
        Ok(tvec![constant(name, model, value)?])
    }))
}

fn value(attributes: &mut Attributes<'_>) -> Result<Option<Tensor>> {
    let owned = |texts: Vec<&str>| texts.into_iter().map(String::from).collect::<Vec<_>>();
    Ok(if let Some(tensor) = attributes.tensor("value")? {
        Some(tensor)
    } else if let Some(int) = attributes.int("value_int")? {
        Some(tensor0(int))
    } else if let Some(float) = attributes.float("value_float")? {
        Some(tensor0(float))
    } else if let Some(text) = attributes.string("value_string")? {
        Some(tensor0(text.to_string()))
    } else if attributes.is_given("value_ints") {
        Some(tensor1(attributes.ints("value_ints")?))
    } else if attributes.is_given("value_floats") {
        Some(tensor1(attributes.floats("value_floats")?))
    } else if attributes.is_given("value_strings") {
        Some(tensor1(&owned(attributes.strings("value_strings")?)))
    } else {
        None
    })
}

/// The operator that gives what it takes.
pub(crate) fn build_identity(_attributes: &mut Attributes<'_>) -> Result<Built> {
    Ok(Built::expansion(|_, _, inputs| Ok(inputs.into())))
}
