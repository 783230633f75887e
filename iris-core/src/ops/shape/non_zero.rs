//! [NonZero](https://onnx.ai/onnx/operators/onnx__NonZero.html), versions 9 to 25.
//!
//! Numbers or bool of any shape give int64 `[rank, n]`: the places of the elements that are not zero, one column each, in
//! row-major order.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::Result;
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, facts};
use crate::value::tensors;

#[derive(Debug)]
struct NonZero {
    count: Symbol,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let count = attributes.new_symbol("n_non_zero");
    Ok(Built::operator(NonZero { count }))
}

impl Operator for NonZero {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        if x.datum_type != DatumType::Bool {
            facts::check_numeric("X", x)?;
        }
        let count = match &x.konst {
            Some(x) => places(x).map_err(error::invalid)?.len().to_dim(),
            None => self.count.to_dim(),
        };
        Ok(tvec![DatumType::I64.fact([x.rank().to_dim(), count])])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let x = &inputs[0];
        let places = places(x)?;
        let coordinates = coordinates(&places, x.shape());
        let y = tensors::from_vec(&[x.rank(), places.len()], coordinates)?;
        Ok(tvec![y.into_tvalue()])
    }
}

/// Where `x` is not zero.
fn places(x: &Tensor) -> TractResult<Vec<usize>> {
    fn of<T: PartialEq>(x: &[T], zero: &T) -> Vec<usize> {
        let non_zero = x.iter().enumerate().filter(|(_, x)| *x != zero);
        non_zero.map(|(place, _)| place).collect()
    }
    let plain = x.try_as_plain_ram()?;
    Ok(match x.datum_type() {
        DatumType::Bool => of(plain.as_slice::<bool>()?, &false),
        DatumType::F32 => of(plain.as_slice::<f32>()?, &0.0),
        DatumType::F64 => of(plain.as_slice::<f64>()?, &0.0),
        DatumType::I32 => of(plain.as_slice::<i32>()?, &0),
        _ => of(plain.as_slice::<i64>()?, &0),
    })
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
