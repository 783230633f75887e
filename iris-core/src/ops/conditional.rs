//! [If](https://onnx.ai/onnx/operators/onnx__If.html), versions 1 to 25.
//!
//! `cond`, one truth value, says which of two graphs gives the outputs. Both may read what the graphs around them have.
//! Dimensions in which they differ are known once one of them has run. Where they differ in the number of dimensions, and
//! `cond` is not known beforehand, one is assumed, and a run of the other ends with a [`Surprise`]. tract's own wants all
//! dimensions to be the same, and takes what the first graph gives for known if that is constant.

use tract_onnx::model::ParseResult;
use tract_onnx::prelude::{TypedModel, TypedSimplePlan};
use tract_onnx::tract_hir::internal::*;

use super::attributes::Attributes;
use super::bounded;
use super::operator::{in_numbers, infer_facts, mapped};
use super::tensors;
use crate::error::{Error, ErrorKind, Result};

/// The attribute, of our own making, that says which number a node has and what is assumed of its condition.
pub(crate) const ASSUMED: &str = "iris_core.assumed";

/// A condition that is not what the plan assumes of it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the condition is {truth}")]
pub(crate) struct Surprise {
    pub(crate) number: i64,
    pub(crate) truth: bool,
}

/// A graph of the node, and which of the node's inputs it reads.
#[derive(Clone, Debug)]
struct Branch {
    body: InferenceModel,
    inputs: Vec<usize>,
}

#[derive(Clone, Debug)]
struct If {
    name: String,
    /// What is done if the condition is true, and what if not.
    branches: [Branch; 2],
    number: i64,
    assumed: bool,
    /// The dimensions, by output and axis, in which the branches differ.
    symbols: HashMap<(usize, usize), Symbol>,
    /// The branches that may run, typed, for inputs that have been seen before: inference asks more than once.
    typed: Option<(Vec<TypedFact>, Vec<TypedModel>)>,
}

impl PartialEq for If {
    fn eq(&self, _other: &Self) -> bool {
        false
    }
}

impl Eq for If {}

pub(super) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let name = crate::model::node_name(attributes.node());
    let mut branch = |name: &str| -> Result<Branch> {
        let ParseResult {
            model,
            unresolved_inputs,
            ..
        } = attributes.graph(name)?;
        let inputs = attributes.outer_inputs(unresolved_inputs);
        Ok(Branch {
            body: model,
            inputs,
        })
    };
    let branches = [branch("then_branch")?, branch("else_branch")?];
    let [n_then, n_else] = branches.each_ref().map(|branch| branch.body.outputs.len());
    if n_then != n_else {
        let message = format!("branches of {n_then} and {n_else} outputs");
        return Err(tensors::invalid(message).within(name));
    }
    let &[number, assumed] = attributes.ints(ASSUMED)? else {
        return Err(attributes.invalid(ASSUMED, "expected 2 values"));
    };
    Ok(Box::new(If {
        name,
        branches,
        number,
        assumed: assumed != 0,
        symbols: HashMap::new(),
        typed: None,
    }))
}

impl Branch {
    /// The graph with the facts of the node's inputs.
    fn typed(&self, facts: &[TypedFact]) -> TractResult<TypedModel> {
        let mut body = self.body.clone();
        for (index, &input) in self.inputs.iter().enumerate() {
            body.set_input_fact(index, InferenceFact::from(&facts[input]))?;
        }
        bounded::declutter(body.into_typed()?)
    }
}

/// The truth that is known of the condition.
fn known_condition(facts: &[TypedFact]) -> TractResult<Option<bool>> {
    let condition = facts
        .first()
        .ok_or_else(|| tensors::invalid("input cond: missing"))?;
    if condition.datum_type != DatumType::Bool {
        let message = format!("input cond: expected bool, got {:?}", condition.datum_type);
        return Err(tensors::invalid(message).into());
    }
    condition.konst.as_deref().map(truth).transpose()
}

fn truth(condition: &Tensor) -> TractResult<bool> {
    match condition.try_as_plain_ram()?.as_slice::<bool>()? {
        &[truth] => Ok(truth),
        values => {
            let message = format!("input cond: expected one value, got {}", values.len());
            Err(crate::Error::input(message).into())
        }
    }
}

impl If {
    /// The branch that the condition is known to choose, or both.
    fn typed(&mut self, facts: &[TypedFact]) -> TractResult<&[TypedModel]> {
        let (_, typed) = match self.typed.take() {
            Some(known) if known.0 == facts => self.typed.insert(known),
            _ => {
                let may_run = match known_condition(facts)? {
                    Some(true) => &self.branches[..1],
                    Some(false) => &self.branches[1..],
                    None => &self.branches[..],
                };
                let typed = may_run.iter().map(|branch| branch.typed(facts));
                let typed = typed.collect::<TractResult<_>>()?;
                self.typed.insert((facts.to_vec(), typed))
            }
        };
        Ok(typed)
    }

    fn output_facts(&mut self, facts: &[TypedFact]) -> TractResult<TVec<TypedFact>> {
        let typed = self.typed(facts)?.iter().map(output_facts);
        let mut typed = typed.collect::<TractResult<Vec<_>>>()?.into_iter();
        match (typed.next(), typed.next()) {
            (Some(then_facts), Some(else_facts)) if differ_in_rank(&then_facts, &else_facts) => {
                let assumed = if self.assumed { then_facts } else { else_facts };
                let fact = |fact: &TypedFact| as_declared(fact.datum_type).fact(fact.shape.iter());
                Ok(assumed.iter().map(fact).collect())
            }
            (Some(then_facts), Some(else_facts)) => Ok(self.merged(&then_facts, &else_facts)?),
            (known, _) => known.context("no branch"),
        }
    }

    /// What the outputs of the node are, by those of the branches.
    fn merged(
        &mut self,
        then_facts: &[TypedFact],
        else_facts: &[TypedFact],
    ) -> Result<TVec<TypedFact>> {
        let scope = self.branches[0].body.symbols.clone();
        let outputs = then_facts.iter().zip(else_facts).enumerate();
        outputs
            .map(|(slot, (then_fact, else_fact))| {
                let [a, b] = [then_fact, else_fact].map(|fact| as_declared(fact.datum_type));
                if a != b {
                    let message = format!("output {slot}: {a:?} or {b:?}");
                    return Err(tensors::invalid(message).within(&self.name));
                }
                let dims = then_fact.shape.iter().zip(else_fact.shape.iter());
                let merge = |(axis, (a, b)): (usize, (&TDim, &TDim))| {
                    if a == b {
                        return a.clone();
                    }
                    let symbol = self.symbols.entry((slot, axis));
                    let symbol = symbol.or_insert_with(|| scope.new_with_prefix("either"));
                    symbol.to_dim()
                };
                let shape: TVec<TDim> = dims.enumerate().map(merge).collect();
                Ok(a.fact(shape))
            })
            .collect()
    }
}

fn differ_in_rank(then_facts: &[TypedFact], else_facts: &[TypedFact]) -> bool {
    let mut facts = then_facts.iter().zip(else_facts);
    facts.any(|(then_fact, else_fact)| then_fact.rank() != else_fact.rank())
}

/// The type that an output of two branches has, which may be counted in symbols in one and in numbers in the other.
fn as_declared(datum_type: DatumType) -> DatumType {
    if datum_type == DatumType::TDim {
        DatumType::I64
    } else {
        datum_type
    }
}

fn output_facts(model: &TypedModel) -> TractResult<TVec<TypedFact>> {
    let outputs = model.outputs.iter();
    outputs
        .map(|&outlet| Ok(model.outlet_fact(outlet)?.clone()))
        .collect()
}

impl Op for If {
    fn name(&self) -> StaticName {
        "If".into()
    }

    not_a_typed_op!();
}

impl EvalOp for If {
    not_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext<'_>, _inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        bail!("{} has to be planned before it runs", self.name)
    }
}

impl InferenceOp for If {
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
        infer_facts(inputs, outputs, observed, |facts| self.output_facts(facts))
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.branches[0].body.outputs.len())
    }

    fn to_typed(
        &self,
        _source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        let inputs = mapped(mapping, &node.inputs)?;
        let facts: Vec<TypedFact> = inputs
            .iter()
            .map(|&outlet| Ok(target.outlet_fact(outlet)?.clone()))
            .collect::<TractResult<_>>()?;
        let mut planned = self.clone();
        if let Some(truth) = known_condition(&facts)? {
            let read = &self.branches[usize::from(!truth)].inputs;
            let read: Vec<OutletId> = read.iter().map(|&index| inputs[index]).collect();
            let [body] = planned.typed(&facts)? else {
                bail!("{}: the condition is known, the branch is not", self.name);
            };
            return wire_body(&node.name, body, target, &read);
        }
        let outputs = planned.output_facts(&facts)?;
        let [then_body, else_body] = planned.typed(&facts)? else {
            bail!("{}: two branches may run", self.name);
        };
        let is_assumed = differ_in_rank(&output_facts(then_body)?, &output_facts(else_body)?);
        let runnable = |body: &TypedModel, branch: &Branch| {
            let plan = TypedSimplePlan::new(bounded::optimize(in_numbers(body.clone())?)?)?;
            let inputs = branch.inputs.clone();
            TractResult::Ok((plan, inputs))
        };
        let [then_branch, else_branch] = &self.branches;
        let conditional = Conditional {
            branches: Arc::new([
                runnable(then_body, then_branch)?,
                runnable(else_body, else_branch)?,
            ]),
            outputs,
            assumed: is_assumed.then_some(Surprise {
                number: self.number,
                truth: self.assumed,
            }),
            has_new_symbols: is_assumed || !planned.symbols.is_empty(),
        };
        target.wire_node(&node.name, conditional, &inputs)
    }

    as_op!();
}

/// Puts the nodes of `body` into `target`, in the place of one that is called `name`.
fn wire_body(
    name: &str,
    body: &TypedModel,
    target: &mut TypedModel,
    inputs: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    let mut mapping: HashMap<OutletId, OutletId> = body
        .inputs
        .iter()
        .copied()
        .zip(inputs.iter().copied())
        .collect();
    for id in body.eval_order()? {
        let node = body.node(id);
        if TypedModel::is_source(&node.op) {
            continue;
        }
        let inputs = mapped(&mapping, &node.inputs)?;
        let outlets =
            target.wire_node(format!("{name}.{}", node.name), node.op.clone(), &inputs)?;
        let slots = outlets.into_iter().enumerate();
        mapping.extend(slots.map(|(slot, outlet)| (OutletId::new(id, slot), outlet)));
    }
    mapped(&mapping, &body.outputs)
}

/// The operator in a graph in which all facts are known.
#[derive(Clone, Debug)]
struct Conditional {
    /// What is done if the condition is true, and what if not, each with the inputs that it reads.
    branches: Arc<[(Arc<TypedSimplePlan>, Vec<usize>); 2]>,
    outputs: TVec<TypedFact>,
    /// What the condition has to be.
    assumed: Option<Surprise>,
    has_new_symbols: bool,
}

impl PartialEq for Conditional {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.branches, &other.branches)
    }
}

impl Eq for Conditional {}

impl Op for Conditional {
    fn name(&self) -> StaticName {
        "If".into()
    }

    fn mints_runtime_symbols(&self) -> bool {
        self.has_new_symbols
    }

    op_as_typed_op!();
}

impl EvalOp for Conditional {
    not_out_of_plan!();

    fn eval(&self, ctx: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let truth = truth(&inputs[0])?;
        if let Some(assumed) = self.assumed
            && assumed.truth != truth
        {
            let surprise = Surprise { truth, ..assumed };
            let error = Error::new(ErrorKind::Run, surprise).with_source(surprise);
            return Err(error.into());
        }
        let [then_branch, else_branch] = &*self.branches;
        let (plan, read) = if truth { then_branch } else { else_branch };
        let mut state = plan.spawn()?;
        // What the graph around it counts in symbols may come as a value.
        state.turn_state.resolved_symbols = ctx.symbols.clone();
        let inputs = read.iter().map(|&index| inputs[index].clone()).collect();
        bounded::run(&mut state, inputs)
    }
}

impl TypedOp for Conditional {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(self.outputs.clone())
    }

    as_op!();
}
