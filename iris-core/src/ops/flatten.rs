//! [Flatten](https://onnx.ai/onnx/operators/onnx__Flatten.html), versions 1 to 25.
//!
//! A tensor of any type and shape becomes `[n_outer, n_inner]`: what is before `axis`, and what is not. tract's own refuses
//! tensors two of whose dimensions are not known beforehand, such as the tokens of any number of texts.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use crate::error::Result;

#[derive(Clone, Debug)]
struct Flatten {
    /// Counted from the end if negative.
    axis: i64,
}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let axis = attributes.int("axis")?.unwrap_or(1);
    Ok(expand(Flatten { axis }))
}

impl Flatten {
    /// How many dimensions of a tensor of `rank` become the outer one.
    fn n_outer(&self, rank: usize) -> TractResult<usize> {
        let from_start = if self.axis < 0 {
            i64::try_from(rank)?.saturating_add(self.axis)
        } else {
            self.axis
        };
        usize::try_from(from_start)
            .ok()
            .filter(|&axis| axis <= rank)
            .with_context(|| format!("attribute axis: {} is not in {rank} dimensions", self.axis))
    }
}

impl Expansion for Flatten {
    fn name(&self) -> StaticName {
        "Flatten".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&outputs[0].datum_type, &inputs[0].datum_type)?;
        s.given(&inputs[0].shape, move |s, shape| {
            let (outer, inner) = shape.split_at(self.n_outer(shape.len())?);
            let volume = |dims: &[TDim]| dims.iter().product::<TDim>();
            s.equals(&outputs[0].shape, tvec![volume(outer), volume(inner)])
        })
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let shape = model.outlet_fact(inputs[0])?.shape.to_tvec();
        let (outer, inner) = shape.split_at(self.n_outer(shape.len())?);
        let mut wires: TVec<OutletId> = inputs.into();
        for (axis, dims) in [outer, inner].into_iter().enumerate() {
            let op = match dims {
                [] => AxisOp::Add(axis),
                [_] => continue,
                _ => AxisOp::Reshape(axis, dims.into(), tvec![dims.iter().product()]),
            };
            wires = model.wire_node(format!("{prefix}.{axis}"), op, &wires)?;
        }
        Ok(wires)
    }
}
