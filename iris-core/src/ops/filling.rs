//! Operators that put their answers where they are told to: each of them can be evaluated a block of rows at a time, on
//! several threads, straight into the outputs of the whole batch.

use std::fmt::Debug;

use smallvec::SmallVec;
use tract_onnx::tract_hir::internal::*;

use super::operator::{NEVER_FOLDED, Operator};
use super::tensors::empty;
use crate::error::Result;
use crate::value::{Slot, Slots, TensorView, view};

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

    /// How many outputs there are.
    fn n_outputs(&self) -> usize {
        1
    }

    /// What the output at this place is like for `inputs`.
    ///
    /// # Errors
    /// If the operator cannot take them, or has fewer outputs.
    fn layout(&self, inputs: &[TensorView<'_>], output: usize) -> TractResult<Layout>;

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

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let views = inputs.iter().map(|input| view(input));
        let views: Few<TensorView<'_>> = views.collect::<Result<_>>()?;
        tensors(self, &views, wanted)
    }
}

/// As few as most operators have of them, which are not worth a list on the heap.
pub(crate) type Few<T> = SmallVec<[T; 2]>;

/// The outputs `wanted`, in memory of their own.
pub(crate) fn tensors(
    filling: &dyn Filling,
    inputs: &[TensorView<'_>],
    wanted: &[usize],
) -> TractResult<TVec<TValue>> {
    // Where they are to be in the end: a tensor is large, and would be moved several times.
    let mut tensors: Few<Arc<Tensor>> = Few::new();
    for &output in wanted {
        let Layout { datum_type, shape } = filling.layout(inputs, output)?;
        tensors.push(Arc::new(empty(datum_type, &shape)?));
    }
    let mut plain: Few<PlainViewMut<'_>> = Few::new();
    for tensor in &mut tensors {
        let tensor = Arc::get_mut(tensor).ok_or_else(|| format_err!("a tensor in use"))?;
        plain.push(tensor.try_as_plain_ram_mut()?);
    }
    let mut outputs = none(filling);
    for (&output, plain) in wanted.iter().zip(&mut plain) {
        *outputs.get_mut(output).ok_or_else(|| missing(output))? = Some(Slots::of_tensor(plain)?);
    }
    filling.fill(inputs, &mut outputs)?;
    drop(outputs);
    drop(plain);
    Ok(tensors.into_iter().map(TValue::from_const).collect())
}

/// Computes the outputs `wanted` into `slots`, in that order.
pub(crate) fn fill<'y>(
    filling: &dyn Filling,
    inputs: &[TensorView<'_>],
    wanted: &[usize],
    mut slots: impl Iterator<Item = Slots<'y>>,
) -> TractResult<()> {
    let mut outputs = none(filling);
    for &output in wanted {
        let slots = slots.next().ok_or_else(|| missing(output))?;
        let Layout { datum_type, shape } = filling.layout(inputs, output)?;
        if slots.len() != shape.iter().product::<usize>() {
            let n = slots.len();
            bail!("output {output}: {n} slots for {datum_type:?} of shape {shape:?}");
        }
        *outputs.get_mut(output).ok_or_else(|| missing(output))? = Some(slots);
    }
    filling.fill(inputs, &mut outputs)
}

/// No slots for any output.
fn none<'y>(filling: &dyn Filling) -> Few<Option<Slots<'y>>> {
    (0..filling.n_outputs()).map(|_| None).collect()
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

pub(super) fn missing(output: usize) -> TractError {
    format_err!("output {output}: there is none")
}
