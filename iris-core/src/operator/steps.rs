//! Runs a graph node by node, in the order in which the nodes were wired.

use std::collections::HashMap;

use smallvec::SmallVec;
use tract_onnx::prelude::{
    DatumType, IntoTValue, OutletId, Symbol, SymbolValues, TDim, TValue, TVec, TractError,
    TractResult, TypedModel, TypedNode,
};
use tract_onnx::tract_core::internal::{format_err, tvec};
use tract_onnx::tract_core::ops::konst::Const;

use crate::error::Error;
use crate::guard::interrupt;
use crate::operator;
use crate::operator::node::{OperatorNode, maps_rows as op_maps_rows};
use crate::operator::{Few, Filling};
use crate::value::element::ElementType;
use crate::value::slots::Slots;
use crate::value::tract::{copied, element_of_tract, view};
use crate::value::view::TensorView;

/// The nodes of a graph in the order in which to compute them.
#[derive(Debug)]
pub(crate) struct Steps {
    inputs: Vec<Input>,
    nodes: Vec<Step>,
    constants: Vec<(usize, TValue)>,
    n_values: usize,
    outputs: TVec<usize>,
    /// The symbols of the inputs' dimensions, by their numbers.
    symbols: Vec<Symbol>,
    /// Whether an operator asks what symbols stand for.
    reads_symbols: bool,
    /// The outputs, if row `i` of each is made of row `i` of the only input alone.
    row_outputs: Option<PerOutput<RowOutput>>,
    /// Whether all that read the only input can read it in somebody else's memory.
    takes_view: bool,
    /// Whether there is one node alone, which takes views and gives the outputs in their order.
    is_single: bool,
}

/// What has been computed.
type Values = TVec<Option<TValue>>;

/// One for each output that is asked for, of which there is seldom more than one.
pub(crate) type PerOutput<T> = SmallVec<[T; 1]>;

/// The types and shapes of outputs.
pub(crate) type RowOutputs = PerOutput<(ElementType, TVec<usize>)>;

/// What must hold of an input, and where it goes.
#[derive(Debug)]
struct Input {
    value: usize,
    dims: TVec<Dim>,
}

/// An output that has as many rows as the input.
#[derive(Debug)]
struct RowOutput {
    element: ElementType,
    /// The dimensions behind the first.
    dims: TVec<Dim>,
}

#[derive(Clone, Copy, Debug)]
enum Dim {
    Fixed(usize),
    /// One size wherever the number of the symbol occurs.
    Symbol(usize),
    /// A size that follows from others.
    Any,
}

#[derive(Debug)]
struct Step {
    op: OperatorNode,
    /// Which values the node takes, and whether it is the last to do so.
    inputs: TVec<(usize, bool)>,
    /// Which values it gives.
    outputs: TVec<usize>,
    /// The dimensions, by output and axis, that are symbols which this node alone knows.
    new_symbols: Vec<(usize, usize, Symbol)>,
    /// If all values it gives are outputs of the graph, and nothing else reads them: which outputs they are.
    fills: Option<TVec<usize>>,
}

impl Steps {
    /// The steps to `outlets` of a graph whose nodes are in an order in which they can be computed, with nothing in them
    /// that these outputs do not need.
    pub(crate) fn of_graph(graph: &TypedModel, outlets: &[OutletId]) -> TractResult<Self> {
        let numbering = Numbering::of(graph);
        let outputs: TVec<usize> = outlets
            .iter()
            .map(|outlet| numbering.value(outlet))
            .collect();
        let Needed {
            mut steps,
            of_node,
            constants,
            n_readers,
            reads_symbols,
        } = needed(graph, &numbering, &outputs)?;
        note_last_uses(&mut steps, &outputs, &constants, numbering.n_values);
        note_places(&mut steps, &outputs, &n_readers);
        let mut numbers = HashMap::new();
        let mut symbols = vec![];
        let mut inputs = Vec::with_capacity(graph.inputs.len());
        for outlet in &graph.inputs {
            let mut dims = TVec::new();
            for dim in graph.outlet_fact(*outlet)?.shape.iter() {
                if let TDim::Sym(symbol) = dim {
                    numbers.entry(symbol.clone()).or_insert_with(|| {
                        symbols.push(symbol.clone());
                        symbols.len() - 1
                    });
                }
                dims.push(Dim::of(dim, &numbers));
            }
            inputs.push(Input {
                value: numbering.value(outlet),
                dims,
            });
        }
        if reads_symbols {
            for (step, &id) in steps.iter_mut().zip(&of_node) {
                step.note_new_symbols(&graph.nodes[id], numbering.first[id], &numbers);
            }
        }
        let mut is_constant = vec![false; numbering.n_values];
        for (value, _) in &constants {
            is_constant[*value] = true;
        }
        let row_outputs = maps_rows(graph, &inputs, &steps, &of_node, &is_constant, &outputs)?
            .then(|| row_outputs(graph, outlets, &numbers))
            .flatten();
        let takes_view =
            matches!(&inputs[..], [input] if takes_view(input.value, &steps, &outputs));
        let is_single = takes_view
            && matches!(&steps[..], [step] if step.inputs.len() == 1 && step.outputs == outputs);
        Ok(Self {
            inputs,
            nodes: steps,
            constants,
            n_values: numbering.n_values,
            outputs,
            symbols,
            reads_symbols,
            row_outputs,
            takes_view,
            is_single,
        })
    }

    /// The names of the operators, in the order in which they are computed.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<String> {
        use tract_onnx::tract_core::internal::Op;

        let names = self.nodes.iter().map(|step| Op::name(&step.op).to_string());
        names.collect()
    }

    /// The types and shapes of the outputs for a batch of this shape, if row `i` of each is made of row `i` of it alone.
    pub(crate) fn row_outputs(&self, batch: &[usize]) -> Option<RowOutputs> {
        let outputs = self.row_outputs.as_ref()?;
        let sizes = self.fit([batch].into_iter()).ok()?;
        let shape = |output: &RowOutput| {
            let mut shape: TVec<usize> = batch.get(..1)?.into();
            for dim in &output.dims {
                shape.push(match *dim {
                    Dim::Fixed(size) => size,
                    Dim::Symbol(symbol) => (*sizes.get(symbol)?)?,
                    Dim::Any => return None,
                });
            }
            Some((output.element, shape))
        };
        outputs.iter().map(shape).collect()
    }

    /// Runs the graph on its inputs, in order, and gives its outputs, in order.
    pub(crate) fn run(&self, inputs: &[TValue]) -> TractResult<TVec<TValue>> {
        self.run_within(&SymbolValues::default(), inputs)
    }

    /// As [`run`](Self::run), told what the symbols of the graph around this one stand for.
    pub(crate) fn run_within(
        &self,
        symbols: &SymbolValues,
        inputs: &[TValue],
    ) -> TractResult<TVec<TValue>> {
        let sizes = self.fit(inputs.iter().map(|input| input.shape()))?;
        let mut values = self.values();
        for (input, given) in self.inputs.iter().zip(inputs) {
            values[input.value] = Some(given.clone());
        }
        let values = self.follow(values, None, &mut [], symbols, sizes)?;
        self.outputs(&values)
    }

    /// Runs the graph on a view of its only input.
    pub(crate) fn run_view(&self, input: &TensorView<'_>) -> TractResult<TVec<TValue>> {
        if let Some((filling, wanted)) = self.single() {
            self.fit([input.shape].into_iter())?;
            return operator::tensors(filling, &[*input], wanted);
        }
        self.outputs(&self.follow_view(input, &mut [])?)
    }

    /// Puts what [`row_outputs`](Self::row_outputs) tells of into `slots`, and takes them.
    pub(crate) fn fill(
        &self,
        input: &TensorView<'_>,
        slots: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        if let Some((filling, wanted)) = self.single() {
            let slots = slots.iter_mut().filter_map(Option::take);
            return operator::fill(filling, &[*input], wanted, slots);
        }
        let values = self.follow_view(input, slots)?;
        for (slots, &value) in slots.iter_mut().zip(&self.outputs) {
            if let Some(slots) = slots.take() {
                let tensor = values[value].as_ref().ok_or_else(not_computed)?;
                slots.copy_from(view(tensor)?.elements)?;
            }
        }
        Ok(())
    }

    /// The only node, which nothing has to be kept for, and the outputs wanted of it.
    fn single(&self) -> Option<(&dyn Filling, &[usize])> {
        match &self.nodes[..] {
            [step] if self.is_single => step.filling(),
            _ => None,
        }
    }

    fn follow_view(
        &self,
        input: &TensorView<'_>,
        slots: &mut [Option<Slots<'_>>],
    ) -> TractResult<Values> {
        let sizes = self.fit([input.shape].into_iter())?;
        let place = self.inputs.first().ok_or_else(not_computed)?;
        let mut values = self.values();
        let mut given = Some((place.value, input));
        if !self.takes_view {
            values[place.value] = Some(copied(input)?.into_tvalue());
            given = None;
        }
        self.follow(values, given, slots, &SymbolValues::default(), sizes)
    }

    /// Room for all values, with the constants in it.
    fn values(&self) -> Values {
        let mut values: Values = TVec::from_elem(None, self.n_values);
        for (value, constant) in &self.constants {
            values[*value] = Some(constant.clone());
        }
        values
    }

    /// Computes all values, of which one may be `given` in somebody else's memory; where there are `slots` for an output,
    /// it may be put there.
    fn follow(
        &self,
        mut values: Values,
        given: Option<(usize, &TensorView<'_>)>,
        slots: &mut [Option<Slots<'_>>],
        outer: &SymbolValues,
        sizes: TVec<Option<usize>>,
    ) -> TractResult<Values> {
        let mut symbols = SymbolValues::default();
        if self.reads_symbols {
            symbols = outer.clone();
            for (symbol, size) in self.symbols.iter().zip(sizes) {
                symbols.set(symbol, i64::try_from(size.unwrap_or_default())?);
            }
        }
        for step in &self.nodes {
            if let Some((filling, wanted)) = step.filling() {
                step.fill(filling, wanted, &mut values, given, slots)?;
                continue;
            }
            interrupt::check()?;
            let mut taken = TVec::with_capacity(step.inputs.len());
            for &(value, is_last) in &step.inputs {
                let slot = &mut values[value];
                let value = if is_last { slot.take() } else { slot.clone() };
                taken.push(value.ok_or_else(not_computed)?);
            }
            let outputs = step.op.computed(&symbols, taken)?;
            for (output, axis, symbol) in &step.new_symbols {
                let size = outputs[*output].shape().get(*axis).copied();
                symbols.set(symbol, i64::try_from(size.unwrap_or_default())?);
            }
            for (&value, output) in step.outputs.iter().zip(outputs) {
                values[value] = Some(output);
            }
        }
        Ok(values)
    }

    fn outputs(&self, values: &Values) -> TractResult<TVec<TValue>> {
        let outputs = self.outputs.iter();
        outputs
            .map(|&value| values[value].clone().ok_or_else(not_computed))
            .collect()
    }

    /// What the symbols stand for, by their numbers.
    ///
    /// # Errors
    /// If a shape is not what the graph says.
    fn fit<'a>(
        &self,
        shapes: impl ExactSizeIterator<Item = &'a [usize]> + Clone,
    ) -> TractResult<TVec<Option<usize>>> {
        let mut bound: TVec<Option<usize>> = tvec![];
        let mut fits = |dim: &Dim, size: usize| match *dim {
            Dim::Fixed(expected) => expected == size,
            Dim::Symbol(symbol) => {
                if bound.len() <= symbol {
                    bound.resize(symbol + 1, None);
                }
                *bound[symbol].get_or_insert(size) == size
            }
            Dim::Any => true,
        };
        let all_fit = self.inputs.len() == shapes.len()
            && self
                .inputs
                .iter()
                .zip(shapes.clone())
                .all(|(input, shape)| {
                    let mut dims = input.dims.iter().zip(shape);
                    input.dims.len() == shape.len() && dims.all(|(dim, &size)| fits(dim, size))
                });
        if all_fit {
            return Ok(bound);
        }
        let shapes: Vec<_> = shapes.collect();
        let message = format!("inputs of shapes {shapes:?} do not go together");
        Err(Error::input(message).into())
    }
}

/// The number of the first output of each node, where all outputs of all nodes are numbered.
struct Numbering {
    first: Vec<usize>,
    n_values: usize,
}

impl Numbering {
    fn of(graph: &TypedModel) -> Self {
        let mut first = Vec::with_capacity(graph.nodes.len());
        let mut n_values = 0;
        for node in &graph.nodes {
            first.push(n_values);
            n_values += node.outputs.len();
        }
        Self { first, n_values }
    }

    fn value(&self, outlet: &OutletId) -> usize {
        self.first[outlet.node] + outlet.slot
    }
}

/// What some outputs of a graph need.
struct Needed {
    steps: Vec<Step>,
    /// The node that each step is of.
    of_node: Vec<usize>,
    constants: Vec<(usize, TValue)>,
    /// How many nodes read each value.
    n_readers: Vec<usize>,
    /// Whether an operator asks what symbols stand for.
    reads_symbols: bool,
}

fn needed(graph: &TypedModel, numbering: &Numbering, outputs: &[usize]) -> TractResult<Needed> {
    let mut is_needed = vec![false; numbering.n_values];
    outputs.iter().for_each(|&value| is_needed[value] = true);
    let mut needed = Needed {
        steps: vec![],
        of_node: vec![],
        constants: vec![],
        n_readers: vec![0; numbering.n_values],
        reads_symbols: false,
    };
    for node in graph.nodes.iter().rev() {
        let first = numbering.first[node.id];
        let slots = 0..node.outputs.len();
        let slots: TVec<usize> = slots.filter(|slot| is_needed[first + slot]).collect();
        if slots.is_empty() {
            continue;
        }
        if let Some(constant) = node.op_as::<Const>() {
            let constant = TValue::from_const(constant.val().clone());
            needed.constants.push((first, constant));
        }
        let Some(op) = node.op_as::<OperatorNode>() else {
            continue;
        };
        let mut inputs: TVec<(usize, bool)> = tvec![];
        for input in &node.inputs {
            let value = numbering.value(input);
            is_needed[value] = true;
            needed.n_readers[value] += 1;
            needed.reads_symbols |= graph.outlet_fact(*input)?.datum_type == DatumType::TDim;
            inputs.push((value, false));
        }
        needed.reads_symbols |= op.operator().reads_symbols();
        needed.steps.push(Step {
            op: op.only_outputs(&slots),
            inputs,
            outputs: slots.iter().map(|slot| first + slot).collect(),
            new_symbols: vec![],
            fills: None,
        });
        needed.of_node.push(node.id);
    }
    needed.steps.reverse();
    needed.of_node.reverse();
    Ok(needed)
}

/// Notes which step is the last to use a value, and so may change it in place.
fn note_last_uses(
    steps: &mut [Step],
    outputs: &[usize],
    constants: &[(usize, TValue)],
    n_values: usize,
) {
    let mut is_used = vec![false; n_values];
    let constants = constants.iter().map(|(value, _)| value);
    outputs
        .iter()
        .chain(constants)
        .for_each(|&value| is_used[value] = true);
    for step in steps.iter_mut().rev() {
        for (value, is_last) in step.inputs.iter_mut().rev() {
            *is_last = !std::mem::replace(&mut is_used[*value], true);
        }
    }
}

/// Notes which steps may write straight into the outputs.
fn note_places(steps: &mut [Step], outputs: &[usize], n_readers: &[usize]) {
    let mut place_of = vec![Place::None; n_readers.len()];
    for (place, &value) in outputs.iter().enumerate() {
        place_of[value] = match place_of[value] {
            Place::None => Place::One(place),
            _ => Place::Several,
        };
    }
    for step in steps {
        step.fills = filled_places(step, &place_of, n_readers);
    }
}

/// Where a value is among the outputs.
#[derive(Clone, Copy)]
enum Place {
    None,
    One(usize),
    Several,
}

/// Whether each step makes rows of the only input's rows, down to the outputs. Those that do need no plan.
fn maps_rows(
    graph: &TypedModel,
    inputs: &[Input],
    steps: &[Step],
    of_node: &[usize],
    is_constant: &[bool],
    outputs: &[usize],
) -> TractResult<bool> {
    let [Input { value, dims }] = inputs else {
        return Ok(false);
    };
    if !matches!(dims.as_slice(), [Dim::Symbol(_), _, ..]) || outputs.is_empty() {
        return Ok(false);
    }
    let mut is_of_rows = vec![false; is_constant.len()];
    is_of_rows[*value] = true;
    let n_samples = graph.input_fact(0)?.shape.first();
    for (step, &id) in steps.iter().zip(of_node) {
        let node = &graph.nodes[id];
        let mut taken = step.inputs.iter().map(|(value, _)| *value);
        let facts = graph.node_input_facts(id)?;
        let several = step.op.operator().maps_several();
        let keeps_rows = taken.next().is_some_and(|first| is_of_rows[first])
            && taken.all(|value| is_constant[value] || several && is_of_rows[value])
            && op_maps_rows(&step.op, &facts);
        let mut outputs = node.outputs.iter();
        if !keeps_rows || outputs.any(|output| output.fact.shape.first() != n_samples) {
            return Ok(false);
        }
        step.outputs
            .iter()
            .for_each(|&value| is_of_rows[value] = true);
    }
    Ok(outputs.iter().all(|&output| is_of_rows[output]))
}

impl Dim {
    /// A dimension that is a number or a symbol that has a number.
    fn of(dim: &TDim, numbers: &HashMap<Symbol, usize>) -> Self {
        match dim {
            TDim::Sym(symbol) => numbers
                .get(symbol)
                .map_or(Self::Any, |&number| Self::Symbol(number)),
            dim => {
                let size = dim
                    .to_i64()
                    .ok()
                    .and_then(|size| usize::try_from(size).ok());
                size.map_or(Self::Any, Self::Fixed)
            }
        }
    }
}

/// The places of what `step` gives among the outputs, if it is all there, and nothing else reads it.
fn filled_places(step: &Step, place_of: &[Place], n_readers: &[usize]) -> Option<TVec<usize>> {
    step.filling()?;
    let places = step.outputs.iter().map(|&value| match place_of[value] {
        Place::One(place) if n_readers[value] == 0 => Some(place),
        _ => None,
    });
    places.collect()
}

/// Whether all that read the `input` take views, and it is no output.
fn takes_view(input: usize, steps: &[Step], outputs: &[usize]) -> bool {
    let reads = |step: &&Step| step.inputs.iter().any(|&(value, _)| value == input);
    !outputs.contains(&input)
        && steps
            .iter()
            .filter(reads)
            .all(|step| step.filling().is_some())
}

/// The outputs of a graph that maps rows, unless one has a dimension that takes arithmetic.
fn row_outputs(
    graph: &TypedModel,
    outlets: &[OutletId],
    numbers: &HashMap<Symbol, usize>,
) -> Option<PerOutput<RowOutput>> {
    let output = |outlet: &OutletId| {
        let fact = graph.outlet_fact(*outlet).ok()?;
        let dims = fact.shape.iter().skip(1);
        Some(RowOutput {
            element: element_of_tract(fact.datum_type)?,
            dims: dims
                .map(|dim| match Dim::of(dim, numbers) {
                    Dim::Any => None,
                    known => Some(known),
                })
                .collect::<Option<_>>()?,
        })
    };
    outlets.iter().map(output).collect()
}

fn not_computed() -> TractError {
    format_err!("a value is used before it is computed")
}

impl Step {
    /// Computes the node's outputs where its operator fills memory: into `slots`, if they are there, or else `values`.
    fn fill(
        &self,
        filling: &dyn Filling,
        wanted: &[usize],
        values: &mut Values,
        given: Option<(usize, &TensorView<'_>)>,
        slots: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let inputs = self.inputs.iter().map(|&(value, _)| match given {
            Some((place, given)) if place == value => Ok(*given),
            _ => Ok(view(values[value].as_ref().ok_or_else(not_computed)?)?),
        });
        let inputs: Few<TensorView<'_>> = inputs.collect::<TractResult<_>>()?;
        let outputs = match &self.fills {
            Some(places) if !slots.is_empty() => {
                let slots = places
                    .iter()
                    .filter_map(|&place| slots.get_mut(place)?.take());
                operator::fill(filling, &inputs, wanted, slots)?;
                tvec![]
            }
            _ => operator::tensors(filling, &inputs, wanted)?,
        };
        drop(inputs);
        for (&value, output) in self.outputs.iter().zip(outputs) {
            values[value] = Some(output);
        }
        for &(value, is_last) in &self.inputs {
            if is_last {
                values[value] = None;
            }
        }
        Ok(())
    }

    /// Notes the symbols that only this step knows: dimensions of what it gives that no input has.
    fn note_new_symbols(
        &mut self,
        node: &TypedNode,
        first: usize,
        numbers: &HashMap<Symbol, usize>,
    ) {
        for (output, &value) in self.outputs.iter().enumerate() {
            let fact = &node.outputs[value - first].fact;
            for (axis, dim) in fact.shape.iter().enumerate() {
                if let TDim::Sym(symbol) = dim
                    && !numbers.contains_key(symbol)
                {
                    self.new_symbols.push((output, axis, symbol.clone()));
                }
            }
        }
    }

    /// The operator, if it fills memory that it is given, and which outputs are wanted of it.
    fn filling(&self) -> Option<(&dyn Filling, &[usize])> {
        Some((self.op.operator().as_filling()?, self.op.places()))
    }
}
