//! [Cast](https://onnx.ai/onnx/operators/onnx__Cast.html), versions 1 to 25, between numbers, truth values and strings. Before
//! version 6, `to` is the name of the type, such as `FLOAT`.
//!
//! Not supported: 8-bit floats (and so the attributes `saturate` and `round_mode`, which concern no other type, are
//! ignored).

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, dimensions, facts};
use crate::ops::text::text_cast::TextCast;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let to = attributes.datum_type("to")?;
    let to = to.ok_or_else(|| attributes.missing("to"))?;
    attributes.int("saturate")?;
    attributes.string("round_mode")?;
    Ok(cast_to(to))
}

/// Before version 6.
pub(crate) fn build_1(attributes: &mut Attributes<'_>) -> Result<Built> {
    let to = attributes.string("to")?;
    let to = to.ok_or_else(|| attributes.missing("to"))?;
    Ok(cast_to(match to.to_ascii_uppercase().as_str() {
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
    }))
}

fn cast_to(to: DatumType) -> Built {
    Built::expansion(move |name, model, inputs| Ok(tvec![wire(name, model, to, inputs[0])?]))
}

/// Wires a tensor in the type `to`. Dimensions, which tract counts in symbols, are integers already.
pub(crate) fn wire(
    name: &str,
    model: &mut TypedModel,
    to: DatumType,
    x: OutletId,
) -> TractResult<OutletId> {
    let from = model.outlet_fact(x)?.datum_type;
    if from == to || (from, to) == (DatumType::TDim, DatumType::I64) {
        return Ok(x);
    }
    if from == DatumType::String || to == DatumType::String {
        let x = wire_integers(&format!("{name}.int64"), model, x)?;
        return wire_operator("Cast", name, model, TextCast { to }, &[x]);
    }
    wire_operator("Cast", name, model, Cast { to }, &[x])
}

/// Wires dimensions as the integers they are, and anything else as it is.
pub(crate) fn wire_integers(
    name: &str,
    model: &mut TypedModel,
    x: OutletId,
) -> TractResult<OutletId> {
    if model.outlet_fact(x)?.datum_type != DatumType::TDim {
        return Ok(x);
    }
    let to = DatumType::I64;
    wire_operator("Cast", name, model, Cast { to }, &[x])
}

/// Wires `operands` in the one type that holds the types of all of them.
pub(crate) fn wire_in_one_type(
    name: &str,
    model: &mut TypedModel,
    operands: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    let types = operands
        .iter()
        .map(|&operand| Ok(model.outlet_fact(operand)?.datum_type));
    let types: TVec<DatumType> = types.collect::<TractResult<_>>()?;
    let both = DatumType::super_type_for(types.iter().copied())
        .ok_or_else(|| error::invalid(format!("inputs of types {types:?}")))?;
    let mut wires: TVec<OutletId> = operands.into();
    for (index, operand) in wires.iter_mut().enumerate() {
        if types[index] != both {
            *operand = wire(&format!("{name}.{index}"), model, both, *operand)?;
        }
    }
    Ok(wires)
}

#[derive(Debug)]
struct Cast {
    to: DatumType,
}

impl Operator for Cast {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        Ok(tvec![self.to.fact(x.shape.iter())])
    }

    fn maps_rows(&self, _rank: usize) -> bool {
        true
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        if self.to == DatumType::TDim {
            return Ok(tvec![dimensions::of_tensor(x)?.into_tvalue()]);
        }
        let integers = match x.datum_type() {
            DatumType::TDim => Some(x.cast_to::<i64>()?),
            _ => None,
        };
        let numbers = integers.as_deref().unwrap_or(x);
        Ok(tvec![
            numbers.cast_to_dt(self.to)?.into_owned().into_tvalue()
        ])
    }
}
