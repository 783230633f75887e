//! The one bridge between our operators and tract's graphs.
//!
//! An operator of ours says what its outputs look like and computes them; everything tract wants besides is here.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::cast::cast;

use super::attributes::Attributes;
use super::filling::Filling;
use super::{dimensions, tensors};
use crate::error::{Error, ErrorKind};
use crate::model::limits;

/// An operator whose attributes have been read and checked.
pub(crate) trait Operator: Any + Debug + Send + Sync {
    /// The types and shapes of all outputs, given those of the inputs; refuses inputs it cannot take.
    fn output_facts(&self, inputs: &[&TypedFact]) -> crate::Result<TVec<TypedFact>>;

    /// Whether the shapes of the outputs have symbols, from [`Attributes::new_symbol`], that only evaluation knows.
    fn has_data_dependent_shape(&self) -> bool {
        false
    }

    /// Whether row `i` of each output is made of row `i` of the first input alone, which has `rank` dimensions, where all
    /// other inputs are constants.
    fn maps_rows(&self, _rank: usize) -> bool {
        false
    }

    /// The same, of inputs with these facts.
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
}

/// The work of what no file has for constants: an estimator, or a loop.
pub(super) const NEVER_FOLDED: usize = usize::MAX;

/// How much work a node may be whose inputs are constants if it is to become one: about 20 ms of products and sums.
const MOST_FOLDED_WORK: usize = 1 << 24;
/// How much work counts as one look of planning at a node.
const WORK_OF_STEP: usize = 64;

/// Puts `operator` into tract's graph at the node whose attributes these are.
pub(crate) fn node_operator(
    attributes: &Attributes<'_>,
    operator: impl Operator,
) -> Box<dyn InferenceOp> {
    let node = attributes.node();
    let outputs = (0..node.output.len())
        .filter(|&slot| !node.output[slot].is_empty())
        .collect();
    Box::new(OperatorNode {
        op_type: node.op_type.clone().into(),
        name: crate::model::node_name(node).into(),
        operator: Arc::new(operator),
        outputs,
    })
}

/// Wires `operator`, which has one output, into a graph that is typed already.
pub(crate) fn wire_operator(
    op_type: &'static str,
    name: &str,
    model: &mut TypedModel,
    operator: impl Operator,
    inputs: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    wire_outputs(op_type, name, model, operator, inputs, 1)
}

/// Wires `operator`, of which the first `n_outputs` outputs are used, into a graph that is typed already.
pub(super) fn wire_outputs(
    op_type: &'static str,
    name: &str,
    model: &mut TypedModel,
    operator: impl Operator,
    inputs: &[OutletId],
    n_outputs: usize,
) -> TractResult<TVec<OutletId>> {
    let node = OperatorNode {
        op_type: op_type.into(),
        name: name.into(),
        operator: Arc::new(operator),
        outputs: (0..n_outputs).collect(),
    };
    model.wire_node(name, node, inputs)
}

/// `operator`, which has one output, for the place of `node` in a graph that is typed already.
pub(super) fn node_in_place(node: &TypedNode, operator: impl Operator) -> Box<dyn TypedOp> {
    Box::new(OperatorNode {
        op_type: node.op.name().into(),
        name: node.name.as_str().into(),
        operator: Arc::new(operator),
        outputs: tvec![0],
    })
}

/// The same graph, whose outputs count in numbers where they counted in symbols.
pub(crate) fn in_numbers(mut graph: TypedModel) -> TractResult<TypedModel> {
    let mut outputs = graph.outputs.clone();
    for outlet in &mut outputs {
        if graph.outlet_fact(*outlet)?.datum_type == DatumType::TDim {
            let name = graph.unique_name("in_numbers");
            *outlet = graph.wire_node(name, cast(DatumType::I64), &[*outlet])?[0];
        }
    }
    graph.select_output_outlets(&outputs)?;
    Ok(graph)
}

/// Whether `op` is an [`Operator`] of ours.
pub(crate) fn is_ours(op: &dyn TypedOp) -> bool {
    op.downcast_ref::<OperatorNode>().is_some()
}

/// Whether `op` gives of each row of the first of its `inputs` one row, and looks at no other row, where all others are
/// constants.
pub(crate) fn maps_rows(op: &dyn TypedOp, inputs: &[&TypedFact]) -> bool {
    match op.downcast_ref::<OperatorNode>() {
        Some(node) => node.operator.maps_rows_of(inputs),
        None => {
            let keeps_first = |op: &AxisOp| matches!(op, AxisOp::Add(1..) | AxisOp::Rm(1..));
            op.is::<tract_core::ops::cast::Cast>()
                || op.downcast_ref::<AxisOp>().is_some_and(keeps_first)
        }
    }
}

/// The operator of `node`, if it is a `T` of ours.
pub(super) fn operator_of<T: Operator>(node: &TypedNode) -> Option<&T> {
    let operator: &dyn Any = node.op_as::<OperatorNode>()?.operator();
    operator.downcast_ref()
}

/// `op` and which outputs are wanted of it, if it fills memory that it is given.
pub(crate) fn as_filling(op: &dyn TypedOp) -> Option<(&dyn Filling, &[usize])> {
    let node = op.downcast_ref::<OperatorNode>()?;
    Some((node.operator.as_filling()?, &node.outputs))
}

/// Whether `op` may make its rows of those of several inputs.
pub(crate) fn maps_several(op: &dyn TypedOp) -> bool {
    op.downcast_ref::<OperatorNode>()
        .is_some_and(|node| node.operator.maps_several())
}

/// `op` with only those of the outputs it gives now, by their place, or `None` if it is none of ours.
pub(crate) fn only_outputs(op: &dyn TypedOp, places: &[usize]) -> Option<Box<dyn TypedOp>> {
    let node = op.downcast_ref::<OperatorNode>()?;
    let outputs = places.iter().map(|&place| node.outputs.get(place).copied());
    Some(Box::new(OperatorNode {
        outputs: outputs.collect::<Option<_>>()?,
        ..node.clone()
    }))
}

/// An [`Operator`] at one node of a graph, of which only some outputs may be in use.
#[derive(Clone, Debug)]
pub(super) struct OperatorNode {
    op_type: Arc<str>,
    name: Arc<str>,
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
    pub(super) fn operator(&self) -> &dyn Operator {
        &*self.operator
    }

    /// Which outputs of the operator those of the node are.
    pub(super) fn places(&self) -> &[usize] {
        &self.outputs
    }

    /// `operator`, with the same outputs, in the place of this one.
    pub(super) fn with(&self, operator: Arc<dyn Operator>) -> Self {
        Self {
            operator,
            ..self.clone()
        }
    }

    fn facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let all = self
            .operator
            .output_facts(inputs)
            .map_err(|e| e.within(&self.name))?;
        self.outputs
            .iter()
            .map(|&slot| {
                let fact = all.get(slot).ok_or_else(|| {
                    let message = format!("output {slot}: the operator has {} outputs", all.len());
                    Error::new(ErrorKind::InvalidModel, message).within(&self.name)
                })?;
                let mut dims = fact.shape.iter();
                dims.try_for_each(dimensions::check)
                    .map_err(|e| e.within(&self.name))?;
                Ok(fact.clone())
            })
            .collect()
    }
}

impl Op for OperatorNode {
    fn name(&self) -> StaticName {
        self.op_type.to_string().into()
    }

    fn mints_runtime_symbols(&self) -> bool {
        self.operator.has_data_dependent_shape()
    }

    op_as_typed_op!();
}

impl EvalOp for OperatorNode {
    /// tract makes a constant of what this gives while it plans a graph, and asks for nothing before.
    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        let work = self.operator.work(&inputs);
        let n_bytes: usize = inputs.iter().map(|input| tensors::n_bytes(input)).sum();
        if work > MOST_FOLDED_WORK {
            return Ok(None);
        }
        limits::step((work + n_bytes) / WORK_OF_STEP)?;
        EvalOp::eval(self, &EvalContext::out_of_plan(), inputs).map(Some)
    }

    fn eval(&self, ctx: &EvalContext<'_>, mut inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        for input in &mut inputs {
            if input.datum_type() == DatumType::TDim {
                *input = with_sizes(input, ctx.symbols)?.into_tvalue();
            }
        }
        self.operator.eval(&inputs, &self.outputs)
    }
}

/// The same dimensions, with what is known of their symbols in the symbols' places.
fn with_sizes(dims: &Tensor, symbols: &SymbolValues) -> TractResult<Tensor> {
    let view = dims.try_as_plain_ram()?;
    let dims_now = view.as_slice::<TDim>()?.iter().map(|dim| dim.eval(symbols));
    tensors::from_vec(dims.shape(), dims_now.collect())
}

impl TypedOp for OperatorNode {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        self.facts(inputs)
    }

    /// Drops the outputs that nothing reads, so that they are not computed.
    fn declutter(
        &self,
        model: &TypedModel,
        node: &TypedNode,
    ) -> TractResult<Option<TypedModelPatch>> {
        let in_use: TVec<usize> = (0..self.outputs.len())
            .filter(|&slot| {
                let outlet = OutletId::new(node.id, slot);
                !node.outputs[slot].successors.is_empty() || model.outputs.contains(&outlet)
            })
            .collect();
        if in_use.is_empty() || in_use.len() == self.outputs.len() {
            return Ok(None);
        }
        let outputs = in_use.iter().map(|&slot| self.outputs[slot]).collect();
        let mut patch = TypedModelPatch::default();
        let inputs = patch.taps(model, &node.inputs)?;
        let wires = patch.wire_node(
            &node.name,
            Self {
                outputs,
                ..self.clone()
            },
            &inputs,
        )?;
        for (&slot, &wire) in in_use.iter().zip(&wires) {
            patch.shunt_outside(model, OutletId::new(node.id, slot), wire)?;
        }
        Ok(Some(patch))
    }

    as_op!();
}

/// What tract's inference wants to know of an operator whose outputs follow from its inputs by `facts`: nothing, as long as
/// these are not known.
pub(super) fn infer_facts(
    inputs: TVec<&InferenceFact>,
    outputs: TVec<&InferenceFact>,
    observed: TVec<&InferenceFact>,
    facts: impl FnOnce(&[TypedFact]) -> TractResult<TVec<TypedFact>>,
) -> TractResult<(
    TVec<InferenceFact>,
    TVec<InferenceFact>,
    TVec<InferenceFact>,
)> {
    let known: Option<Vec<TypedFact>> = inputs
        .iter()
        .map(|&fact| TypedFact::try_from(fact).ok())
        .collect();
    let copy = |facts: TVec<&InferenceFact>| facts.into_iter().cloned().collect();
    let outputs = match known {
        Some(known) => facts(&known)?
            .iter()
            .zip(outputs)
            .map(|(fact, declared)| InferenceFact::from(fact).unify(declared))
            .collect::<TractResult<_>>()?,
        None => copy(outputs),
    };
    Ok((copy(inputs), outputs, copy(observed)))
}

/// Where `outlets` are in a typed graph, as tract's translation of a graph keeps it.
///
/// # Errors
/// If there is one that nothing makes: a file may name more outputs of a node than its operator gives.
pub(super) fn mapped(
    mapping: &HashMap<OutletId, OutletId>,
    outlets: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    let found = outlets.iter().map(|outlet| {
        mapping.get(outlet).copied().ok_or_else(|| {
            let message = format!("output {} of a node: its operator gives none", outlet.slot);
            Error::new(ErrorKind::InvalidModel, message).into()
        })
    });
    found.collect()
}

impl InferenceOp for OperatorNode {
    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(
        TVec<InferenceFact>,
        TVec<InferenceFact>,
        TVec<InferenceFact>,
    )> {
        infer_facts(inputs, outputs, observed, |facts| {
            self.facts(&facts.iter().collect::<Vec<_>>())
        })
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.outputs.len())
    }

    fn to_typed(
        &self,
        _source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        let inputs = mapped(mapping, &node.inputs)?;
        target.wire_node(&node.name, self.clone(), &inputs)
    }

    as_op!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_makes_is_an_error() {
        let (given, made) = (OutletId::new(0, 0), OutletId::new(5, 0));
        let mapping = HashMap::from([(given, made)]);
        assert_eq!(*mapped(&mapping, &[given]).expect("is there"), [made]);
        let error = mapped(&mapping, &[given, OutletId::new(0, 1)]).expect_err("is not there");
        assert!(error.to_string().contains("gives none"), "{error}");
    }
}
