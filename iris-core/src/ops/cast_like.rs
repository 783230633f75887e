//! [CastLike](https://onnx.ai/onnx/operators/onnx__CastLike.html), versions 15 to 25: a [Cast](super::cast) to the type of
//! the second input, whose values do not matter.
//!
//! Not supported: 8-bit floats (and so the attributes `saturate` and `round_mode`, which concern no other type, are
//! ignored).

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::cast::Cast;
use crate::error::Result;

#[derive(Clone, Debug)]
struct CastLike;

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    attributes.int("saturate")?;
    attributes.string("round_mode")?;
    Ok(expand(CastLike))
}

impl Expansion for CastLike {
    fn name(&self) -> StaticName {
        "CastLike".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 2)?;
        check_output_arity(outputs, 1)?;
        s.equals(&inputs[0].shape, &outputs[0].shape)?;
        s.given_2(
            &inputs[0].datum_type,
            &inputs[1].datum_type,
            |s, from, to| s.equals(&outputs[0].datum_type, Cast::like(to).target(from)),
        )
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let to = model.outlet_fact(inputs[1])?.datum_type;
        Cast::like(to).wire(prefix, model, &inputs[..1])
    }
}
