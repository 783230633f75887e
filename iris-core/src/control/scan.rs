//! [Scan](https://onnx.ai/onnx/operators/onnx__Scan.html), versions 9 to 25.
//!
//! `body` is run for each slice of the scanned inputs, all of one length along their axes; it takes the state that it gave for
//! the slice before, and what it reads of the graphs around it. The outputs are the state in the end, whose type and shape
//! stay what they are, and the slices that the body gave, put together.

use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::TypedModel;
use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, Result};
use crate::guard::{budget, interrupt, memory};
use crate::onnx::attributes::Attributes;
use crate::onnx::graphs::named_outputs;
use crate::onnx::signature::fed_inputs;
use crate::operator::axes::resolve;
use crate::operator::node::{operator_of, wire};
use crate::operator::steps::Steps;
use crate::operator::{Built, NEVER_FOLDED, Operator};
use crate::ops::shape::cast;
use crate::value::tensors;

/// Along which axis slices lie, which counts from the end if negative, and whether the last one comes first.
#[derive(Clone, Copy, Debug)]
struct Scanned {
    axis: i64,
    is_reversed: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let body = attributes.graph("body")?;
    let [n_inputs, n_outputs] = check(attributes, body)?;
    let mut scanned = |kind: &str, len: usize| {
        let name = format!("scan_{kind}_axes");
        let axes = attributes.optional_ints(&name)?;
        let axes = axes.map_or_else(|| vec![0; len], <[i64]>::to_vec);
        check_len(&name, axes.len(), len)?;
        let name = format!("scan_{kind}_directions");
        let directions = attributes.optional_ints(&name)?;
        let directions = directions.map_or_else(|| vec![0; len], <[i64]>::to_vec);
        check_len(&name, directions.len(), len)?;
        let pairs = axes.into_iter().zip(directions);
        let scanned = pairs.map(|(axis, direction)| Scanned {
            axis,
            is_reversed: direction == 1,
        });
        Ok(scanned.collect::<Vec<_>>())
    };
    let scan = Scan {
        inputs: scanned("input", n_inputs)?,
        outputs: scanned("output", n_outputs)?,
        n_states: attributes.node().input.len() - n_inputs,
    };
    let body = body.clone();
    let places = named_outputs(attributes.node());
    Ok(Built::control(move |name, scope, inputs| {
        let mut wires: TVec<OutletId> = tvec![];
        let mut facts = vec![];
        for (index, &input) in inputs.iter().enumerate() {
            let name = format!("{name}.input_{index}");
            let wire = cast::wire_integers(&name, scope.graph(), input)?;
            facts.push(scope.graph().outlet_fact(wire)?.without_value());
            wires.push(wire);
        }
        let (of_body, inputs, len) = scan.sliced(&facts)?;
        let (graph, read) = scope.body(&body, &of_body)?;
        for &outer in &read {
            facts.push(scope.graph().outlet_fact(outer)?.without_value());
        }
        let turns = scan.turns(graph, &facts, inputs, &len)?;
        wires.extend(read);
        wire(
            "Scan",
            name,
            scope.graph(),
            Arc::new(turns),
            &places,
            &wires,
        )
    }))
}

/// Checks that the body takes what the node is given, state first, and gives what the node does; gives how many inputs and
/// outputs are scanned.
fn check(attributes: &mut Attributes<'_>, body: &GraphProto) -> Result<[usize; 2]> {
    let node = attributes.node();
    let n_inputs = fed_inputs(body).count();
    let n_outputs = body.output.len();
    let n_scan_inputs = attributes.int("num_scan_inputs")?;
    let n_scan_inputs = n_scan_inputs.ok_or_else(|| attributes.missing("num_scan_inputs"))?;
    let most = node.input.len() + node.output.len();
    if n_scan_inputs.unsigned_abs() > most as u64 {
        let message = format!("{n_scan_inputs} is not between -{most} and {most}");
        return Err(attributes.invalid("num_scan_inputs", message));
    }
    let n_states = usize::try_from(n_scan_inputs)
        .ok()
        .and_then(|n_scan_inputs| n_inputs.checked_sub(n_scan_inputs));
    let n_scan_outputs = n_states.and_then(|n_states| n_outputs.checked_sub(n_states));
    let (Some(n_states), Some(n_scan_outputs)) = (n_states, n_scan_outputs) else {
        let message =
            format!("{n_scan_inputs} for a body of {n_inputs} inputs and {n_outputs} outputs");
        return Err(error::invalid(format!(
            "attribute num_scan_inputs: {message}"
        )));
    };
    let given = node.input.iter().filter(|name| !name.is_empty()).count();
    if given != n_inputs || node.input.len() != n_inputs || node.output.len() > n_outputs {
        let message = format!(
            "{n_inputs} inputs and {n_outputs} outputs for {given} and {} of the node",
            node.output.len()
        );
        return Err(error::invalid(format!("attribute body: {message}")));
    }
    if n_states == n_inputs {
        return Err(error::invalid(
            "attribute num_scan_inputs: nothing is scanned",
        ));
    }
    Ok([n_inputs - n_states, n_scan_outputs])
}

fn check_len(name: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    let message = format!("attribute {name}: {got} values, expected {expected}");
    Err(error::invalid(message))
}

/// What the attributes say.
struct Scan {
    n_states: usize,
    inputs: Vec<Scanned>,
    outputs: Vec<Scanned>,
}

/// Of a tensor: the axis along which it is cut, and whether from its end on.
type Cut = (usize, bool);

impl Scan {
    /// What the inputs of the node are to the body, how they are cut, and how long they are.
    fn sliced(&self, facts: &[TypedFact]) -> Result<(Vec<TypedFact>, Vec<Cut>, TDim)> {
        let mut of_body = facts.to_vec();
        let mut cuts = vec![];
        let mut len = None;
        for (fact, scanned) in of_body[self.n_states..].iter_mut().zip(&self.inputs) {
            let mut dims = fact.shape.to_tvec();
            let axis = resolve(scanned.axis, dims.len())?;
            cuts.push((axis, scanned.is_reversed));
            len.get_or_insert(dims.remove(axis));
            *fact = fact.datum_type.fact(dims);
        }
        let len = len.ok_or_else(|| error::invalid("nothing is scanned"))?;
        Ok((of_body, cuts, len))
    }

    /// The operator that runs `body`, for inputs with these facts.
    fn turns(
        &self,
        mut body: TypedModel,
        facts: &[TypedFact],
        inputs: Vec<Cut>,
        len: &TDim,
    ) -> TractResult<Turns> {
        let mut outlets = body.outputs.clone();
        let mut outputs = vec![];
        let mut output_facts = tvec![];
        for (index, outlet) in outlets.iter_mut().enumerate() {
            *outlet = cast::wire_integers("in_numbers", &mut body, *outlet)?;
            let fact = body.outlet_fact(*outlet)?;
            let mut shape = fact.shape.to_tvec();
            if let Some(index) = index.checked_sub(self.n_states) {
                let scanned = self.outputs[index];
                let axis = resolve(scanned.axis, shape.len() + 1)?;
                outputs.push((axis, scanned.is_reversed));
                shape.insert(axis, len.clone());
            } else {
                let begin = &facts[index];
                if begin.datum_type != fact.datum_type || begin.shape != fact.shape {
                    let message = format!(
                        "state {index}: {:?} of shape {:?} becomes {:?} of shape {:?}",
                        begin.datum_type, begin.shape, fact.datum_type, fact.shape
                    );
                    return Err(error::invalid(message).into());
                }
            }
            output_facts.push(fact.datum_type.fact(shape));
        }
        let shapes = facts.iter().map(|fact| fact.shape.to_tvec());
        let steps = Steps::of_graph(&body, &outlets)?;
        body.select_output_outlets(&outlets)?;
        Ok(Turns {
            n_states: self.n_states,
            inputs,
            outputs,
            shapes: shapes.collect(),
            output_facts,
            body,
            steps,
        })
    }
}

/// How often `node` runs a graph, and the graph, if it does so again and again.
pub(crate) fn loop_of(node: &TypedNode) -> Option<(Option<&TDim>, &TypedModel)> {
    let turns = operator_of::<Turns>(node)?;
    let shape = turns.shapes.get(turns.n_states);
    let trips = turns.inputs.first().zip(shape);
    let trips = trips.and_then(|(&(axis, _), shape)| shape.get(axis));
    Some((trips, &turns.body))
}

/// The operator.
#[derive(Debug)]
struct Turns {
    n_states: usize,
    /// Of the inputs after the state.
    inputs: Vec<Cut>,
    /// Of the outputs after the state.
    outputs: Vec<Cut>,
    /// Of all inputs.
    shapes: Vec<TVec<TDim>>,
    output_facts: TVec<TypedFact>,
    body: TypedModel,
    steps: Steps,
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
        let len = self.count(inputs)?;
        let n_nodes = self.body.nodes.len();
        let mut states: Vec<TValue> = inputs[..self.n_states].to_vec();
        let mut slices: Vec<Vec<Tensor>> = self.outputs.iter().map(|_| vec![]).collect();
        for turn in 0..len {
            interrupt::check()?;
            budget::step(1 + n_nodes)?;
            let taken = self.turn_inputs(&states, inputs, [turn, len])?;
            let mut given = self.steps.run_within(symbols, &taken)?;
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
                    for slice in &slices {
                        memory::ask_for_copies(memory::texts(slice).unwrap_or_default())?;
                    }
                    Tensor::stack_tensors(axis, &slices)?.into_tvalue()
                }
            });
        }
        Ok(outputs)
    }
}
