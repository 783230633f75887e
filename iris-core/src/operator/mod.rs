//! The one bridge between our operators and tract's graphs.
//!
//! An operator of ours says what its outputs look like and computes them; everything tract wants besides is here.
//! [`wire`](crate::operator::node::wire) is the only way in which a node gets into a graph.

pub(crate) mod axes;
pub(crate) mod batch;
pub(crate) mod class_labels;
pub(crate) mod dimensions;
pub(crate) mod facts;
pub(crate) mod filling;
pub(crate) mod integers;
pub(crate) mod lookup;
pub(crate) mod maps;
pub(crate) mod node;
pub(crate) mod steps;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use smallvec::SmallVec;
use tract_onnx::pb::GraphProto;
use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::value::slots::{Slot, Slots};
use crate::value::tensors::empty;
use crate::value::view::TensorView;

/// An operator whose attributes have been read and checked.
pub(crate) trait Operator: Any + Debug + Send + Sync {
    /// The types and shapes of all outputs, given those of the inputs; refuses inputs it cannot take.
    fn output_facts(&self, inputs: &[&TypedFact]) -> crate::error::Result<TVec<TypedFact>>;

    /// Whether row `i` of each output is made of row `i` of the first input alone, which has `rank` dimensions, where all
    /// other inputs are constants.
    fn maps_rows(&self, _rank: usize) -> bool {
        false
    }

    /// As [`maps_rows`](Self::maps_rows), for an operator that has to see the facts of all inputs to tell.
    fn maps_rows_of(&self, inputs: &[&TypedFact]) -> bool {
        inputs.first().is_some_and(|x| self.maps_rows(x.rank()))
    }

    /// Whether it may take rows of the same samples for its other inputs, too.
    fn maps_several(&self) -> bool {
        false
    }

    /// Itself, if it fills memory that it is given.
    fn as_filling(&self) -> Option<&dyn Filling> {
        None
    }

    /// About how many steps it takes to compute the outputs for `inputs`, beside one or a few for each element that the
    /// operator takes or gives. Constants are made of constants only where that is little; [`NEVER_FOLDED`] says that there
    /// is nothing to gain.
    fn work(&self, _inputs: &[TValue]) -> usize {
        0
    }

    /// Computes the outputs listed in `wanted`, in that order.
    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>>;

    /// Whether it asks what symbols stand for, and so takes [`eval_within`](Self::eval_within).
    fn reads_symbols(&self) -> bool {
        false
    }

    /// As [`eval`](Self::eval), told what the symbols of the graph around it stand for.
    fn eval_within(
        &self,
        _symbols: &SymbolValues,
        inputs: &[TValue],
        wanted: &[usize],
    ) -> TractResult<TVec<TValue>> {
        self.eval(inputs, wanted)
    }
}

/// The work of what no file has for constants: an estimator, or a loop.
pub(crate) const NEVER_FOLDED: usize = usize::MAX;

/// Wires nodes into a graph under a name, to inputs that are in it, and gives their outputs.
type Expansion = dyn FnOnce(&str, &mut TypedModel, &[OutletId]) -> TractResult<TVec<OutletId>>;

/// Wires a node that holds graphs.
type Control = dyn FnOnce(&str, &mut dyn Scope, &[OutletId]) -> TractResult<TVec<OutletId>>;

/// What the attributes of a node make of it.
pub(crate) enum Built {
    /// One operator.
    Operator(Arc<dyn Operator>),
    /// Operators that depend on what the inputs are.
    Expansion(Box<Expansion>),
    /// An operator that holds graphs.
    Control(Box<Control>),
}

impl Built {
    pub(crate) fn operator(operator: impl Operator) -> Self {
        Self::Operator(Arc::new(operator))
    }

    /// `wire` finds those inputs that the node gives a name, in their order, without gaps.
    pub(crate) fn expansion(
        wire: impl FnOnce(&str, &mut TypedModel, &[OutletId]) -> TractResult<TVec<OutletId>> + 'static,
    ) -> Self {
        Self::Expansion(Box::new(wire))
    }

    pub(crate) fn control(
        wire: impl FnOnce(&str, &mut dyn Scope, &[OutletId]) -> TractResult<TVec<OutletId>> + 'static,
    ) -> Self {
        Self::Control(Box::new(wire))
    }
}

/// A graph that is being wired, to a node of it that holds graphs itself.
pub(crate) trait Scope {
    fn graph(&mut self) -> &mut TypedModel;

    /// The graph of `body`, whose own inputs have these facts. It has further inputs for what it reads of the graphs around
    /// it, which are given by where they are in [`graph`](Self::graph).
    fn body(
        &mut self,
        body: &GraphProto,
        inputs: &[TypedFact],
    ) -> TractResult<(TypedModel, Vec<OutletId>)>;
}

/// An output before it is there.
pub(crate) struct Layout {
    pub(crate) datum_type: DatumType,
    pub(crate) shape: TVec<usize>,
}

impl Layout {
    pub(crate) fn new<T: Datum>(shape: &[usize]) -> Self {
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
pub(crate) fn wanted<'a, T: Slot>(
    output: &mut Option<Slots<'a>>,
) -> TractResult<Option<&'a mut [T]>> {
    let slots = output.take().map(T::of);
    slots
        .map(|slots| slots.ok_or_else(|| format_err!("slots of another type than the output's")))
        .transpose()
}

/// The slots of the only output.
pub(crate) fn only<'a, T: Slot>(outputs: &mut [Option<Slots<'a>>]) -> TractResult<&'a mut [T]> {
    let output = outputs.first_mut().ok_or_else(|| missing(0))?;
    wanted(output)?.ok_or_else(|| missing(0))
}

pub(crate) fn missing(output: usize) -> TractError {
    format_err!("output {output}: there is none")
}
