//! Runs a graph node by node where no operator asks where it runs: a fraction of the cost of tract's own plan, which for a
//! small model is most of the call.

use std::sync::OnceLock;

use smallvec::SmallVec;
use tract_onnx::prelude::{
    DatumType, IntoTValue, OutletId, Symbol, SymbolValues, TDim, TValue, TVec, TractError,
    TractResult, TypedModel,
};
use tract_onnx::tract_core::internal::{EvalContext, TypedOp, TypedSimplePlan, format_err, tvec};
use tract_onnx::tract_core::ops::konst::Const;

use super::memory;
use crate::ops::filling::{self, Few, Filling};
use crate::ops::{self, is_ours, only_outputs};
use crate::value::{ElementType, Slots, TensorView, copied, element_of_tract, view};

/// The nodes of a graph in the order in which to compute them.
pub(crate) struct Steps {
    inputs: Vec<Input>,
    nodes: Vec<Step>,
    constants: Vec<(usize, TValue)>,
    n_values: usize,
    outputs: TVec<usize>,
    /// The symbols of the inputs' dimensions, where an operator of tract's may ask what they stand for.
    symbols: Vec<Symbol>,
    /// The outputs, if row `i` of each is made of row `i` of the only input alone.
    row_outputs: Option<PerOutput<RowOutput>>,
    /// Whether all that read the only input can read it in somebody else's memory.
    takes_view: bool,
    /// Whether there is one node alone, which takes views and gives the outputs in their order.
    is_single: bool,
    /// Whether the operators can do without a plan around them, which the first run tells.
    suffice: OnceLock<bool>,
}

/// What has been computed.
type Values = TVec<Option<TValue>>;

/// One for each output that is asked for, of which there is seldom more than one.
pub(crate) type PerOutput<T> = SmallVec<[T; 1]>;

/// The types and shapes of outputs.
pub(crate) type RowOutputs = PerOutput<(ElementType, TVec<usize>)>;

/// What must hold of an input, and where it goes.
struct Input {
    value: usize,
    dims: TVec<Dim>,
}

/// An output that has as many rows as the input.
struct RowOutput {
    element: ElementType,
    /// Those behind the first.
    dims: TVec<Dim>,
}

#[derive(Clone, Copy)]
enum Dim {
    Fixed(usize),
    /// The same wherever the number of the symbol occurs.
    Symbol(usize),
}

struct Step {
    node_id: usize,
    op: Box<dyn TypedOp>,
    /// Whether the operator is one of ours, which need nothing but their inputs if these are no dimensions.
    is_ours: bool,
    /// Which values the node takes, and whether it is the last to do so.
    inputs: TVec<(usize, bool)>,
    /// Which values it gives.
    outputs: TVec<usize>,
    /// If all of them are outputs of the graph, and nothing else reads them: which outputs they are.
    fills: Option<TVec<usize>>,
}

impl Steps {
    /// The steps of `plan`, or `None` where only tract can run it.
    pub(crate) fn of_plan(plan: &TypedSimplePlan) -> Option<Self> {
        let graph = plan.model();
        let nodes = plan.order_without_consts().iter().map(|&id| {
            let node = &graph.nodes[id];
            (id, node.op.clone(), (0..node.outputs.len()).collect())
        });
        Self::new(graph, &graph.outputs, nodes)
    }

    /// The steps to `outputs` of a graph whose nodes are in an order in which they can be computed, with nothing in them
    /// that these outputs do not need; `None` as above.
    pub(crate) fn of_graph(graph: &TypedModel, outputs: &[OutletId]) -> Option<Self> {
        let mut wanted: Vec<TVec<usize>> = vec![tvec![]; graph.nodes.len()];
        outputs.iter().for_each(|outlet| want(&mut wanted, outlet));
        let mut nodes = Vec::with_capacity(graph.nodes.len());
        for node in graph.nodes.iter().rev() {
            let slots = std::mem::take(&mut wanted[node.id]);
            if slots.is_empty() || node.op_is::<Const>() {
                continue;
            }
            for input in &node.inputs {
                want(&mut wanted, input);
            }
            nodes.push(match only_outputs(&*node.op, &slots) {
                Some(op) => (node.id, op, slots),
                None => (node.id, node.op.clone(), (0..node.outputs.len()).collect()),
            });
        }
        nodes.reverse();
        Self::new(graph, outputs, nodes.into_iter())
    }

    /// The steps of nodes, each with the slots of the outputs that its operator gives.
    fn new(
        graph: &TypedModel,
        outlets: &[OutletId],
        nodes: impl Iterator<Item = (usize, Box<dyn TypedOp>, TVec<usize>)>,
    ) -> Option<Self> {
        let mut first = Vec::with_capacity(graph.nodes.len());
        let mut n_values = 0;
        for node in &graph.nodes {
            first.push(n_values);
            n_values += node.outputs.len();
        }
        let value = |outlet: &OutletId| first[outlet.node] + outlet.slot;
        let mut steps: Vec<Step> = Vec::new();
        for (node_id, op, slots) in nodes {
            if graph.inputs.iter().any(|input| input.node == node_id) {
                continue;
            }
            if op.mints_runtime_symbols() {
                return None;
            }
            let inputs = graph.nodes[node_id].inputs.iter();
            let takes_dims = inputs.clone().any(|input| {
                let fact = graph.outlet_fact(*input);
                fact.is_ok_and(|fact| fact.datum_type == DatumType::TDim)
            });
            steps.push(Step {
                node_id,
                is_ours: is_ours(&*op) && !takes_dims,
                op,
                inputs: inputs.map(|input| (value(input), false)).collect(),
                outputs: slots.iter().map(|slot| first[node_id] + slot).collect(),
                fills: None,
            });
        }
        let outputs: TVec<usize> = outlets.iter().map(value).collect();
        let constants = graph.nodes.iter().filter_map(|node| {
            let constant = node.op_as::<Const>()?;
            let value = TValue::from_const(constant.val().clone());
            Some((first[node.id], value))
        });
        let constants: Vec<_> = constants.collect();
        // The last to use a value may change it in place.
        let mut is_used = vec![false; n_values];
        outputs.iter().for_each(|&value| is_used[value] = true);
        constants
            .iter()
            .for_each(|&(value, _)| is_used[value] = true);
        for step in steps.iter_mut().rev() {
            for (value, is_last) in step.inputs.iter_mut().rev() {
                *is_last = !std::mem::replace(&mut is_used[*value], true);
            }
        }
        let fills: Vec<_> = steps
            .iter()
            .map(|step| filled_places(step, &steps, &outputs))
            .collect();
        for (step, fills) in steps.iter_mut().zip(fills) {
            step.fills = fills;
        }
        let mut symbols = Vec::new();
        let mut inputs = Vec::with_capacity(graph.inputs.len());
        for outlet in &graph.inputs {
            let fact = graph.outlet_fact(*outlet).ok()?;
            let mut dims = TVec::new();
            for dim in fact.shape.iter() {
                if let TDim::Sym(symbol) = dim
                    && !symbols.contains(symbol)
                {
                    symbols.push(symbol.clone());
                }
                dims.push(Dim::of(dim, &symbols)?);
            }
            inputs.push(Input {
                value: value(outlet),
                dims,
            });
        }
        let row_outputs = maps_rows(graph, &inputs, &steps, &constants, &outputs)
            .then(|| row_outputs(graph, outlets, &symbols))
            .flatten();
        let takes_view =
            matches!(&inputs[..], [input] if takes_view(input.value, &steps, &outputs));
        if steps.iter().all(|step| step.is_ours) {
            symbols.clear();
        }
        let is_single = takes_view
            && matches!(&steps[..], [step] if step.inputs.len() == 1 && step.outputs == outputs);
        Some(Self {
            inputs,
            nodes: steps,
            constants,
            n_values,
            outputs,
            symbols,
            row_outputs,
            takes_view,
            is_single,
            suffice: OnceLock::new(),
        })
    }

    /// The types and shapes of the outputs for a batch of this shape, if row `i` of each is made of row `i` of it alone.
    pub(crate) fn row_outputs(&self, batch: &[usize]) -> Option<RowOutputs> {
        let outputs = self.row_outputs.as_ref()?;
        let sizes = self.fit([batch].into_iter())?;
        let shape = |output: &RowOutput| {
            let mut shape: TVec<usize> = batch.get(..1)?.into();
            for dim in &output.dims {
                shape.push(match *dim {
                    Dim::Fixed(size) => size,
                    Dim::Symbol(symbol) => (*sizes.get(symbol)?)?,
                });
            }
            Some((output.element, shape))
        };
        outputs.iter().map(shape).collect()
    }

    /// Runs the graph, or gives `None` where it takes a plan to do so: because of an operator, or because of the inputs'
    /// shapes, whose contradictions tract knows how to tell.
    pub(crate) fn run(&self, inputs: &[TValue]) -> TractResult<Option<TVec<TValue>>> {
        let Some(sizes) = self.fit(inputs.iter().map(|input| input.shape())) else {
            return Ok(None);
        };
        let mut values = self.values();
        for (input, given) in self.inputs.iter().zip(inputs) {
            values[input.value] = Some(given.clone());
        }
        self.outputs(self.follow(values, None, &mut [], sizes)?)
    }

    /// Runs the graph on a view of its only input; `None` also as above.
    pub(crate) fn run_view(&self, input: &TensorView<'_>) -> TractResult<Option<TVec<TValue>>> {
        if let Some((filling, wanted)) = self.single() {
            if self.fit([input.shape].into_iter()).is_none() {
                return Ok(None);
            }
            return filling::tensors(filling, &[*input], wanted).map(Some);
        }
        self.outputs(self.follow_view(input, &mut [])?)
    }

    /// Puts what [`row_outputs`](Self::row_outputs) tells of into `slots`, and takes them.
    pub(crate) fn fill(
        &self,
        input: &TensorView<'_>,
        slots: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        if let Some((filling, wanted)) = self.single() {
            let slots = slots.iter_mut().filter_map(Option::take);
            return filling::fill(filling, &[*input], wanted, slots);
        }
        let values = self.follow_view(input, slots)?;
        let values = values.ok_or_else(|| format_err!("a batch of shape {:?}", input.shape))?;
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
            [step] if self.is_single => ops::as_filling(&*step.op),
            _ => None,
        }
    }

    fn follow_view(
        &self,
        input: &TensorView<'_>,
        slots: &mut [Option<Slots<'_>>],
    ) -> TractResult<Option<Values>> {
        let ([place], Some(sizes)) = (&self.inputs[..], self.fit([input.shape].into_iter())) else {
            return Ok(None);
        };
        let mut values = self.values();
        let mut given = Some((place.value, input));
        if !self.takes_view {
            values[place.value] = Some(copied(input)?.into_tvalue());
            given = None;
        }
        self.follow(values, given, slots, sizes)
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
    /// it may be put there; `None` as above.
    fn follow(
        &self,
        mut values: Values,
        given: Option<(usize, &TensorView<'_>)>,
        slots: &mut [Option<Slots<'_>>],
        sizes: TVec<Option<usize>>,
    ) -> TractResult<Option<Values>> {
        if self.suffice.get() == Some(&false) {
            return Ok(None);
        }
        let mut symbols = SymbolValues::default();
        for (symbol, size) in self.symbols.iter().zip(sizes) {
            symbols.set(symbol, i64::try_from(size.unwrap_or_default())?);
        }
        for step in &self.nodes {
            if let Some((filling, wanted)) = ops::as_filling(&*step.op) {
                step.fill(filling, wanted, &mut values, given, slots)?;
                continue;
            }
            let mut taken = TVec::with_capacity(step.inputs.len());
            for &(value, is_last) in &step.inputs {
                let slot = &mut values[value];
                let value = if is_last { slot.take() } else { slot.clone() };
                taken.push(value.ok_or_else(not_computed)?);
            }
            if self.suffice.get().is_none() && step.needs_plan(&taken) {
                let _ = self.suffice.set(false);
                return Ok(None);
            }
            if !step.is_ours {
                memory::ask_for_inputs(&taken)?;
            }
            let outputs = step.op.eval(&step.context(&symbols), taken)?;
            for (&value, output) in step.outputs.iter().zip(outputs) {
                values[value] = Some(output);
            }
        }
        let _ = self.suffice.set(true);
        Ok(Some(values))
    }

    fn outputs(&self, values: Option<Values>) -> TractResult<Option<TVec<TValue>>> {
        let Some(values) = values else {
            return Ok(None);
        };
        let mut outputs = tvec![];
        for &value in &self.outputs {
            outputs.push(values[value].clone().ok_or_else(not_computed)?);
        }
        Ok(Some(outputs))
    }

    /// What the symbols stand for, by their numbers, or `None` if a shape is not what the graph says.
    fn fit<'a>(
        &self,
        shapes: impl ExactSizeIterator<Item = &'a [usize]>,
    ) -> Option<TVec<Option<usize>>> {
        let mut bound: TVec<Option<usize>> = tvec![];
        let mut fits = |dim: &Dim, size: usize| match *dim {
            Dim::Fixed(expected) => expected == size,
            Dim::Symbol(symbol) => {
                if bound.len() <= symbol {
                    bound.resize(symbol + 1, None);
                }
                *bound[symbol].get_or_insert(size) == size
            }
        };
        let all_fit = self.inputs.len() == shapes.len()
            && self.inputs.iter().zip(shapes).all(|(input, shape)| {
                let mut dims = input.dims.iter().zip(shape);
                input.dims.len() == shape.len() && dims.all(|(dim, &size)| fits(dim, size))
            });
        all_fit.then_some(bound)
    }
}

/// Whether each step makes rows of the only input's rows, down to the outputs. Those that do need no plan.
fn maps_rows(
    graph: &TypedModel,
    inputs: &[Input],
    steps: &[Step],
    constants: &[(usize, TValue)],
    outputs: &[usize],
) -> bool {
    let [Input { value, dims }] = inputs else {
        return false;
    };
    let mut rows = vec![*value];
    let is_constant = |value: usize| constants.iter().any(|(constant, _)| *constant == value);
    let n_samples = graph.input_fact(0).ok().and_then(|fact| fact.shape.first());
    for step in steps {
        let node = &graph.nodes[step.node_id];
        let mut taken = step.inputs.iter().map(|(value, _)| *value);
        let facts = graph.node_input_facts(step.node_id);
        let several = ops::maps_several(&*step.op);
        let keeps_rows = taken.next().is_some_and(|first| rows.contains(&first))
            && taken.all(|value| is_constant(value) || several && rows.contains(&value))
            && facts.is_ok_and(|facts| ops::maps_rows(&*step.op, &facts));
        let mut outputs = node.outputs.iter();
        if !keeps_rows || outputs.any(|output| output.fact.shape.first() != n_samples) {
            return false;
        }
        rows.extend(&step.outputs);
    }
    matches!(dims.as_slice(), [Dim::Symbol(_), _, ..])
        && !outputs.is_empty()
        && outputs.iter().all(|output| rows.contains(output))
}

/// Notes that an output of a node is wanted, by the slots of each node in ascending order.
fn want(wanted: &mut [TVec<usize>], outlet: &OutletId) {
    let slots = &mut wanted[outlet.node];
    if let Err(place) = slots.binary_search(&outlet.slot) {
        slots.insert(place, outlet.slot);
    }
}

impl Dim {
    /// A dimension that is a number or one of `symbols`.
    fn of(dim: &TDim, symbols: &[Symbol]) -> Option<Self> {
        match dim {
            TDim::Sym(symbol) => {
                let known = symbols.iter().position(|known| known == symbol);
                known.map(Self::Symbol)
            }
            size => Some(Self::Fixed(usize::try_from(size.to_i64().ok()?).ok()?)),
        }
    }
}

/// The places of what `step` gives among the outputs, if it is all there, and nothing else reads it.
fn filled_places(step: &Step, steps: &[Step], outputs: &[usize]) -> Option<TVec<usize>> {
    ops::as_filling(&*step.op)?;
    let is_read = |value: usize| {
        let mut inputs = steps.iter().flat_map(|step| &step.inputs);
        inputs.any(|&(read, _)| read == value)
    };
    let places = step.outputs.iter().map(|&value| {
        let mut places = (0..outputs.len()).filter(|&place| outputs[place] == value);
        let place = places.next()?;
        (places.next().is_none() && !is_read(value)).then_some(place)
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
            .all(|step| ops::as_filling(&*step.op).is_some())
}

/// The outputs of a graph that maps rows, unless one has a dimension that takes arithmetic.
fn row_outputs(
    graph: &TypedModel,
    outlets: &[OutletId],
    symbols: &[Symbol],
) -> Option<PerOutput<RowOutput>> {
    let output = |outlet: &OutletId| {
        let fact = graph.outlet_fact(*outlet).ok()?;
        let dims = fact.shape.iter().skip(1);
        Some(RowOutput {
            element: element_of_tract(fact.datum_type)?,
            dims: dims
                .map(|dim| Dim::of(dim, symbols))
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
                filling::fill(filling, &inputs, wanted, slots)?;
                tvec![]
            }
            _ => filling::tensors(filling, &inputs, wanted)?,
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

    /// Whether the operator keeps something between turns or calls, for which it asks the plan.
    fn needs_plan(&self, inputs: &TVec<TValue>) -> bool {
        !self.is_ours && matches!(self.op.eval_out_of_plan(inputs.clone()), Ok(None))
    }

    fn context<'a>(&self, symbols: &'a SymbolValues) -> EvalContext<'a> {
        EvalContext {
            node_id: self.node_id,
            symbols,
            ..EvalContext::out_of_plan()
        }
    }
}
