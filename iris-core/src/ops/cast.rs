//! [Cast](https://onnx.ai/onnx/operators/onnx__Cast.html), versions 6 to 25, between numbers, truth values and strings.
//!
//! tract's own turns every cast to int64 into one to symbolic dimensions. This one does so only where the input is
//! made of dimensions already, so that labels stay integers.
//!
//! Not supported: 8-bit floats (and so the attributes `saturate` and `round_mode`, which concern no other type, are
//! ignored).

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core;

use super::attributes::Attributes;
use super::operator::wire_operator;
use super::text_cast::TextCast;
use crate::error::Result;

#[derive(Clone, Debug)]
pub(super) struct Cast {
    to: DatumType,
}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let to = attributes
        .int("to")?
        .ok_or_else(|| attributes.invalid("to", "missing"))?;
    attributes.int("saturate")?;
    attributes.string("round_mode")?;
    let to = i32::try_from(to)
        .ok()
        .and_then(|to| DataType::try_from(to).ok())
        .and_then(|to| DatumType::try_from(to).ok())
        .ok_or_else(|| attributes.invalid("to", format!("type {to} is not supported")))?;
    Ok(expand(Cast { to }))
}

impl Cast {
    /// The cast to the type of a tensor whose elements tract has as `to`.
    pub(super) fn like(to: DatumType) -> Self {
        let to = if to == DatumType::TDim {
            DatumType::I64
        } else {
            to
        };
        Self { to }
    }

    pub(super) fn target(&self, from: DatumType) -> DatumType {
        if from == DatumType::TDim && self.to == DatumType::I64 {
            from
        } else {
            self.to
        }
    }
}

impl Expansion for Cast {
    fn name(&self) -> StaticName {
        "Cast".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].shape, &outputs[0].shape)?;
        s.given(&inputs[0].datum_type, |s, from| {
            s.equals(&outputs[0].datum_type, self.target(from))
        })
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let from = model.outlet_fact(inputs[0])?.datum_type;
        if from != self.to && (from == DatumType::String || self.to == DatumType::String) {
            let mut inputs: TVec<OutletId> = inputs.into();
            if from == DatumType::TDim {
                let to_int64 = tract_core::ops::cast::cast(DatumType::I64);
                inputs = model.wire_node(format!("{prefix}.int64"), to_int64, &inputs)?;
            }
            let operator = TextCast { to: self.to };
            return wire_operator("Cast", prefix, model, operator, &inputs);
        }
        model.wire_node(
            prefix,
            tract_core::ops::cast::cast(self.target(from)),
            inputs,
        )
    }
}
