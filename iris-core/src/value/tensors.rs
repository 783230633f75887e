//! Tensors that are made, once there is memory for them.

use tract_onnx::tract_core::num_traits::Zero;
use tract_onnx::tract_hir::internal::*;

use crate::guard::memory;

/// The tensor of `shape` that has these elements.
pub(crate) fn from_vec<T: Datum>(shape: &[usize], elements: Vec<T>) -> TractResult<Tensor> {
    filled(shape, |slots| {
        if slots.len() != elements.len() {
            bail!("{} elements of a tensor of shape {shape:?}", elements.len());
        }
        for (slot, element) in slots.iter_mut().zip(elements) {
            *slot = element;
        }
        Ok(())
    })
}

/// A tensor of `shape` whose elements `fill` fills; they are 0 before.
pub(crate) fn filled<T: Datum>(
    shape: &[usize],
    fill: impl FnOnce(&mut [T]) -> TractResult<()>,
) -> TractResult<Tensor> {
    let mut tensor = empty(T::datum_type(), shape)?;
    let mut view = tensor.try_as_plain_ram_mut()?;
    fill(view.as_slice_mut::<T>()?)?;
    Ok(tensor)
}

/// A tensor of zeros, or of strings with nothing in them.
pub(crate) fn empty(datum_type: DatumType, shape: &[usize]) -> TractResult<Tensor> {
    /// Compiled here, where loops are fast. More than its own alignment would take another way through the allocator,
    /// which is longer for a few bytes.
    fn zeros<T: Datum + Zero>(shape: &[usize]) -> TractResult<Tensor> {
        Tensor::zero_aligned::<T>(shape, align_of::<T>())
    }
    let len = shape.iter().product::<usize>();
    memory::ask(datum_type.size_of().saturating_mul(len))?;
    match datum_type {
        DatumType::String => tensor0(String::new()).broadcast_scalar_to_shape(shape),
        DatumType::F32 => zeros::<f32>(shape),
        DatumType::F64 => zeros::<f64>(shape),
        DatumType::I64 => zeros::<i64>(shape),
        other => Tensor::zero_aligned_dt(other, shape, other.size_of()),
    }
}

/// Calls `$body` with `$values` bound to an iterator over the elements of a numeric tensor, as `f64`.
macro_rules! with_f64s {
    ($tensor:expr, $values:ident => $body:expr) => {{
        let view = $tensor.try_as_plain_ram()?;
        match view.datum_type() {
            DatumType::F32 => {
                let $values = view.as_slice::<f32>()?.iter().map(|&x| f64::from(x));
                $body
            }
            DatumType::F64 => {
                let $values = view.as_slice::<f64>()?.iter().copied();
                $body
            }
            DatumType::I32 => {
                let $values = view.as_slice::<i32>()?.iter().map(|&x| f64::from(x));
                $body
            }
            _ => {
                let $values = view.as_slice::<i64>()?.iter().map(|&x| x as f64);
                $body
            }
        }
    }};
}
pub(crate) use with_f64s;
