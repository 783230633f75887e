//! Runs a graph node by node where no operator asks where it runs: a fraction of the cost of tract's own plan, which for a
//! small model is most of the call.

use std::sync::OnceLock;

use tract_onnx::prelude::{
    OutletId, Symbol, SymbolValues, TDim, TValue, TVec, TractResult, TypedModel,
};
use tract_onnx::tract_core::internal::{EvalContext, TypedOp, TypedSimplePlan, format_err, tvec};
use tract_onnx::tract_core::ops::konst::Const;

use crate::ops::{self, is_ours, only_outputs};
use crate::value::TensorView;

/// The nodes of a graph in the order in which to compute them.
pub(crate) struct Steps {
    inputs: Vec<Input>,
    nodes: Vec<Step>,
    constants: Vec<(usize, TValue)>,
    n_values: usize,
    outputs: TVec<usize>,
    /// The symbols of the inputs' dimensions, where an operator of tract's may ask what they stand for.
    symbols: Vec<Symbol>,
    /// Whether row `i` of each output is made of row `i` of the only input alone.
    maps_rows: bool,
    /// Whether the operators can do without a plan around them, which the first run tells.
    suffice: OnceLock<bool>,
}

/// What must hold of an input, and where it goes.
struct Input {
    value: usize,
    dims: TVec<Dim>,
}

enum Dim {
    Fixed(usize),
    /// The same wherever the number of the symbol occurs.
    Symbol(usize),
}

struct Step {
    node_id: usize,
    op: Box<dyn TypedOp>,
    /// Whether the operator is one of ours, which need nothing but their inputs.
    is_ours: bool,
    /// Which values the node takes, and whether it is the last to do so.
    inputs: TVec<(usize, bool)>,
    /// Which values it gives.
    outputs: TVec<usize>,
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
        outputs: &[OutletId],
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
            steps.push(Step {
                node_id,
                is_ours: is_ours(&*op),
                op,
                inputs: inputs.map(|input| (value(input), false)).collect(),
                outputs: slots.iter().map(|slot| first[node_id] + slot).collect(),
            });
        }
        let outputs: TVec<usize> = outputs.iter().map(value).collect();
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
        let mut symbols = Vec::new();
        let mut inputs = Vec::with_capacity(graph.inputs.len());
        for outlet in &graph.inputs {
            let fact = graph.outlet_fact(*outlet).ok()?;
            let mut dims = TVec::new();
            for dim in fact.shape.iter() {
                dims.push(match dim {
                    TDim::Sym(symbol) => {
                        let known = symbols.iter().position(|known| known == symbol);
                        Dim::Symbol(known.unwrap_or_else(|| {
                            symbols.push(symbol.clone());
                            symbols.len() - 1
                        }))
                    }
                    size => Dim::Fixed(usize::try_from(size.to_i64().ok()?).ok()?),
                });
            }
            inputs.push(Input {
                value: value(outlet),
                dims,
            });
        }
        let maps_rows = maps_rows(graph, &inputs, &steps, &constants, &outputs);
        if steps.iter().all(|step| step.is_ours) {
            symbols.clear();
        }
        Some(Self {
            inputs,
            nodes: steps,
            constants,
            n_values,
            outputs,
            symbols,
            maps_rows,
            suffice: OnceLock::new(),
        })
    }

    /// Whether row `i` of each output is made of row `i` of the only input alone.
    pub(crate) fn map_rows(&self) -> bool {
        self.maps_rows
    }

    /// Runs the graph, or gives `None` where it takes a plan to do so: because of an operator, or because of the inputs'
    /// shapes, whose contradictions tract knows how to tell.
    pub(crate) fn run(&self, inputs: &[TValue]) -> TractResult<Option<TVec<TValue>>> {
        if self.suffice.get() == Some(&false) {
            return Ok(None);
        }
        let Some(sizes) = self.fit(inputs.iter().map(|input| input.shape())) else {
            return Ok(None);
        };
        let mut values = self.values();
        for (input, given) in self.inputs.iter().zip(inputs) {
            values[input.value] = Some(given.clone());
        }
        self.follow(&self.nodes, values, sizes)
    }

    /// Runs the graph on a view of its only input, if the first node alone reads that and takes views; `None` also as above.
    pub(crate) fn run_view(&self, input: &TensorView<'_>) -> TractResult<Option<TVec<TValue>>> {
        let ([place], Some((first, others))) = (&self.inputs[..], self.nodes.split_first()) else {
            return Ok(None);
        };
        if first.inputs[..] != [(place.value, true)] || self.suffice.get() == Some(&false) {
            return Ok(None);
        }
        let Some(sizes) = self.fit([input.shape].into_iter()) else {
            return Ok(None);
        };
        let Some(outputs) = ops::eval_view(&*first.op, input)? else {
            return Ok(None);
        };
        let mut values = self.values();
        for (&value, output) in first.outputs.iter().zip(outputs) {
            values[value] = Some(output);
        }
        self.follow(others, values, sizes)
    }

    /// Room for all values, with the constants in it.
    fn values(&self) -> TVec<Option<TValue>> {
        let mut values: TVec<Option<TValue>> = TVec::from_elem(None, self.n_values);
        for (value, constant) in &self.constants {
            values[*value] = Some(constant.clone());
        }
        values
    }

    /// Computes the nodes of `steps`, which are the last of all; `None` as above.
    fn follow(
        &self,
        steps: &[Step],
        mut values: TVec<Option<TValue>>,
        sizes: TVec<Option<usize>>,
    ) -> TractResult<Option<TVec<TValue>>> {
        let mut symbols = SymbolValues::default();
        for (symbol, size) in self.symbols.iter().zip(sizes) {
            symbols.set(symbol, i64::try_from(size.unwrap_or_default())?);
        }
        let missing = || format_err!("a value is used before it is computed");
        for step in steps {
            let mut taken = TVec::with_capacity(step.inputs.len());
            for &(value, is_last) in &step.inputs {
                let slot = &mut values[value];
                let value = if is_last { slot.take() } else { slot.clone() };
                taken.push(value.ok_or_else(missing)?);
            }
            if self.suffice.get().is_none() && step.needs_plan(&taken) {
                let _ = self.suffice.set(false);
                return Ok(None);
            }
            let outputs = step.op.eval(&step.context(&symbols), taken)?;
            for (&value, output) in step.outputs.iter().zip(outputs) {
                values[value] = Some(output);
            }
        }
        let _ = self.suffice.set(true);
        let mut outputs = tvec![];
        for &value in &self.outputs {
            outputs.push(values[value].clone().ok_or_else(missing)?);
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

/// Whether each step makes rows of the only input's rows, down to the outputs.
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
        let input = node
            .inputs
            .first()
            .and_then(|input| graph.outlet_fact(*input).ok());
        let several = ops::maps_several(&*step.op);
        let keeps_rows = taken.next().is_some_and(|first| rows.contains(&first))
            && taken.all(|value| is_constant(value) || several && rows.contains(&value))
            && input.is_some_and(|input| ops::maps_rows(&*step.op, input.rank()));
        let mut outputs = node.outputs.iter();
        if keeps_rows && outputs.all(|output| output.fact.shape.first() == n_samples) {
            rows.extend(&step.outputs);
        }
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

impl Step {
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
