//! [Gather](https://onnx.ai/onnx/operators/onnx__Gather.html), versions 1 to 13,
//! [GatherElements](https://onnx.ai/onnx/operators/onnx__GatherElements.html), versions 11 and 13, and
//! [GatherND](https://onnx.ai/onnx/operators/onnx__GatherND.html), versions 11 to 13.
//!
//! `data` of any type and `indices` int32 or int64. Negative indices count from the end in all versions, as in onnxruntime;
//! an index that is none of the dimension is refused.

use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::guard::memory;
use crate::kernels::along;
use crate::onnx::attributes::Attributes;
use crate::operator::integers::whole_numbers;
use crate::operator::{Built, Operator, axes, facts};
use crate::value::tensors;

#[derive(Debug)]
struct Gather {
    axis: i64,
}

#[derive(Debug)]
struct GatherElements {
    axis: i64,
}

#[derive(Debug)]
struct GatherND {
    batch_dims: usize,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axis = attributes.int("axis")?.unwrap_or(0);
    Ok(Built::operator(Gather { axis }))
}

pub(crate) fn build_elements(attributes: &mut Attributes<'_>) -> Result<Built> {
    let axis = attributes.int("axis")?.unwrap_or(0);
    Ok(Built::operator(GatherElements { axis }))
}

pub(crate) fn build_nd(attributes: &mut Attributes<'_>) -> Result<Built> {
    let batch_dims = attributes.int("batch_dims")?.unwrap_or(0);
    let batch_dims = usize::try_from(batch_dims)
        .map_err(|_| attributes.invalid("batch_dims", format!("{batch_dims} is negative")))?;
    Ok(Built::operator(GatherND { batch_dims }))
}

/// Refuses indices that are not int32 or int64.
pub(crate) fn check_indices(indices: &TypedFact) -> Result<()> {
    match indices.datum_type {
        DatumType::I32 | DatumType::I64 | DatumType::TDim => Ok(()),
        got => Err(error::invalid(format!(
            "input indices: expected int32 or int64, got {got:?}"
        ))),
    }
}

/// What `index` counts of `len` elements, from the end if it is negative.
pub(crate) fn place(index: i64, len: usize) -> Result<usize> {
    let from_start = if index < 0 {
        index.checked_add_unsigned(len as u64)
    } else {
        Some(index)
    };
    from_start
        .and_then(|index| usize::try_from(index).ok())
        .filter(|&index| index < len)
        .ok_or_else(|| Error::input(format!("input indices: {index} is none of {len} elements")))
}

/// The tensor of `shape` whose elements are `len` of `data` from each of `starts` on.
fn copied_from(
    data: &Tensor,
    shape: &[usize],
    len: usize,
    starts: &[usize],
) -> TractResult<Tensor> {
    fn copied<T: Datum>(
        data: &Tensor,
        shape: &[usize],
        len: usize,
        starts: &[usize],
    ) -> TractResult<Tensor> {
        if let Some(texts) = memory::texts(data) {
            let chosen = starts.iter().flat_map(|&start| &texts[start..start + len]);
            memory::ask_for_texts(chosen.map(String::len))?;
        }
        let data = data.try_as_plain_ram()?;
        let data = data.as_slice::<T>()?;
        tensors::filled::<T>(shape, |slots| {
            if len == 1 {
                for (slot, &start) in slots.iter_mut().zip(starts) {
                    slot.clone_from(&data[start]);
                }
            } else if len > 1 {
                for (slots, &start) in slots.chunks_exact_mut(len).zip(starts) {
                    slots.clone_from_slice(&data[start..start + len]);
                }
            }
            Ok(())
        })
    }
    dispatch_datum!(copied(data.datum_type())(data, shape, len, starts))
}

impl Gather {
    fn shape<D: Clone>(&self, data: &[D], indices: &[D]) -> Result<(usize, TVec<D>)> {
        let axis = axes::resolve(self.axis, data.len())?;
        let parts = [&data[..axis], indices, &data[axis + 1..]];
        Ok((axis, parts.into_iter().flatten().cloned().collect()))
    }
}

impl Operator for Gather {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [data, indices] = facts::inputs(inputs)?;
        check_indices(indices)?;
        let (_, shape) = self.shape(data.shape.dims(), indices.shape.dims())?;
        Ok(tvec![data.datum_type.fact(shape)])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        axes::resolve(self.axis, rank).is_ok_and(|axis| axis > 0)
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (data, indices) = (&inputs[0], &inputs[1]);
        let (axis, shape) = self.shape(data.shape(), indices.shape())?;
        let along = along::Along::new(data.shape(), axis);
        let indices = whole_numbers(indices)?;
        let places = indices.iter().map(|&index| place(index, along.len));
        let places: Vec<usize> = places.collect::<Result<_>>()?;
        let mut starts = memory::vec(along.outer.saturating_mul(places.len()))?;
        for outer in 0..along.outer {
            let places = places.iter();
            starts.extend(places.map(|place| (outer * along.len + place) * along.inner));
        }
        let gathered = copied_from(data, &shape, along.inner, &starts)?;
        Ok(tvec![gathered.into_tvalue()])
    }
}

/// For each of the elements of `indices`, a tensor that is no larger than `data` but along `axis`, the place in `data` that it
/// stands for: where it lies itself, but along `axis`, where it says.
///
/// # Errors
/// If `indices` are no such tensor, or one is outside of `data`.
pub(crate) fn element_places(data: &[usize], indices: &Tensor, axis: usize) -> Result<Vec<usize>> {
    let shape = indices.shape();
    let mut dims = shape.iter().zip(data).enumerate();
    if shape.len() != data.len() || dims.any(|(on, (a, b))| on != axis && a > b) {
        let message = format!("input indices: shape {shape:?} does not fit data of shape {data:?}");
        return Err(Error::input(message));
    }
    let mut strides = vec![1; data.len()];
    for on in (1..data.len()).rev() {
        strides[on - 1] = strides[on] * data[on];
    }
    let mut index = vec![0; shape.len()];
    let mut places = memory::vec(indices.len())?;
    let numbers = whole_numbers(indices).map_err(Error::input)?;
    for number in numbers {
        index[axis] = place(number, data[axis])?;
        let offsets = index.iter().zip(&strides);
        places.push(offsets.map(|(index, stride)| index * stride).sum());
        advance(&mut index, places.len(), shape);
    }
    Ok(places)
}

/// The index of element number `n` of a tensor of this shape.
fn advance(index: &mut [usize], mut n: usize, shape: &[usize]) {
    for (index, &dim) in index.iter_mut().zip(shape).rev() {
        *index = n % dim.max(1);
        n /= dim.max(1);
    }
}

impl Operator for GatherElements {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [data, indices] = facts::inputs(inputs)?;
        check_indices(indices)?;
        axes::resolve(self.axis, data.rank())?;
        if indices.rank() != data.rank() {
            let (got, expected) = (indices.rank(), data.rank());
            return Err(error::invalid(format!(
                "input indices: expected {expected} dimensions, as data has, got {got}"
            )));
        }
        Ok(tvec![data.datum_type.fact(indices.shape.clone())])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (data, indices) = (&inputs[0], &inputs[1]);
        let axis = axes::resolve(self.axis, data.rank())?;
        let places = element_places(data.shape(), indices, axis)?;
        let gathered = copied_from(data, indices.shape(), 1, &places)?;
        Ok(tvec![gathered.into_tvalue()])
    }
}

/// How many numbers an index of `indices` into `data` has, whose first `batch_dims` dimensions are those of `indices`.
///
/// # Errors
/// If that is not known, or is not possible.
pub(crate) fn index_len<D: DimLike>(data: &[D], indices: &[D], batch_dims: usize) -> Result<usize> {
    let rank = data.len();
    let len = indices.last().and_then(|len| len.to_usize().ok());
    len.filter(|&len| batch_dims < indices.len() && len > 0 && batch_dims + len <= rank)
        .ok_or_else(|| {
            error::invalid(format!(
                "input indices: shape {indices:?} cannot index {rank} dimensions"
            ))
        })
}

/// Where in `data` begins what each index of `indices` stands for, with `len` numbers each.
///
/// # Errors
/// If the first `batch_dims` dimensions differ, or an index is outside of `data`.
pub(crate) fn block_starts(
    data: &[usize],
    indices: &Tensor,
    batch_dims: usize,
    len: usize,
) -> Result<Vec<usize>> {
    let shape = indices.shape();
    let (batch, rest) = data.split_at(batch_dims);
    if shape[..batch_dims] != *batch {
        let message = format!("input indices: shape {shape:?} for data of shape {data:?}");
        return Err(Error::input(message));
    }
    let (indexed, block) = rest.split_at(len);
    let block: usize = block.iter().product();
    let numbers = whole_numbers(indices).map_err(Error::input)?;
    let n_batches: usize = batch.iter().product();
    let per_batch = numbers.len() / len / n_batches.max(1);
    let mut starts = memory::vec(numbers.len() / len)?;
    for (at, index) in numbers.chunks_exact(len).enumerate() {
        let mut start = at / per_batch.max(1);
        for (&number, &dim) in index.iter().zip(indexed) {
            start = start * dim + place(number, dim)?;
        }
        starts.push(start * block);
    }
    Ok(starts)
}

impl Operator for GatherND {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [data, indices] = facts::inputs(inputs)?;
        check_indices(indices)?;
        let (data_dims, dims) = (data.shape.dims(), indices.shape.dims());
        let len = index_len(data_dims, dims, self.batch_dims)?;
        let parts = [&dims[..dims.len() - 1], &data_dims[self.batch_dims + len..]];
        let shape: TVec<TDim> = parts.into_iter().flatten().cloned().collect();
        Ok(tvec![data.datum_type.fact(shape)])
    }

    fn eval(&self, inputs: &[TValue], _wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (data, indices) = (&inputs[0], &inputs[1]);
        let dims = indices.shape();
        let len = index_len(data.shape(), dims, self.batch_dims)?;
        let starts = block_starts(data.shape(), indices, self.batch_dims, len)?;
        let block = &data.shape()[self.batch_dims + len..];
        let parts = [&dims[..dims.len() - 1], block];
        let shape: TVec<usize> = parts.into_iter().flatten().copied().collect();
        let gathered = copied_from(data, &shape, block.iter().product(), &starts)?;
        Ok(tvec![gathered.into_tvalue()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(operator: &dyn Operator, data: &Tensor, indices: Tensor) -> TractResult<Tensor> {
        let inputs = [data.clone().into_tvalue(), indices.into_tvalue()];
        Ok(operator.eval(&inputs, &[0])?[0].clone().into_tensor())
    }

    /// The numbers from 0 on.
    fn counted(shape: &[usize]) -> Tensor {
        let len = shape.iter().product::<usize>() as i32;
        tensors::from_vec(shape, (0..len).collect()).expect("fits")
    }

    #[test]
    fn gathers_along_an_axis() {
        let data = counted(&[2, 3]);
        let gather = |axis, indices: &[i64]| eval(&Gather { axis }, &data, tensor1(indices));
        assert_eq!(
            gather(0, &[1, -2]).expect("rows"),
            counted(&[2, 3])
                .slice(0, 1, 2)
                .map(|row| {
                    Tensor::stack_tensors(0, &[row, data.slice(0, 0, 1).expect("a row")])
                        .expect("rows")
                })
                .expect("rows")
        );
        assert_eq!(
            gather(1, &[-1, 0]).expect("columns"),
            tensor2(&[[2, 0], [5, 3]])
        );
        assert_eq!(gather(-1, &[]).expect("nothing").shape(), [2, 0]);
        for index in [2, -3, i64::MAX, i64::MIN, 1 << 62, 1 << 32] {
            assert!(gather(0, &[index]).is_err(), "{index}");
        }
        let scalar = eval(&Gather { axis: 0 }, &data, tensor0(1_i32)).expect("one row");
        assert_eq!(scalar, tensor1(&[3, 4, 5]));
    }

    #[test]
    fn gathers_elements() {
        let data = counted(&[3, 2]);
        let gather = |axis, indices: Tensor| eval(&GatherElements { axis }, &data, indices);
        let indices = tensor2(&[[0_i64, -1], [2, 0]]);
        let got = gather(0, indices.clone()).expect("elements");
        assert_eq!(got, tensor2(&[[0, 5], [4, 1]]));
        assert!(gather(1, indices).is_err());
        assert_eq!(
            gather(1, tensor2(&[[1_i64, 0, -2]])).expect("more"),
            tensor2(&[[1, 0, 0]])
        );
        assert!(gather(0, tensor2(&[[0_i64, 0, 0]])).is_err());
    }

    #[test]
    fn gathers_blocks() {
        let data = counted(&[2, 2, 2]);
        let gather = |batch_dims, indices: Tensor| eval(&GatherND { batch_dims }, &data, indices);
        assert_eq!(
            gather(0, tensor2(&[[0_i64, -1], [1, 0]])).expect("pairs"),
            tensor2(&[[2, 3], [4, 5]])
        );
        assert_eq!(
            gather(1, tensor2(&[[1_i64], [0]])).expect("one of each"),
            tensor2(&[[2, 3], [4, 5]])
        );
        for index in [2, -3, 1 << 32, i64::MIN] {
            assert!(gather(0, tensor2(&[[index, 0]])).is_err(), "{index}");
        }
        assert!(gather(0, tensor2(&[[0_i64, 0, 0, 0]])).is_err());
        assert!(gather(1, tensor2(&[[0_i64]])).is_err());
    }
}
