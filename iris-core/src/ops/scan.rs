//! [Scan](https://onnx.ai/onnx/operators/onnx__Scan.html), versions 9 to 25.
//!
//! `body` is run for each slice of the scanned inputs, all of one length along their axes; it takes the state that it gave for
//! the slice before, and what it reads of the graphs around it. The outputs are the state in the end, whose type and shape
//! stay what they are, and the slices that the body gave, put together.

use tract_onnx::model::{ParseResult, ParsingContext};
use tract_onnx::pb::{GraphProto, NodeProto};
use tract_onnx::prelude::{TypedModel, TypedSimplePlan};
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core::ops::cast::wire_cast;

use super::axes::resolve;
use super::operator::{
    NEVER_FOLDED, Operator, in_numbers, infer_facts, mapped, operator_of, wire_outputs,
};
use super::stock::Built;
use super::{bounded, kernels, tensors};
use crate::error::{Error, Result};
use crate::model::{interrupt, limits, node_name};

/// Along which axis slices lie, which counts from the end if negative, and whether the last one comes first.
#[derive(Clone, Copy, Debug)]
struct Scanned {
    axis: i64,
    is_reversed: bool,
}

#[derive(Clone, Debug)]
struct Scan {
    name: String,
    /// Its inputs are the state, the slices, and what it reads of the graphs around it.
    body: InferenceModel,
    n_states: usize,
    inputs: Vec<Scanned>,
    outputs: Vec<Scanned>,
    /// The body, typed, for inputs that have been seen before: inference asks more than once.
    typed: Option<(Vec<TypedFact>, Turns)>,
}

impl PartialEq for Scan {
    fn eq(&self, _other: &Self) -> bool {
        false
    }
}

impl Eq for Scan {}

pub(super) fn build(context: &ParsingContext<'_>, node: &NodeProto) -> Built {
    if context.onnx_operator_set_version < 9 {
        bail!("Scan before version 9 is not supported");
    }
    let (n_inputs, n_outputs) = check(node)?;
    let ParseResult {
        model,
        unresolved_inputs,
        ..
    } = context.parse_graph(node.get_attr("body")?)?;
    let scanned = |kind: &str, len: usize| {
        let axes: Option<Vec<i64>> = node.get_attr_opt_vec(&format!("scan_{kind}_axes"))?;
        let directions: Option<Vec<i64>> =
            node.get_attr_opt_vec(&format!("scan_{kind}_directions"))?;
        let (axes, directions) = (
            axes.unwrap_or_else(|| vec![0; len]),
            directions.unwrap_or_else(|| vec![0; len]),
        );
        let pairs = axes.into_iter().zip(directions);
        let scanned = pairs.map(|(axis, direction)| Scanned {
            axis,
            is_reversed: direction == 1,
        });
        TractResult::Ok(scanned.collect::<Vec<_>>())
    };
    let scan = Scan {
        name: node_name(node),
        n_states: node.input.len() - n_inputs,
        inputs: scanned("input", n_inputs)?,
        outputs: scanned("output", n_outputs)?,
        body: model,
        typed: None,
    };
    Ok((Box::new(scan), unresolved_inputs))
}

/// Checks that the body takes what the node is given, state first, and gives what the node does; gives how many inputs and
/// outputs are scanned.
fn check(node: &NodeProto) -> TractResult<(usize, usize)> {
    let body: &GraphProto = node.get_attr("body")?;
    let is_constant = |name: &str| body.initializer.iter().any(|tensor| tensor.name == name);
    let n_inputs = body.input.iter().filter(|i| !is_constant(&i.name)).count();
    let n_outputs = body.output.len();
    let n_scan_inputs: usize = node.get_attr("num_scan_inputs")?;
    let n_scan_outputs = n_inputs
        .checked_sub(n_scan_inputs)
        .and_then(|n_states| n_outputs.checked_sub(n_states));
    let Some(n_scan_outputs) = n_scan_outputs else {
        let message = format!(
            "attribute num_scan_inputs: {n_scan_inputs} for a body of {n_inputs} inputs and {n_outputs} outputs"
        );
        return Err(tensors::invalid(message).into());
    };
    if node.input.len() != n_inputs || node.output.len() > n_outputs {
        let message = format!(
            "attribute body: {n_inputs} inputs and {n_outputs} outputs for {} and {} of the node",
            node.input.len(),
            node.output.len()
        );
        return Err(tensors::invalid(message).into());
    }
    for (name, len) in [
        ("scan_input_axes", n_scan_inputs),
        ("scan_input_directions", n_scan_inputs),
        ("scan_output_axes", n_scan_outputs),
        ("scan_output_directions", n_scan_outputs),
    ] {
        let values: Option<&[i64]> = node.get_attr_opt_slice(name)?;
        if let Some(values) = values.filter(|values| values.len() != len) {
            let message = format!("attribute {name}: {} values, expected {len}", values.len());
            return Err(tensors::invalid(message).into());
        }
    }
    if n_scan_inputs == 0 {
        return Err(tensors::invalid("attribute num_scan_inputs: nothing is scanned").into());
    }
    Ok((n_scan_inputs, n_scan_outputs))
}

/// The type in which a body takes a tensor, which may be counted in symbols around it.
fn in_body(datum_type: DatumType) -> DatumType {
    if datum_type == DatumType::TDim {
        DatumType::I64
    } else {
        datum_type
    }
}

impl Scan {
    /// The body for inputs that look like this, as it was made before or anew.
    fn turns(&mut self, facts: &[TypedFact]) -> TractResult<&Turns> {
        let (_, turns) = match self.typed.take() {
            Some(known) if known.0 == facts => self.typed.insert(known),
            _ => {
                let turns = self.typed(facts)?;
                self.typed.insert((facts.to_vec(), turns))
            }
        };
        Ok(turns)
    }

    fn typed(&self, facts: &[TypedFact]) -> TractResult<Turns> {
        let mut body = self.body.clone();
        if facts.len() != body.inputs.len() {
            let message = format!("{} inputs, expected {}", facts.len(), body.inputs.len());
            return Err(tensors::invalid(message).within(&self.name).into());
        }
        let mut inputs = vec![];
        let mut len: Option<TDim> = None;
        for (index, fact) in facts.iter().enumerate() {
            let mut shape = fact.shape.to_tvec();
            let scanned = index.checked_sub(self.n_states);
            if let Some(scanned) = scanned.and_then(|index| self.inputs.get(index)) {
                let axis = resolve(scanned.axis, shape.len())?;
                inputs.push((axis, scanned.is_reversed));
                len.get_or_insert(shape.remove(axis));
            }
            let fact = InferenceFact::dt_shape(in_body(fact.datum_type), shape);
            body.set_input_fact(index, fact)?;
        }
        let len = len.context("nothing is scanned")?;
        let body = kernels::replace(bounded::declutter(in_numbers(body.into_typed()?)?)?)?;
        let mut outputs = vec![];
        let mut output_facts = tvec![];
        for (index, &outlet) in body.outputs.iter().enumerate() {
            let fact = body.outlet_fact(outlet)?;
            let mut shape = fact.shape.to_tvec();
            if let Some(index) = index.checked_sub(self.n_states) {
                let Some(scanned) = self.outputs.get(index) else {
                    bail!("{}: more outputs than there are axes", self.name);
                };
                let axis = resolve(scanned.axis, shape.len() + 1)?;
                outputs.push((axis, scanned.is_reversed));
                shape.insert(axis, len.clone());
            } else {
                let begin = &facts[index];
                if in_body(begin.datum_type) != fact.datum_type || begin.shape != fact.shape {
                    let message = format!(
                        "state {index}: {:?} of shape {:?} becomes {:?} of shape {:?}",
                        begin.datum_type, begin.shape, fact.datum_type, fact.shape
                    );
                    return Err(tensors::invalid(message).within(&self.name).into());
                }
            }
            output_facts.push(fact.datum_type.fact(shape));
        }
        let shapes = facts.iter().map(|fact| fact.shape.to_tvec());
        Ok(Turns {
            n_states: self.n_states,
            inputs,
            outputs,
            shapes: shapes.collect(),
            output_facts,
            plan: TypedSimplePlan::new(bounded::optimize(body)?)?,
        })
    }
}

impl Op for Scan {
    fn name(&self) -> StaticName {
        "Scan".into()
    }

    not_a_typed_op!();
}

impl EvalOp for Scan {
    not_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext<'_>, _inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        bail!("{} has to be planned before it runs", self.name)
    }
}

impl InferenceOp for Scan {
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
            Ok(self.turns(facts)?.output_facts.clone())
        })
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.body.outputs.len())
    }

    fn to_typed(
        &self,
        _source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        let mut inputs = mapped(mapping, &node.inputs)?;
        let mut facts = vec![];
        for (index, input) in inputs.iter_mut().enumerate() {
            let fact = target.outlet_fact(*input)?;
            let datum_type = in_body(fact.datum_type);
            facts.push(datum_type.fact(fact.shape.clone()));
            let name = format!("{}.input_{index}", node.name);
            *input = wire_cast(name, target, &[*input], datum_type)?[0];
        }
        let turns = self.clone().turns(&facts)?.clone();
        let n_outputs = self.body.outputs.len();
        wire_outputs("Scan", &node.name, target, turns, &inputs, n_outputs)
    }

    as_op!();
}

/// How often `node` runs a graph, and the graph, if it does so again and again.
pub(crate) fn loop_of(node: &TypedNode) -> Option<(Option<&TDim>, &TypedModel)> {
    let turns = operator_of::<Turns>(node)?;
    let shape = turns.shapes.get(turns.n_states);
    let trips = turns.inputs.first().zip(shape);
    let trips = trips.and_then(|(&(axis, _), shape)| shape.get(axis));
    Some((trips, turns.plan.model()))
}

/// The operator in a graph in which all facts are known.
#[derive(Clone, Debug)]
struct Turns {
    n_states: usize,
    /// Of the inputs after the state: the axis along which it is cut, and whether from its end on.
    inputs: Vec<(usize, bool)>,
    /// The same of the outputs.
    outputs: Vec<(usize, bool)>,
    /// Of all inputs.
    shapes: Vec<TVec<TDim>>,
    output_facts: TVec<TypedFact>,
    plan: Arc<TypedSimplePlan>,
}

impl Turns {
    /// How many there are.
    fn count(&self, inputs: &[TValue]) -> TractResult<usize> {
        let scanned = inputs[self.n_states..].iter().zip(&self.inputs);
        let mut lens = scanned.map(|(input, &(axis, _))| input.shape()[axis]);
        let len = lens.next().context("nothing is scanned")?;
        if let Some(other) = lens.find(|&other| other != len) {
            let message = format!("scanned inputs of lengths {len} and {other}");
            return Err(Error::input(message).into());
        }
        Ok(len)
    }

    /// The inputs of a turn, which takes slice number `turn` of `len`.
    fn turn_inputs(
        &self,
        states: &[TValue],
        inputs: &[TValue],
        [turn, len]: [usize; 2],
    ) -> TractResult<TVec<TValue>> {
        let mut taken: TVec<TValue> = states.into();
        for (index, input) in inputs[self.n_states..].iter().enumerate() {
            taken.push(match self.inputs.get(index) {
                Some(&(axis, is_reversed)) => {
                    let at = if is_reversed { len - 1 - turn } else { turn };
                    let mut slice = input.slice(axis, at, at + 1)?;
                    slice.remove_axis(axis)?;
                    slice.into_tvalue()
                }
                None => input.clone(),
            });
        }
        Ok(taken)
    }

    /// Output number `index` where there is no slice.
    fn nothing(&self, index: usize, inputs: &[TValue]) -> TractResult<Tensor> {
        let mut symbols = SymbolValues::default();
        for (dims, input) in self.shapes.iter().zip(inputs) {
            for (dim, &size) in dims.iter().zip(input.shape()) {
                if let TDim::Sym(symbol) = dim {
                    symbols.set(symbol, size as i64);
                }
            }
        }
        let fact = &self.output_facts[index];
        let dims = fact.shape.iter().map(|dim| dim.eval(&symbols).to_usize());
        let shape: TVec<usize> = dims.collect::<std::result::Result<_, _>>()?;
        tensors::empty(fact.datum_type, &shape)
    }
}

impl Operator for Turns {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        Ok(self.output_facts.clone())
    }

    fn has_data_dependent_shape(&self) -> bool {
        let nodes = &self.plan.model().nodes;
        nodes.iter().any(|node| node.op.mints_runtime_symbols())
    }

    fn work(&self, _inputs: &[TValue]) -> usize {
        NEVER_FOLDED
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let len = self.count(inputs)?;
        let n_nodes = self.plan.model().nodes.len();
        let mut states: Vec<TValue> = inputs[..self.n_states].to_vec();
        let mut slices: Vec<Vec<Tensor>> = self.outputs.iter().map(|_| vec![]).collect();
        let mut state = self.plan.spawn()?;
        for turn in 0..len {
            interrupt::check()?;
            limits::step(1 + n_nodes)?;
            let taken = self.turn_inputs(&states, inputs, [turn, len])?;
            let mut given = bounded::run(&mut state, taken)?;
            for (slices, given) in slices.iter_mut().zip(given.drain(self.n_states..)) {
                slices.push(given.into_tensor());
            }
            states = given.into_vec();
        }
        let mut outputs = tvec![];
        for &index in wanted {
            outputs.push(match index.checked_sub(self.n_states) {
                None => states[index].clone(),
                Some(_) if len == 0 => self.nothing(index, inputs)?.into_tvalue(),
                Some(scanned) => {
                    let (axis, is_reversed) = self.outputs[scanned];
                    let mut slices = std::mem::take(&mut slices[scanned]);
                    for slice in &mut slices {
                        slice.insert_axis(axis)?;
                    }
                    if is_reversed {
                        slices.reverse();
                    }
                    Tensor::stack_tensors(axis, &slices)?.into_tvalue()
                }
            });
        }
        Ok(outputs)
    }
}
