//! The node that puts an operator into tract's graphs.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::konst::Const;

use crate::error;
use crate::error::{Error, ErrorKind};
use crate::guard::{budget, memory};
use crate::operator::{Operator, dimensions, facts};
use crate::value::tensors;

/// How much work a node may be whose inputs are constants if it is to become one: about 20 ms of products and sums.
const MOST_FOLDED_WORK: usize = 1 << 24;
/// How much work counts as one look of planning at a node.
const WORK_OF_STEP: usize = 64;

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
    budget::step(1)?;
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
pub(crate) fn operator_of<T: Operator>(node: &TypedNode) -> Option<&T> {
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
    pub(crate) fn wire(
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
    pub(crate) fn with(&self, operator: Arc<dyn Operator>) -> Self {
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

    fn facts(&self, inputs: &[&TypedFact]) -> crate::error::Result<TVec<TypedFact>> {
        let all = self.operator.output_facts(inputs)?;
        self.outputs
            .iter()
            .map(|&slot| {
                let fact = all.get(slot).ok_or_else(|| {
                    let message = format!("output {slot}: the operator has {} outputs", all.len());
                    error::invalid(message)
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
            budget::fold(dimensions::check_fact(fact)?)?;
        }
        let n_bytes: usize = inputs.iter().map(|input| facts::n_bytes(input)).sum();
        budget::step((work + n_bytes) / WORK_OF_STEP)?;
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
