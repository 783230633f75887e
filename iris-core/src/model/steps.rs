//! Runs a graph node by node where no operator asks where it runs: a fraction of the cost of tract's own plan, which for a
//! small model is most of the call.

use std::sync::atomic::{AtomicBool, Ordering};

use tract_onnx::prelude::{TValue, TVec, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{TypedOp, TypedSimplePlan, format_err, tvec};
use tract_onnx::tract_core::ops::konst::Const;

/// The nodes of a graph in the order in which to compute them.
pub(crate) struct Steps {
    inputs: Vec<Input>,
    steps: Vec<Step>,
    constants: Vec<(usize, TValue)>,
    n_values: usize,
    outputs: TVec<usize>,
    /// Whether an operator has turned out to need a plan around it.
    need_plan: AtomicBool,
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
    op: Box<dyn TypedOp>,
    /// Which values the node takes, and whether it is the last to do so.
    inputs: TVec<(usize, bool)>,
    /// The number of its first value, and how many there are.
    first: usize,
    n_outputs: usize,
}

impl Steps {
    /// The steps of `plan`, or `None` where only tract can run it.
    pub(crate) fn new(plan: &TypedSimplePlan) -> Option<Self> {
        let graph: &TypedModel = plan.model();
        let mut first = Vec::with_capacity(graph.nodes.len());
        let mut n_values = 0;
        for node in &graph.nodes {
            first.push(n_values);
            n_values += node.outputs.len();
        }
        let value = |outlet: &tract_onnx::prelude::OutletId| first[outlet.node] + outlet.slot;
        let outputs: TVec<usize> = graph.outputs.iter().map(value).collect();
        let order = plan.order_without_consts();
        let mut last_use = vec![usize::MAX; n_values];
        for (index, &id) in order.iter().enumerate() {
            for input in &graph.nodes[id].inputs {
                last_use[value(input)] = index;
            }
        }
        let mut constants = Vec::new();
        for node in &graph.nodes {
            if let Some(constant) = node.op_as::<Const>() {
                constants.push((first[node.id], TValue::from_const(constant.val().clone())));
                last_use[first[node.id]] = usize::MAX;
            }
        }
        for &output in &outputs {
            last_use[output] = usize::MAX;
        }
        let mut steps = Vec::new();
        for (index, &id) in order.iter().enumerate() {
            let node = &graph.nodes[id];
            if graph.inputs.iter().any(|input| input.node == id) {
                continue;
            }
            if node.op.mints_runtime_symbols() {
                return None;
            }
            let inputs = node.inputs.iter().map(value);
            steps.push(Step {
                op: node.op.clone(),
                inputs: inputs
                    .map(|value| (value, last_use[value] == index))
                    .collect(),
                first: first[id],
                n_outputs: node.outputs.len(),
            });
        }
        let mut symbols = Vec::new();
        let mut inputs = Vec::with_capacity(graph.inputs.len());
        for outlet in &graph.inputs {
            let fact = graph.outlet_fact(*outlet).ok()?;
            let mut dims = TVec::new();
            for dim in fact.shape.iter() {
                dims.push(match dim.to_i64() {
                    Ok(size) => Dim::Fixed(usize::try_from(size).ok()?),
                    Err(_) => {
                        let known = symbols.iter().position(|symbol| symbol == dim);
                        Dim::Symbol(known.unwrap_or_else(|| {
                            symbols.push(dim.clone());
                            symbols.len() - 1
                        }))
                    }
                });
            }
            inputs.push(Input {
                value: value(outlet),
                dims,
            });
        }
        Some(Self {
            inputs,
            steps,
            constants,
            n_values,
            outputs,
            need_plan: AtomicBool::new(false),
        })
    }

    /// Runs the graph, or gives `None` where it takes a plan to do so: because of an operator, or because of the inputs'
    /// shapes, whose contradictions tract knows how to tell.
    pub(crate) fn run(&self, inputs: &[TValue]) -> TractResult<Option<TVec<TValue>>> {
        if self.need_plan.load(Ordering::Relaxed) || !self.fit(inputs) {
            return Ok(None);
        }
        let mut values: TVec<Option<TValue>> = TVec::from_elem(None, self.n_values);
        for (value, constant) in &self.constants {
            values[*value] = Some(constant.clone());
        }
        for (input, given) in self.inputs.iter().zip(inputs) {
            values[input.value] = Some(given.clone());
        }
        let missing = || format_err!("a value is used before it is computed");
        for step in &self.steps {
            let mut taken = TVec::with_capacity(step.inputs.len());
            for &(value, is_last) in &step.inputs {
                let slot = &mut values[value];
                let value = if is_last { slot.take() } else { slot.clone() };
                taken.push(value.ok_or_else(missing)?);
            }
            let Some(outputs) = step.op.eval_out_of_plan(taken)? else {
                self.need_plan.store(true, Ordering::Relaxed);
                return Ok(None);
            };
            for (slot, output) in outputs.into_iter().take(step.n_outputs).enumerate() {
                values[step.first + slot] = Some(output);
            }
        }
        let mut outputs = tvec![];
        for &value in &self.outputs {
            outputs.push(values[value].clone().ok_or_else(missing)?);
        }
        Ok(Some(outputs))
    }

    fn fit(&self, inputs: &[TValue]) -> bool {
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
        self.inputs.len() == inputs.len()
            && self.inputs.iter().zip(inputs).all(|(input, given)| {
                input.dims.len() == given.rank()
                    && input
                        .dims
                        .iter()
                        .zip(given.shape())
                        .all(|(dim, &size)| fits(dim, size))
            })
    }
}
