//! [Cast](https://onnx.ai/onnx/operators/onnx__Cast.html), version 1: `to` is the name of the type, such as `FLOAT`.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::cast::Cast;
use crate::error::Result;

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let to = attributes
        .string("to")?
        .ok_or_else(|| attributes.invalid("to", "missing"))?;
    let to = match to.to_ascii_uppercase().as_str() {
        "FLOAT" => DatumType::F32,
        "DOUBLE" => DatumType::F64,
        "FLOAT16" => DatumType::F16,
        "INT8" => DatumType::I8,
        "INT16" => DatumType::I16,
        "INT32" => DatumType::I32,
        "INT64" => DatumType::I64,
        "UINT8" => DatumType::U8,
        "UINT16" => DatumType::U16,
        "UINT32" => DatumType::U32,
        "UINT64" => DatumType::U64,
        "BOOL" => DatumType::Bool,
        _ => return Err(attributes.invalid("to", format!("type {to} is not supported"))),
    };
    Ok(expand(Cast::like(to)))
}
