//! Which dimensions of an input an operator works along.

use tract_onnx::tract_hir::internal::*;

use crate::error::{Result, invalid};
use crate::guard::budget::MAX_RANK;
use crate::kernels::along::Along;
use crate::kernels::real::Real;
use crate::operator::dimensions::of_tensor;
use crate::operator::integers::whole_numbers;
use crate::value::tensors;

/// The dimension that `axis` means, which counts from the end if negative.
pub(crate) fn resolve(axis: i64, rank: usize) -> Result<usize> {
    let from_end = if axis < 0 { rank } else { 0 };
    i64::try_from(from_end)
        .ok()
        .and_then(|from_end| axis.checked_add(from_end))
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|&axis| axis < rank)
        .ok_or_else(|| {
            invalid(format!(
                "attribute axis: {axis} is none of the {rank} dimensions of the input"
            ))
        })
}

/// The whole numbers that an input of a node, called `what`, always has.
pub(crate) fn constant_ints(
    what: &str,
    model: &TypedModel,
    input: OutletId,
) -> TractResult<Vec<i64>> {
    let constant = model.outlet_fact(input)?.konst.clone();
    let constant = constant.ok_or_else(|| invalid(format!("input {what}: has to be constant")))?;
    if !constant.datum_type().is_integer() && constant.datum_type() != DatumType::TDim {
        let message = format!(
            "input {what}: expected integers, got {:?}",
            constant.datum_type()
        );
        return Err(invalid(message).into());
    }
    whole_numbers(&constant)
        .map_err(|_| invalid(format!("input {what}: depends on the inputs of the graph")).into())
}

/// The dimensions that an input of a node, called `what`, lists: where that is not known before a run, symbols for them.
pub(crate) fn dimensions(
    what: &str,
    model: &TypedModel,
    input: OutletId,
) -> TractResult<TVec<TDim>> {
    let fact = model.outlet_fact(input)?;
    if !fact.datum_type.is_integer() && fact.datum_type != DatumType::TDim {
        let message = format!("input {what}: expected integers, got {:?}", fact.datum_type);
        return Err(invalid(message).into());
    }
    let [len] = fact.shape.dims() else {
        let message = format!("input {what}: expected 1 dimension, got {}", fact.rank());
        return Err(invalid(message).into());
    };
    let rank = len.to_usize();
    let rank = rank.map_err(|_| {
        invalid(format!(
            "input {what}: how many dimensions it lists is not known"
        ))
    })?;
    if rank > MAX_RANK {
        return Err(invalid(format!("input {what}: {rank} dimensions")).into());
    }
    let Some(dims) = &fact.konst else {
        let new_dim = |_| model.symbols.new_with_prefix("dim").to_dim();
        return Ok((0..rank).map(new_dim).collect());
    };
    let dims = of_tensor(dims)?;
    let dims = dims.try_as_plain_ram()?;
    let dims: TVec<TDim> = dims.as_slice::<TDim>()?.into();
    if let Some(dim) = dims
        .iter()
        .find(|dim| dim.to_i64().is_ok_and(|dim| dim < 0))
    {
        return Err(invalid(format!(
            "input {what}: a dimension of {dim} is not possible"
        ))
        .into());
    }
    Ok(dims)
}

/// The elements at `indices` along dimension `axis`.
pub(crate) fn select(x: &Tensor, axis: usize, indices: &[usize]) -> TractResult<Tensor> {
    fn selected<T: Datum>(x: &Tensor, axis: usize, indices: &[usize]) -> TractResult<Tensor> {
        let Along { outer, len, inner } = Along::new(x.shape(), axis);
        let view = x.try_as_plain_ram()?;
        let elements = view.as_slice::<T>()?;
        let mut shape: TVec<usize> = x.shape().into();
        shape[axis] = indices.len();
        let mut selected = Vec::with_capacity(outer * indices.len() * inner);
        for index in (0..outer).flat_map(|outer| indices.iter().map(move |at| outer * len + at)) {
            selected.extend_from_slice(&elements[index * inner..][..inner]);
        }
        tensors::from_vec(&shape, selected)
    }
    dispatch_datum!(selected(x.datum_type())(x, axis, indices))
}

/// Applies `f` in place to every line of `x` along `along`, in double, and casts back to the type of `x`: float16, float or double.
pub(crate) fn map_lines(x: &Tensor, along: Along, f: &dyn Fn(&mut [f64])) -> TractResult<Tensor> {
    fn mapped<T: Real + Datum>(
        x: &Tensor,
        along: Along,
        f: &dyn Fn(&mut [f64]),
    ) -> TractResult<Tensor> {
        let Along { outer, len, inner } = along;
        let plain = x.try_as_plain_ram()?;
        let elements = plain.as_slice::<T>()?;
        tensors::filled::<T>(x.shape(), |mapped| {
            if elements.is_empty() {
                return Ok(());
            }
            let mut line = vec![0.0; len];
            for start in (0..outer).flat_map(|o| (0..inner).map(move |i| o * len * inner + i)) {
                let numbers = elements[start..].iter().step_by(inner);
                for (slot, x) in line.iter_mut().zip(numbers) {
                    *slot = x.to_f64();
                }
                f(&mut line);
                let slots = mapped[start..].iter_mut().step_by(inner);
                for (slot, &x) in slots.zip(&line) {
                    *slot = T::from_f64(x);
                }
            }
            Ok(())
        })
    }
    match x.datum_type() {
        DatumType::F32 => mapped::<f32>(x, along, f),
        DatumType::F64 => mapped::<f64>(x, along, f),
        other => {
            let y = mapped::<f64>(&*x.cast_to::<f64>()?, along, f)?;
            Ok(y.cast_to_dt(other)?.into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_axes() {
        let cases = [
            (0, 1, Some(0)),
            (-1, 3, Some(2)),
            (-3, 3, Some(0)),
            (2, 3, Some(2)),
        ];
        let invalid = [
            (0, 0),
            (-1, 0),
            (3, 3),
            (-4, 3),
            (i64::MIN, 3),
            (i64::MAX, 3),
        ];
        for (axis, rank, expected) in cases {
            assert_eq!(resolve(axis, rank).ok(), expected, "{axis} {rank}");
        }
        for (axis, rank) in invalid {
            assert!(resolve(axis, rank).is_err(), "{axis} {rank}");
        }
    }

    #[test]
    fn selects_along_each_axis() {
        type Case = (usize, &'static [usize], [usize; 3], &'static [i64]);
        let x = tensors::from_vec(&[2, 3, 2], (0..12_i64).collect()).expect("fits");
        let cases: [Case; 4] = [
            (0, &[1], [1, 3, 2], &[6, 7, 8, 9, 10, 11]),
            (1, &[2, 0], [2, 2, 2], &[4, 5, 0, 1, 10, 11, 6, 7]),
            (
                2,
                &[1, 1],
                [2, 3, 2],
                &[1, 1, 3, 3, 5, 5, 7, 7, 9, 9, 11, 11],
            ),
            (1, &[], [2, 0, 2], &[]),
        ];
        for (axis, indices, shape, expected) in cases {
            let y = select(&x, axis, indices).expect("indices are in range");
            let elements = y.try_as_plain_ram().expect("plain");
            assert_eq!(y.shape(), shape);
            assert_eq!(elements.as_slice::<i64>().expect("integers"), expected);
        }
    }

    #[test]
    fn maps_lines_along_each_axis() {
        let x = tensors::from_vec(&[2, 3], vec![1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0]).expect("fits");
        let with_sums = |line: &mut [f64]| {
            let sum: f64 = line.iter().sum();
            line.iter_mut().for_each(|x| *x += sum);
        };
        for (axis, expected) in [
            (0, [6.0_f32, 9.0, 12.0, 9.0, 12.0, 15.0]),
            (1, [7.0, 8.0, 9.0, 19.0, 20.0, 21.0]),
        ] {
            let along = Along::new(x.shape(), axis);
            for datum_type in [DatumType::F16, DatumType::F32, DatumType::F64] {
                let x = x.cast_to_dt(datum_type).expect("floats");
                let y = map_lines(&x, along, &with_sums).expect("floats");
                assert_eq!((y.datum_type(), y.shape()), (datum_type, &[2, 3][..]));
                let y = y.cast_to::<f32>().expect("floats");
                let y = y.try_as_plain_ram().expect("plain");
                assert_eq!(y.as_slice::<f32>().expect("floats"), expected);
            }
        }
        let none = Tensor::zero::<f32>(&[2, 0]).expect("is small");
        for axis in [0, 1] {
            let along = Along::new(none.shape(), axis);
            assert_eq!(map_lines(&none, along, &with_sums).expect("floats"), none);
        }
    }
}
