//! Operators that put their answers where they are told to: each of them can be evaluated a block of rows at a time, on
//! several threads, straight into the outputs of the whole batch.

use std::fmt::Debug;

use tract_onnx::tract_hir::internal::*;

use super::operator::Operator;
use crate::error::Result;
use crate::value::{Slot, Slots, TensorView, view};

/// What alignment any allocation has anyway: asking for more takes longer, and small tensors gain nothing by it.
const ALIGNMENT: usize = 16;

/// An output before it is there.
pub(crate) struct Layout {
    pub(crate) datum_type: DatumType,
    pub(crate) shape: TVec<usize>,
}

impl Layout {
    pub(super) fn new<T: Datum>(shape: &[usize]) -> Self {
        Self {
            datum_type: T::datum_type(),
            shape: shape.into(),
        }
    }
}

/// An operator whose outputs follow in type and shape from its inputs, and which fills memory that it is given.
///
/// Each is an [`Operator`], too.
pub(crate) trait Filling: Debug + Send + Sync + 'static {
    /// As [`Operator::output_facts`].
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>>;

    /// As [`Operator::maps_rows`].
    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    /// As [`Operator::maps_several`].
    fn maps_several(&self) -> bool {
        false
    }

    /// All outputs that `inputs` have.
    ///
    /// # Errors
    /// If the operator cannot take them.
    fn layouts(&self, inputs: &[TensorView<'_>]) -> TractResult<TVec<Layout>>;

    /// Computes the outputs for which there are slots, of the layouts of `inputs`.
    fn fill(&self, inputs: &[TensorView<'_>], outputs: &mut [Option<Slots<'_>>])
    -> TractResult<()>;
}

impl<F: Filling> Operator for F {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        Filling::output_facts(self, inputs)
    }

    fn maps_rows(&self, rank: usize) -> bool {
        Filling::maps_rows(self, rank)
    }

    fn maps_several(&self) -> bool {
        Filling::maps_several(self)
    }

    fn as_filling(&self) -> Option<&dyn Filling> {
        Some(self)
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let views = inputs.iter().map(|input| view(input));
        let views: TVec<TensorView<'_>> = views.collect::<Result<_>>()?;
        tensors(self, &views, wanted)
    }
}

/// The outputs `wanted`, in memory of their own.
pub(crate) fn tensors(
    filling: &dyn Filling,
    inputs: &[TensorView<'_>],
    wanted: &[usize],
) -> TractResult<TVec<TValue>> {
    let layouts = filling.layouts(inputs)?;
    let tensors = wanted.iter().map(|&output| {
        let Layout { datum_type, shape } = layouts.get(output).ok_or_else(|| missing(output))?;
        empty(*datum_type, shape)
    });
    let mut tensors: TVec<Tensor> = tensors.collect::<TractResult<_>>()?;
    let plain = tensors.iter_mut().map(Tensor::try_as_plain_ram_mut);
    let mut plain: TVec<_> = plain.collect::<TractResult<_>>()?;
    let slots = plain.iter_mut().map(Slots::of_tensor);
    let slots = slots.collect::<TractResult<_>>()?;
    fill_wanted(filling, inputs, wanted, layouts.len(), slots)?;
    drop(plain);
    Ok(tensors.into_iter().map(TValue::from).collect())
}

/// Computes the outputs `wanted` of the `n_outputs` there are into `slots`, in that order, which are of the layouts of `inputs`.
fn fill_wanted<'y>(
    filling: &dyn Filling,
    inputs: &[TensorView<'_>],
    wanted: &[usize],
    n_outputs: usize,
    slots: TVec<Slots<'y>>,
) -> TractResult<()> {
    let mut outputs: TVec<Option<Slots<'y>>> = (0..n_outputs).map(|_| None).collect();
    for (&output, slots) in wanted.iter().zip(slots) {
        *outputs.get_mut(output).ok_or_else(|| missing(output))? = Some(slots);
    }
    filling.fill(inputs, &mut outputs)
}

/// Computes the outputs `wanted` into `slots`, in that order.
pub(crate) fn fill(
    filling: &dyn Filling,
    inputs: &[TensorView<'_>],
    wanted: &[usize],
    slots: TVec<Slots<'_>>,
) -> TractResult<()> {
    let layouts = filling.layouts(inputs)?;
    for (&output, slots) in wanted.iter().zip(&slots) {
        let Layout { datum_type, shape } = layouts.get(output).ok_or_else(|| missing(output))?;
        let len = shape.iter().product::<usize>();
        if slots.len() != len {
            bail!(
                "output {output}: {} slots for {datum_type:?} of shape {shape:?}",
                slots.len()
            );
        }
    }
    fill_wanted(filling, inputs, wanted, layouts.len(), slots)
}

/// The slots of an output, if they are wanted.
pub(super) fn wanted<'a, T: Slot>(
    output: &mut Option<Slots<'a>>,
) -> TractResult<Option<&'a mut [T]>> {
    let slots = output.take().map(T::of);
    slots
        .map(|slots| slots.ok_or_else(|| format_err!("slots of another type than the output's")))
        .transpose()
}

/// The slots of the only output.
pub(super) fn only<'a, T: Slot>(outputs: &mut [Option<Slots<'a>>]) -> TractResult<&'a mut [T]> {
    let output = outputs.first_mut().ok_or_else(|| missing(0))?;
    wanted(output)?.ok_or_else(|| missing(0))
}

fn missing(output: usize) -> TractError {
    format_err!("output {output}: there is none")
}

/// A tensor of zeros, or of strings with nothing in them.
fn empty(datum_type: DatumType, shape: &[usize]) -> TractResult<Tensor> {
    if datum_type == DatumType::String {
        tensor1(&vec![String::new(); shape.iter().product()]).into_shape(shape)
    } else {
        Tensor::zero_aligned_dt(datum_type, shape, ALIGNMENT)
    }
}
