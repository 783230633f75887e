//! [If](https://onnx.ai/onnx/operators/onnx__If.html), versions 1 to 25.
//!
//! `cond`, one truth value, says which of two graphs gives the outputs. Both may read what the graphs around them have.
//! Dimensions in which they differ are known once one of them has run. Where they differ in the number of dimensions, and
//! `cond` is not known beforehand, one is assumed, and a run of the other ends with a [`Surprise`].

use tract_onnx::prelude::TypedModel;
use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, ErrorKind, Result};
use crate::onnx::attributes::Attributes;
use crate::onnx::domains::ASSUMED;
use crate::onnx::graphs::named_outputs;
use crate::operator::node::{OperatorNode, constant, wire};
use crate::operator::steps::Steps;
use crate::operator::{Built, NEVER_FOLDED, Operator};
use crate::ops::shape::cast;

/// A condition that is not what the plan assumes of it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the condition is {truth}")]
pub(crate) struct Surprise {
    pub(crate) number: i64,
    pub(crate) truth: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let branches = [
        attributes.graph("then_branch")?,
        attributes.graph("else_branch")?,
    ];
    let [n_then, n_else] = branches.map(|branch| branch.output.len());
    let n_outputs = attributes.node().output.len();
    if n_then != n_else || n_outputs > n_then {
        let message = format!("branches of {n_then} and {n_else} outputs for {n_outputs}");
        return Err(error::invalid(message));
    }
    let &[number, assumed] = attributes.ints(ASSUMED)? else {
        return Err(attributes.invalid(ASSUMED, "expected 2 values"));
    };
    let assumed = Surprise {
        number,
        truth: assumed != 0,
    };
    let [then_branch, else_branch] = branches.map(Clone::clone);
    let places = named_outputs(attributes.node());
    Ok(Built::control(move |name, scope, inputs| {
        let condition = scope.graph().outlet_fact(inputs[0])?;
        if let Some(truth) = known_condition(condition)? {
            let branch = if truth { &then_branch } else { &else_branch };
            let (body, read) = scope.body(branch, &[])?;
            let outputs = wire_body(&body, scope.graph(), &read)?;
            return Ok(places.iter().map(|&place| outputs[place]).collect());
        }
        let (then_body, then_read) = scope.body(&then_branch, &[])?;
        let (else_body, else_read) = scope.body(&else_branch, &[])?;
        let conditional = Conditional::new(
            then_body,
            else_body,
            then_read.len(),
            assumed,
            scope.graph(),
        )?;
        let inputs: TVec<OutletId> = [inputs, &then_read, &else_read].concat().into();
        wire(
            "If",
            name,
            scope.graph(),
            Arc::new(conditional),
            &places,
            &inputs,
        )
    }))
}

/// The truth that is known of the condition.
fn known_condition(condition: &TypedFact) -> TractResult<Option<bool>> {
    if condition.datum_type != DatumType::Bool {
        let message = format!("input cond: expected bool, got {:?}", condition.datum_type);
        return Err(error::invalid(message).into());
    }
    condition.konst.as_deref().map(truth).transpose()
}

fn truth(condition: &Tensor) -> TractResult<bool> {
    match condition.try_as_plain_ram()?.as_slice::<bool>()? {
        &[truth] => Ok(truth),
        values => {
            let message = format!("input cond: expected one value, got {}", values.len());
            Err(Error::input(message).into())
        }
    }
}

/// Puts the nodes of `body` into `target`.
fn wire_body(
    body: &TypedModel,
    target: &mut TypedModel,
    inputs: &[OutletId],
) -> TractResult<TVec<OutletId>> {
    let sources = body.inputs.iter().copied();
    let mut mapping: HashMap<OutletId, OutletId> = sources.zip(inputs.iter().copied()).collect();
    for node in &body.nodes {
        let outlets = if let Some(operator) = node.op_as::<OperatorNode>() {
            let inputs: TVec<OutletId> = node.inputs.iter().map(|input| mapping[input]).collect();
            operator.wire(&node.name, target, &inputs)?
        } else if let Some(value) = &node.outputs[0].fact.konst {
            tvec![constant(&node.name, target, value.clone())?]
        } else {
            continue;
        };
        let slots = outlets.into_iter().enumerate();
        mapping.extend(slots.map(|(slot, outlet)| (OutletId::new(node.id, slot), outlet)));
    }
    Ok(body.outputs.iter().map(|output| mapping[output]).collect())
}

/// The operator where the condition is not known before a run.
#[derive(Debug)]
struct Conditional {
    /// What is done if the condition is true, and what if not.
    branches: [Steps; 2],
    /// How many inputs, after the condition, the first of them reads; the second reads the others.
    n_read_by_first: usize,
    outputs: TVec<TypedFact>,
    /// What the condition has to be.
    assumed: Option<Surprise>,
}

impl Conditional {
    /// Of two bodies; dimensions in which they differ have symbols of `graph`.
    fn new(
        then_body: TypedModel,
        else_body: TypedModel,
        n_read_by_first: usize,
        assumed: Surprise,
        graph: &TypedModel,
    ) -> TractResult<Self> {
        let mut branches = vec![];
        let mut facts = vec![];
        for mut body in [then_body, else_body] {
            let mut outputs = body.outputs.clone();
            for outlet in &mut outputs {
                *outlet = cast::wire_integers("in_numbers", &mut body, *outlet)?;
            }
            let output_facts = outputs
                .iter()
                .map(|&outlet| Ok(body.outlet_fact(outlet)?.without_value()));
            facts.push(output_facts.collect::<TractResult<TVec<_>>>()?);
            branches.push(Steps::of_graph(&body, &outputs)?);
        }
        let [then_facts, else_facts] = [&facts[0], &facts[1]];
        let mut pairs = then_facts.iter().zip(else_facts);
        let is_assumed = pairs.any(|(then_fact, else_fact)| then_fact.rank() != else_fact.rank());
        let outputs = match (is_assumed, assumed.truth) {
            (true, true) => then_facts.clone(),
            (true, false) => else_facts.clone(),
            (false, _) => merged(then_facts, else_facts, &graph.symbols)?,
        };
        let branches = branches.try_into();
        Ok(Self {
            branches: branches.map_err(|_| format_err!("two branches"))?,
            n_read_by_first,
            outputs,
            assumed: is_assumed.then_some(assumed),
        })
    }
}

/// What the outputs of the node are, by those of the branches.
fn merged(
    then_facts: &[TypedFact],
    else_facts: &[TypedFact],
    symbols: &SymbolScope,
) -> Result<TVec<TypedFact>> {
    let merge = |(slot, (then_fact, else_fact)): (usize, (&TypedFact, &TypedFact))| {
        let [a, b] = [then_fact.datum_type, else_fact.datum_type];
        if a != b {
            return Err(error::invalid(format!("output {slot}: {a:?} or {b:?}")));
        }
        let dims = then_fact.shape.iter().zip(else_fact.shape.iter());
        let dims = dims.map(|(a, b)| {
            if a == b {
                a.clone()
            } else {
                symbols.new_with_prefix("either").to_dim()
            }
        });
        Ok(a.fact(dims.collect::<TVec<TDim>>()))
    };
    then_facts
        .iter()
        .zip(else_facts)
        .enumerate()
        .map(merge)
        .collect()
}

impl Operator for Conditional {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        Ok(self.outputs.clone())
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn reads_symbols(&self) -> bool {
        true
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        self.eval_within(&SymbolValues::default(), inputs, wanted)
    }

    fn eval_within(
        &self,
        symbols: &SymbolValues,
        inputs: &[TValue],
        wanted: &[usize],
    ) -> TractResult<TVec<TValue>> {
        let truth = truth(&inputs[0])?;
        if let Some(assumed) = self.assumed
            && assumed.truth != truth
        {
            let surprise = Surprise { truth, ..assumed };
            let error = Error::new(ErrorKind::Run, surprise).with_source(surprise);
            return Err(error.into());
        }
        let (first, second) = inputs[1..].split_at(self.n_read_by_first);
        let [then_branch, else_branch] = &self.branches;
        let (branch, read) = if truth {
            (then_branch, first)
        } else {
            (else_branch, second)
        };
        let outputs = branch.run_within(symbols, read)?;
        Ok(wanted.iter().map(|&place| outputs[place].clone()).collect())
    }
}
