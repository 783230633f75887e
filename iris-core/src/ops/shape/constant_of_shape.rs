//! [ConstantOfShape](https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html), versions 9 to 25.
//!
//! `input` int64 `[rank]` gives a tensor of that shape full of `value`, a tensor of one element of any type, 0 of type
//! float if absent. The number of dimensions must be known when the model is loaded.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget;
use crate::onnx::attributes::Attributes;
use crate::operator::node::wire_operator;
use crate::operator::{Built, Operator, axes};
use crate::ops::shape::cast;

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
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
    Ok(Built::expansion(move |name, model, inputs| {
        let dims = axes::dimensions("input", model, inputs[0])?;
        let shape = cast::wire_integers(&format!("{name}.int64"), model, inputs[0])?;
        let fill = Fill { value, dims };
        Ok(tvec![wire_operator(
            "ConstantOfShape",
            name,
            model,
            fill,
            &[shape]
        )?])
    }))
}

/// The operator, given the shape as int64.
#[derive(Debug)]
struct Fill {
    /// A scalar.
    value: Tensor,
    dims: TVec<TDim>,
}

impl Operator for Fill {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        Ok(tvec![self.value.datum_type().fact(self.dims.iter())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let dims = inputs[0].cast_to::<i64>()?;
        let dims = dims.try_as_plain_ram()?;
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
    budget::check_tensor(shape.iter().copied(), element)?;
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
