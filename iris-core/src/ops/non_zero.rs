//! [NonZero](https://onnx.ai/onnx/operators/onnx__NonZero.html), versions 9 to 25.
//!
//! Numbers or bool of any shape give int64 `[rank, n]`: the places of the elements that are not zero, one column each, in
//! row-major order.

use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::operator::{Operator, node_operator};
use super::tensors;
use crate::error::Result;

#[derive(Debug)]
struct NonZero {
    count: Symbol,
}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let count = attributes.new_symbol("n_non_zero");
    Ok(node_operator(attributes, NonZero { count }))
}

impl Operator for NonZero {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        if x.datum_type != DatumType::Bool {
            tensors::check_numeric("X", x)?;
        }
        let shape = [x.rank().to_dim(), self.count.to_dim()];
        Ok(tvec![DatumType::I64.fact(shape)])
    }

    fn has_data_dependent_shape(&self) -> bool {
        true
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = inputs[0].try_as_plain_ram()?;
        macro_rules! of {
            ($zero:expr, $number:ty) => {
                places(x.as_slice::<$number>()?, $zero)
            };
        }
        let places = match x.datum_type() {
            DatumType::Bool => of!(false, bool),
            DatumType::F32 => of!(0.0, f32),
            DatumType::F64 => of!(0.0, f64),
            DatumType::I32 => of!(0, i32),
            _ => of!(0, i64),
        };
        let coordinates = coordinates(&places, inputs[0].shape());
        let shape = [inputs[0].rank(), places.len()];
        Ok(tvec![tensors::from_vec(&shape, coordinates)?.into_tvalue()])
    }
}

fn places<T: PartialEq>(x: &[T], zero: T) -> Vec<usize> {
    let non_zero = x.iter().enumerate().filter(|(_, x)| **x != zero);
    non_zero.map(|(place, _)| place).collect()
}

/// The coordinates, `[shape.len(), places.len()]`, of places in row-major order.
fn coordinates(places: &[usize], shape: &[usize]) -> Vec<i64> {
    let mut coordinates = vec![0; shape.len() * places.len()];
    let mut stride = 1;
    for (axis, &len) in shape.iter().enumerate().rev() {
        let row = coordinates[axis * places.len()..].iter_mut();
        for (coordinate, place) in row.zip(places) {
            *coordinate = (place / stride % len) as i64;
        }
        stride *= len;
    }
    coordinates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_coordinates() {
        assert_eq!(coordinates(&[1, 3, 5], &[2, 3]), [0, 1, 1, 1, 0, 2]);
        assert_eq!(coordinates(&[0], &[]), [0_i64; 0]);
        assert_eq!(coordinates(&[], &[2, 0]), [0_i64; 0]);
    }
}
