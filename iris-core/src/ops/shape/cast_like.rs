//! [CastLike](https://onnx.ai/onnx/operators/onnx__CastLike.html), versions 15 to 25: a
//! [Cast](crate::ops::shape::cast) to the type of
//! the second input, whose values do not matter.
//!
//! Not supported: 8-bit floats (and so the attributes `saturate` and `round_mode`, which concern no other type, are
//! ignored).

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::Built;
use crate::ops::shape::cast;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    attributes.int("saturate")?;
    attributes.string("round_mode")?;
    Ok(Built::expansion(|name, model, inputs| {
        let to = match model.outlet_fact(inputs[1])?.datum_type {
            DatumType::TDim => DatumType::I64,
            other => other,
        };
        Ok(tvec![cast::wire(name, model, to, inputs[0])?])
    }))
}
