//! [ConstantOfShape](https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html), versions 9 to 25.
//!
//! `input` int64 `[rank]` gives a tensor of that shape full of `value`, a tensor of one element of any type, 0 of type
//! float if absent. The number of dimensions must be known when the model is loaded. tract's own wants the shape itself
//! to be so, and does not go with its matrix products.

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core;

use super::attributes::Attributes;
use super::dimensions;
use super::operator::{Operator, wire_operator};
use super::tensors;
use crate::error::{Error, ErrorKind, Result};
use crate::model::limits;

#[derive(Clone, Debug)]
struct ConstantOfShape {
    /// A scalar.
    value: Arc<Tensor>,
}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let value = match attributes.tensor("value")? {
        None => tensor0(0.0_f32),
        Some(value) if value.len() == 1 => value
            .into_shape(&[])
            .map_err(|error| attributes.invalid("value", error))?,
        Some(value) => {
            let message = format!("expected 1 element, got {}", value.len());
            return Err(attributes.invalid("value", message));
        }
    };
    Ok(expand(ConstantOfShape {
        value: value.into_arc_tensor(),
    }))
}

impl Expansion for ConstantOfShape {
    fn name(&self) -> StaticName {
        "ConstantOfShape".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&outputs[0].datum_type, self.value.datum_type())?;
        s.equals(&inputs[0].rank, 1)?;
        s.given(&inputs[0].shape[0], move |s, rank| match rank.to_usize() {
            // tract makes room for as many as it is told.
            Ok(rank) if rank > limits::MAX_RANK => {
                let message = format!("input input: {rank} dimensions");
                Err(tensors::invalid(message).into())
            }
            Ok(rank) => s.equals(&outputs[0].rank, rank as i64),
            Err(_) => Ok(()),
        })?;
        s.given(&inputs[0].value, move |s, shape| {
            let shape = dimensions::of_tensor(&shape)?;
            let shape = shape.try_as_plain_ram()?;
            for (axis, dim) in shape.as_slice::<TDim>()?.iter().enumerate() {
                s.equals(&outputs[0].shape[axis], dim)?;
            }
            Ok(())
        })
    }

    fn wire(
        &self,
        prefix: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let shape = model.outlet_fact(inputs[0])?.clone();
        let (dims, is_known) = match shape.konst {
            Some(dims) => {
                let dims = dimensions::of_tensor(&dims)?;
                let dims = dims.try_as_plain_ram()?;
                (dims.as_slice::<TDim>()?.into(), true)
            }
            None => {
                let rank = shape.shape[0].to_usize().map_err(|_| {
                    tensors::invalid("input input: how many dimensions it lists is not known")
                })?;
                if rank > limits::MAX_RANK {
                    let message = format!("input input: {rank} dimensions");
                    return Err(tensors::invalid(message).into());
                }
                let new_dim = |_| model.symbols.new_with_prefix("dim").to_dim();
                ((0..rank).map(new_dim).collect(), false)
            }
        };
        let dims: TVec<TDim> = dims;
        let negative = |dim: &TDim| dim.to_i64().is_ok_and(|dim| dim < 0);
        if dims.iter().any(negative) {
            return Err(tensors::invalid("input input: a negative dimension").into());
        }
        let to_int64 = tract_core::ops::cast::cast(DatumType::I64);
        let inputs = model.wire_node(format!("{prefix}.int64"), to_int64, inputs)?;
        let fill = Fill {
            value: self.value.clone(),
            dims,
            is_known,
        };
        wire_operator("ConstantOfShape", prefix, model, fill, &inputs)
    }
}

/// The operator, given the shape as int64. A broadcast would not do: tract takes it out from before a matrix product.
#[derive(Debug)]
struct Fill {
    value: Arc<Tensor>,
    dims: TVec<TDim>,
    /// Whether the dimensions are those of inputs of the graph, not values that only the run shows.
    is_known: bool,
}

impl Operator for Fill {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        Ok(tvec![self.value.datum_type().fact(self.dims.iter())])
    }

    fn has_data_dependent_shape(&self) -> bool {
        !self.is_known
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let dims = inputs[0].try_as_plain_ram()?;
        let shape = checked_shape(dims.as_slice::<i64>()?, self.value.datum_type().size_of())?;
        Ok(tvec![
            self.value.broadcast_scalar_to_shape(&shape)?.into_tvalue()
        ])
    }
}

fn checked_shape(dims: &[i64], element: usize) -> Result<Vec<usize>> {
    let refused =
        |what: String| Error::new(ErrorKind::InvalidInput, format!("input input: {what}"));
    let shape: Vec<usize> = dims
        .iter()
        .map(|&dim| usize::try_from(dim).map_err(|_| refused(format!("dimension {dim}"))))
        .collect::<Result<_>>()?;
    limits::check_tensor(shape.iter().copied(), element)?;
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_shapes() {
        assert_eq!(checked_shape(&[], 4).expect("a scalar"), [0_usize; 0]);
        assert_eq!(
            checked_shape(&[2, 0, 3], 4).expect("no elements"),
            [2, 0, 3]
        );
        for (dims, kind) in [
            (&[-1][..], ErrorKind::InvalidInput),
            (&[1, -2], ErrorKind::InvalidInput),
            (&[i64::MAX, 2], ErrorKind::LimitExceeded),
            (&[i64::MAX, i64::MAX, 0], ErrorKind::LimitExceeded),
        ] {
            let error = checked_shape(dims, 4).expect_err("refused");
            assert_eq!(error.kind(), kind, "{dims:?}");
        }
    }
}
