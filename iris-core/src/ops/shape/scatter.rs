//! [Scatter](https://onnx.ai/onnx/operators/onnx__Scatter.html), version 9,
//! [ScatterElements](https://onnx.ai/onnx/operators/onnx__ScatterElements.html), versions 11 to 18, and
//! [ScatterND](https://onnx.ai/onnx/operators/onnx__ScatterND.html), versions 11 to 18.
//!
//! `data` of any type with `updates`, of the same type, at the `indices` int32 or int64 that each of them is for, one after the
//! other; `reduction` (none, add, mul, max or min) says what becomes of the number that is there. Negative indices count from
//! the end; an index that is none of the dimension is refused.

use std::ops::{Add, Mul};

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::onnx::attributes::Attributes;
use crate::operator::{Built, Operator, axes, facts};
use crate::ops::shape::gather::{block_starts, check_indices, element_places, index_len};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reduction {
    None,
    Add,
    Mul,
    Max,
    Min,
}

#[derive(Debug)]
struct ScatterElements {
    axis: i64,
    reduction: Reduction,
}

#[derive(Debug)]
struct ScatterND {
    reduction: Reduction,
}

pub(crate) fn build_elements(attributes: &mut Attributes<'_>) -> Result<Built> {
    let scatter = ScatterElements {
        axis: attributes.int("axis")?.unwrap_or(0),
        reduction: Reduction::from_attributes(attributes)?,
    };
    Ok(Built::operator(scatter))
}

pub(crate) fn build_nd(attributes: &mut Attributes<'_>) -> Result<Built> {
    let reduction = Reduction::from_attributes(attributes)?;
    Ok(Built::operator(ScatterND { reduction }))
}

impl Reduction {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        match attributes.string("reduction")?.unwrap_or("none") {
            "none" => Ok(Self::None),
            "add" => Ok(Self::Add),
            "mul" => Ok(Self::Mul),
            "max" => Ok(Self::Max),
            "min" => Ok(Self::Min),
            other => Err(attributes.invalid("reduction", format!("unknown value {other:?}"))),
        }
    }

    /// Refuses types that this cannot be done with.
    fn check(self, data: &TypedFact, updates: &TypedFact) -> Result<()> {
        if updates.datum_type != data.datum_type {
            let (expected, got) = (data.datum_type, updates.datum_type);
            return Err(error::invalid(format!(
                "input updates: expected {expected:?}, as data is, got {got:?}"
            )));
        }
        if self != Self::None && !facts::is_number(data.datum_type) {
            let got = data.datum_type;
            return Err(error::invalid(format!(
                "attribute reduction: expected data of numbers, got {got:?}"
            )));
        }
        Ok(())
    }

    /// `data` with the updates, `len` after `len` of them from each of `starts` on.
    fn scattered(
        self,
        data: &TValue,
        updates: &Tensor,
        len: usize,
        starts: &[usize],
    ) -> TractResult<Tensor> {
        fn put<T: Datum>(
            data: &mut Tensor,
            updates: &Tensor,
            len: usize,
            starts: &[usize],
        ) -> TractResult<()> {
            each::<T>(data, updates, len, starts, |slot, update| {
                slot.clone_from(update);
            })
        }
        fn reduced<T: Datum + Copy + PartialOrd + Add<Output = T> + Mul<Output = T>>(
            reduction: Reduction,
            data: &mut Tensor,
            updates: &Tensor,
            len: usize,
            starts: &[usize],
        ) -> TractResult<()> {
            let f: fn(T, T) -> T = match reduction {
                Reduction::None => |_, update| update,
                Reduction::Add => |x, update| x + update,
                Reduction::Mul => |x, update| x * update,
                Reduction::Max => |x, update| if update > x { update } else { x },
                Reduction::Min => |x, update| if update < x { update } else { x },
            };
            each::<T>(data, updates, len, starts, |slot, update| {
                *slot = f(*slot, *update);
            })
        }
        let mut data = data.clone().into_tensor();
        let datum_type = data.datum_type();
        match self {
            Self::None => dispatch_datum!(put(datum_type)(&mut data, updates, len, starts))?,
            _ => dispatch_numbers!(reduced(datum_type)(self, &mut data, updates, len, starts))?,
        }
        Ok(data)
    }
}

/// Calls `f` with each slot of `data` that an update is for, and the update.
fn each<T: Datum>(
    data: &mut Tensor,
    updates: &Tensor,
    len: usize,
    starts: &[usize],
    f: impl Fn(&mut T, &T),
) -> TractResult<()> {
    let mut data = data.try_as_plain_ram_mut()?;
    let data = data.as_slice_mut::<T>()?;
    let updates = updates.try_as_plain_ram()?;
    let updates = updates.as_slice::<T>()?;
    if len == 0 {
        return Ok(());
    }
    for (updates, &start) in updates.chunks_exact(len).zip(starts) {
        for (slot, update) in data[start..start + len].iter_mut().zip(updates) {
            f(slot, update);
        }
    }
    Ok(())
}

fn check_updates(expected: &[usize], updates: &Tensor) -> Result<()> {
    let got = updates.shape();
    if got != expected {
        let message = format!("input updates: expected shape {expected:?}, got {got:?}");
        return Err(Error::input(message));
    }
    Ok(())
}

impl Operator for ScatterElements {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [data, indices, updates] = facts::inputs(inputs)?;
        check_indices(indices)?;
        self.reduction.check(data, updates)?;
        axes::resolve(self.axis, data.rank())?;
        if indices.rank() != data.rank() || updates.rank() != data.rank() {
            let message = format!(
                "inputs indices and updates: expected {} dimensions, as data has, got {} and {}",
                data.rank(),
                indices.rank(),
                updates.rank()
            );
            return Err(error::invalid(message));
        }
        Ok(tvec![data.without_value()])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let [data, indices, updates] = inputs else {
            bail!("{} inputs, expected 3", inputs.len());
        };
        let axis = axes::resolve(self.axis, data.rank())?;
        check_updates(indices.shape(), updates)?;
        let places = element_places(data.shape(), indices, axis)?;
        let scattered = self.reduction.scattered(data, updates, 1, &places)?;
        Ok(tvec![scattered.into_tvalue()])
    }
}

impl Operator for ScatterND {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [data, indices, updates] = facts::inputs(inputs)?;
        check_indices(indices)?;
        self.reduction.check(data, updates)?;
        index_len(data.shape.dims(), indices.shape.dims(), 0)?;
        Ok(tvec![data.without_value()])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let [data, indices, updates] = inputs else {
            bail!("{} inputs, expected 3", inputs.len());
        };
        let dims = indices.shape();
        let len = index_len(data.shape(), dims, 0)?;
        let block = &data.shape()[len..];
        let expected = [&dims[..dims.len() - 1], block].concat();
        check_updates(&expected, updates)?;
        let starts = block_starts(data.shape(), indices, 0, len)?;
        let block = block.iter().product();
        let scattered = self.reduction.scattered(data, updates, block, &starts)?;
        Ok(tvec![scattered.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(operator: &dyn Operator, inputs: [Tensor; 3]) -> TractResult<Tensor> {
        let inputs = inputs.map(IntoTValue::into_tvalue);
        Ok(operator.eval(&inputs, &[0])?[0].clone().into_tensor())
    }

    #[test]
    fn scatters_elements() {
        let scatter = |reduction, indices: &[i64], updates: &[f32]| {
            let scatter = ScatterElements { axis: 0, reduction };
            let data = tensor1(&[1.0_f32, 2.0, 3.0]);
            eval(&scatter, [data, tensor1(indices), tensor1(updates)])
        };
        for (reduction, expected) in [
            (Reduction::None, [1.0_f32, 4.0, 7.0]),
            (Reduction::Add, [1.0, 2.0 + 5.0 + 4.0, 10.0]),
            (Reduction::Mul, [1.0, 2.0 * 5.0 * 4.0, 21.0]),
            (Reduction::Max, [1.0, 5.0, 7.0]),
            (Reduction::Min, [1.0, 2.0, 3.0]),
        ] {
            let got = scatter(reduction, &[1, -2, -1], &[5.0, 4.0, 7.0]);
            assert_eq!(got.expect("scatters"), tensor1(&expected), "{reduction:?}");
        }
        for index in [3, -4, 1 << 32, i64::MAX, i64::MIN] {
            let refused = scatter(Reduction::None, &[index], &[5.0]);
            assert!(refused.is_err(), "{index}");
        }
        assert!(scatter(Reduction::None, &[0], &[5.0, 6.0]).is_err());
    }

    #[test]
    fn scatters_blocks() {
        let scatter = |indices: Tensor, updates: Tensor| {
            let scatter = ScatterND {
                reduction: Reduction::None,
            };
            let data = tensor2(&[["a", "b"], ["c", "d"]].map(|row| row.map(String::from)));
            eval(&scatter, [data, indices, updates])
        };
        let x = || tensor1(&["x".to_string()]);
        let got = scatter(tensor2(&[[0_i64, -1]]), x()).expect("one");
        assert_eq!(
            got,
            tensor2(&[["a", "x"], ["c", "d"]].map(|row| row.map(String::from)))
        );
        for index in [2, -3, 1 << 32, i64::MIN] {
            assert!(scatter(tensor2(&[[index, 0]]), x()).is_err(), "{index}");
        }
        assert!(scatter(tensor2(&[[0_i64]]), x()).is_err());
    }
}
