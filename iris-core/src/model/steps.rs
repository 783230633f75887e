//! Runs a graph node by node where no operator asks where it runs: a fraction of the cost of tract's own plan, which for a
//! small model is most of the call.

use std::sync::OnceLock;

use tract_onnx::prelude::{
    OutletId, Symbol, SymbolValues, TDim, TValue, TVec, TractResult, TypedModel,
};
use tract_onnx::tract_core::internal::{EvalContext, TypedOp, TypedSimplePlan, format_err, tvec};
use tract_onnx::tract_core::ops::konst::Const;

use crate::ops::is_ours;

/// The nodes of a graph in the order in which to compute them.
pub(crate) struct Steps {
    inputs: Vec<Input>,
    steps: Vec<Step>,
    constants: Vec<(usize, TValue)>,
    n_values: usize,
    outputs: TVec<usize>,
    /// The symbols of the inputs' dimensions, where an operator of tract's may ask what they stand for.
    symbols: Vec<Symbol>,
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
        let value = |outlet: &OutletId| first[outlet.node] + outlet.slot;
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
            let inputs: TVec<usize> = node.inputs.iter().map(value).collect();
            let is_last = |place: usize, value: usize| {
                last_use[value] == index && !inputs[place + 1..].contains(&value)
            };
            steps.push(Step {
                node_id: id,
                is_ours: is_ours(&*node.op),
                op: node.op.clone(),
                inputs: inputs
                    .iter()
                    .enumerate()
                    .map(|(place, &value)| (value, is_last(place, value)))
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
        if steps.iter().all(|step| step.is_ours) {
            symbols.clear();
        }
        Some(Self {
            inputs,
            steps,
            constants,
            n_values,
            outputs,
            symbols,
            suffice: OnceLock::new(),
        })
    }

    /// Runs the graph, or gives `None` where it takes a plan to do so: because of an operator, or because of the inputs'
    /// shapes, whose contradictions tract knows how to tell.
    pub(crate) fn run(&self, inputs: &[TValue]) -> TractResult<Option<TVec<TValue>>> {
        if self.suffice.get() == Some(&false) {
            return Ok(None);
        }
        let Some(sizes) = self.fit(inputs) else {
            return Ok(None);
        };
        let mut symbols = SymbolValues::default();
        for (symbol, size) in self.symbols.iter().zip(sizes) {
            symbols.set(symbol, i64::try_from(size.unwrap_or_default())?);
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
            if self.suffice.get().is_none() && step.needs_plan(&taken) {
                let _ = self.suffice.set(false);
                return Ok(None);
            }
            let outputs = step.op.eval(&step.context(&symbols), taken)?;
            for (slot, output) in outputs.into_iter().take(step.n_outputs).enumerate() {
                values[step.first + slot] = Some(output);
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
    fn fit(&self, inputs: &[TValue]) -> Option<TVec<Option<usize>>> {
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
        let all_fit = self.inputs.len() == inputs.len()
            && self.inputs.iter().zip(inputs).all(|(input, given)| {
                let mut dims = input.dims.iter().zip(given.shape());
                input.dims.len() == given.rank() && dims.all(|(dim, &size)| fits(dim, size))
            });
        all_fit.then_some(bound)
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
