//! The one bridge between our operators and tract's graphs.
//!
//! An operator of ours says what its outputs look like and computes them; everything tract wants besides is here. [`wire`] is the
//! only way in which a node gets into a graph.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use tract_onnx::pb::GraphProto;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::konst::Const;

use super::filling::Filling;
use super::{dimensions, tensors};
use crate::error::{Error, ErrorKind};
use crate::model::{limits, memory};

/// An operator whose attributes have been read and checked.
pub(crate) trait Operator: Any + Debug + Send + Sync {
    /// The types and shapes of all outputs, given those of the inputs; refuses inputs it cannot take.
    fn output_facts(&self, inputs: &[&TypedFact]) -> crate::Result<TVec<TypedFact>>;

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
pub(super) const NEVER_FOLDED: usize = usize::MAX;

/// How much work a node may be whose inputs are constants if it is to become one: about 20 ms of products and sums.
const MOST_FOLDED_WORK: usize = 1 << 24;
/// How much work counts as one look of planning at a node.
const WORK_OF_STEP: usize = 64;

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

/// Wires `operator`, which has one output, into a graph.
pub(crate) fn wire_operator(
    op_type: &str,
    name: &str,
    model: &mut TypedModel,
    operator: impl Operator,
    inputs: &[OutletId],
) -> TractResult<OutletId> {
    let outputs = wire(op_type, name, model, Arc::new(operator), &[0], inputs)?;
    Ok(outputs[0])
}

/// Wires the outputs in `places` of `operator` into a graph, or constants where these follow from constants.
pub(crate) fn wire(
    op_type: &str,
    name: &str,
    model: &mut TypedModel,
    operator: Arc<dyn Operator>,
    places: &[usize],
    inputs: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    limits::step(1)?;
    let node = OperatorNode {
        op_type: op_type.into(),
        operator,
        outputs: places.into(),
    };
    let facts = inputs.iter().map(|&input| model.outlet_fact(input));
    let facts: TVec<&TypedFact> = facts.collect::<TractResult<_>>()?;
    let mut outputs = node.facts(&facts)?;
    let constants = facts
        .iter()
        .map(|fact| Some(fact.konst.clone()?.into_tvalue()));
    let constants: Option<TVec<TValue>> = constants.collect();
    drop(facts);
    let folded = match constants {
        Some(constants) if !constants.is_empty() => node.folded(constants, &outputs)?,
        _ => None,
    };
    if let Some(values) = folded {
        let mut wires = tvec![];
        for value in values {
            wires.push(constant(name, model, value.into_arc_tensor())?);
        }
        return Ok(wires);
    }
    for output in &mut outputs {
        for axis in 0..output.rank() {
            if !dimensions::is_simple(&output.shape[axis]) {
                let symbol = model.symbols.new_with_prefix("dim");
                output.shape.set(axis, symbol.to_dim());
            }
        }
    }
    let id = model.add_node(name, node, outputs)?;
    for (slot, &input) in inputs.iter().enumerate() {
        model.add_edge(input, InletId::new(id, slot))?;
    }
    Ok((0..places.len())
        .map(|slot| OutletId::new(id, slot))
        .collect())
}

/// Puts a constant into a graph.
pub(crate) fn constant(
    name: &str,
    model: &mut TypedModel,
    tensor: impl IntoArcTensor,
) -> TractResult<OutletId> {
    let tensor = tensor.into_arc_tensor();
    dimensions::check_elements(&tensor)?;
    let fact = TypedFact::try_from(tensor.clone())?;
    let id = model.add_node(name, Const::new(tensor)?, tvec![fact])?;
    Ok(id.into())
}

/// Whether `op` gives of each row of the first of its `inputs` one row, and looks at no other row, where all others are
/// constants.
pub(crate) fn maps_rows(op: &dyn TypedOp, inputs: &[&TypedFact]) -> bool {
    let node = op.downcast_ref::<OperatorNode>();
    node.is_some_and(|node| node.operator.maps_rows_of(inputs))
}

/// The operator of `node`, if it is a `T`.
pub(super) fn operator_of<T: Operator>(node: &TypedNode) -> Option<&T> {
    let operator: &dyn Any = node.op_as::<OperatorNode>()?.operator();
    operator.downcast_ref()
}

/// An [`Operator`] at one node of a graph, of which only some outputs may be in use.
#[derive(Clone, Debug)]
pub(crate) struct OperatorNode {
    op_type: Arc<str>,
    operator: Arc<dyn Operator>,
    outputs: TVec<usize>,
}

impl PartialEq for OperatorNode {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.operator, &other.operator) && self.outputs == other.outputs
    }
}

impl Eq for OperatorNode {}

impl OperatorNode {
    pub(crate) fn operator(&self) -> &dyn Operator {
        &*self.operator
    }

    /// Wires another node like this one into a graph.
    pub(super) fn wire(
        &self,
        name: &str,
        model: &mut TypedModel,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        let operator = self.operator.clone();
        wire(&self.op_type, name, model, operator, &self.outputs, inputs)
    }

    /// Which outputs of the operator those of the node are.
    pub(crate) fn places(&self) -> &[usize] {
        &self.outputs
    }

    /// `operator`, with the same outputs, in the place of this one.
    pub(super) fn with(&self, operator: Arc<dyn Operator>) -> Self {
        Self {
            operator,
            ..self.clone()
        }
    }

    /// The node with only those of the outputs it gives now, by their place.
    pub(crate) fn only_outputs(&self, slots: &[usize]) -> Self {
        Self {
            outputs: slots.iter().map(|&slot| self.outputs[slot]).collect(),
            ..self.clone()
        }
    }

    fn facts(&self, inputs: &[&TypedFact]) -> crate::Result<TVec<TypedFact>> {
        let all = self.operator.output_facts(inputs)?;
        self.outputs
            .iter()
            .map(|&slot| {
                let fact = all.get(slot).ok_or_else(|| {
                    let message = format!("output {slot}: the operator has {} outputs", all.len());
                    tensors::invalid(message)
                })?;
                dimensions::check_fact(fact)?;
                Ok(fact.clone())
            })
            .collect()
    }

    /// The outputs, with these facts, for inputs that are constants, unless they are better made by each call.
    ///
    /// # Errors
    /// If they are beyond a limit. What else is wrong with them is for a call to tell.
    fn folded(
        &self,
        inputs: TVec<TValue>,
        facts: &[TypedFact],
    ) -> TractResult<Option<TVec<TValue>>> {
        let work = self.operator.work(&inputs);
        if work > MOST_FOLDED_WORK {
            return Ok(None);
        }
        for fact in facts {
            limits::fold(dimensions::check_fact(fact)?)?;
        }
        let n_bytes: usize = inputs.iter().map(|input| tensors::n_bytes(input)).sum();
        limits::step((work + n_bytes) / WORK_OF_STEP)?;
        memory::ask_for_inputs(&inputs)?;
        match self.computed(&SymbolValues::default(), inputs) {
            Ok(outputs) => Ok(Some(outputs)),
            Err(error) => match error.downcast_ref::<Error>().map(Error::kind) {
                Some(
                    ErrorKind::LimitExceeded | ErrorKind::OutOfMemory | ErrorKind::Interrupted,
                ) => Err(error),
                _ => Ok(None),
            },
        }
    }

    /// Computes the outputs of the node.
    pub(crate) fn computed(
        &self,
        symbols: &SymbolValues,
        mut inputs: TVec<TValue>,
    ) -> TractResult<TVec<TValue>> {
        for input in &mut inputs {
            if input.datum_type() == DatumType::TDim {
                *input = with_sizes(input, symbols)?.into_tvalue();
            }
        }
        self.operator.eval_within(symbols, &inputs, &self.outputs)
    }
}

/// Dimensions with what is known of their symbols in the symbols' places.
fn with_sizes(dims: &Tensor, symbols: &SymbolValues) -> TractResult<Tensor> {
    let view = dims.try_as_plain_ram()?;
    let dims_now = view.as_slice::<TDim>()?.iter().map(|dim| dim.eval(symbols));
    tensors::from_vec(dims.shape(), dims_now.collect())
}

impl Op for OperatorNode {
    fn name(&self) -> StaticName {
        self.op_type.to_string().into()
    }

    op_as_typed_op!();
}

impl EvalOp for OperatorNode {
    not_out_of_plan!();

    fn eval(&self, ctx: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.computed(ctx.symbols, inputs)
    }
}

impl TypedOp for OperatorNode {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(self.facts(inputs)?)
    }

    as_op!();
}
