//! Makes a typed graph of a model: each node is wired once all that it reads is in the graph, so that the operators know what
//! they give from what they take.
//!
//! Nodes that work on one sample at a time become programs. A program takes in all nodes that can be computed before any node
//! that is not for programs, whatever the order of the file; then those nodes are wired, and the next program begins. What a
//! program computes therefore does not depend on what else reads its values.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, type_proto};
use tract_onnx::tract_hir::internal::*;

use crate::error;
use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget;
use crate::onnx::attributes::Attributes;
use crate::onnx::domains::{canonical, imported_version, node_name};
use crate::onnx::graphs::{graphs, named_outputs};
use crate::onnx::signature::fed_inputs;
use crate::operator::node::{constant, wire};
use crate::operator::{Built, Scope};
use crate::ops::shape::cast;
use crate::optimize::fuse;
use crate::programs::Part;
use crate::programs::tensor::Value;
use crate::registry::{Entry, entry_of};
use crate::value::tract::load_tensor;

/// The graph of `model`, which has been checked. With `free_rows`, the first dimension of its inputs is a symbol, whatever the
/// file says, which is given, too.
pub(crate) fn typed_graph(
    model: &ModelProto,
    free_rows: bool,
) -> TractResult<(TypedModel, Option<Symbol>)> {
    let graph = model.graph.as_ref();
    let graph = graph.ok_or_else(|| error::invalid("the model holds no graph"))?;
    let typed = TypedModel::default();
    let rows = free_rows.then(|| typed.symbols.new_with_prefix("rows"));
    let mut wiring = Wiring::new(model, graph, typed, None);
    for input in fed_inputs(graph) {
        let mut fact = input_fact(input, &wiring.typed.symbols)?;
        if let Some(rows) = &rows {
            fact.shape.set(0, rows.to_dim());
        }
        wiring.source(&input.name, fact)?;
    }
    let (mut graph, _) = wiring.run()?;
    // Callers have no dimensions, which are counted in symbols, but integers.
    let mut outputs = graph.outputs.clone();
    for outlet in &mut outputs {
        *outlet = cast::wire_integers("in_numbers", &mut graph, *outlet)?;
    }
    graph.select_output_outlets(&outputs)?;
    Ok((fuse::replace(graph)?, rows))
}

/// What a name stands for.
#[derive(Clone)]
pub(crate) enum Known {
    /// A constant, and where it is in the typed graph, if it is there.
    Constant(Arc<Tensor>, Option<OutletId>),
    /// A tensor of the typed graph.
    Wire(OutletId),
    /// A tensor of the part that is being compiled.
    Value(Value),
}

/// The graphs around one, which may read what they have.
trait Outer {
    /// What a name stands for in the graph around, and where that is in it.
    fn outer(&mut self, name: &str) -> TractResult<Option<(OutletId, TypedFact)>>;
}

pub(crate) struct Wiring<'a, 'o> {
    model: &'a ModelProto,
    pub(crate) graph: &'a GraphProto,
    pub(crate) typed: TypedModel,
    pub(crate) known: HashMap<&'a str, Known>,
    outer: Option<&'o mut dyn Outer>,
    /// Where the graph around has what this one reads of it.
    outer_inputs: Vec<OutletId>,
    /// The nodes that have been compiled since the last program was wired.
    part: Part,
    /// What that part is given.
    pub(crate) taken: Vec<(OutletId, Value)>,
    /// The nodes of that part, and the names of what they give.
    compiled: Vec<usize>,
    pending: Vec<&'a str>,
    pub(crate) readers: HashMap<&'a str, Readers>,
    /// The node that makes each value.
    pub(crate) makers: HashMap<&'a str, &'a NodeProto>,
    /// For each node, the names that it reads.
    names: Vec<Vec<&'a str>>,
    /// For each node, how many of the names that it reads stand for nothing yet.
    missing: Vec<usize>,
    /// The nodes that miss nothing, the first of them on top.
    ready: BinaryHeap<Reverse<usize>>,
    /// The nodes that are in the graph.
    done: Vec<bool>,
}

/// What reads a value.
#[derive(Default)]
pub(crate) struct Readers {
    pub(crate) nodes: Vec<usize>,
    /// How many of these nodes are not in the graph yet.
    n_left: usize,
    pub(crate) is_output: bool,
}

/// The names that a node reads, each once, with those that graphs in it read of the graphs around them.
fn names_read(node: &NodeProto) -> Vec<&str> {
    let mut names: Vec<&str> = node.input.iter().map(String::as_str).collect();
    names.retain(|name| !name.is_empty());
    for graph in graphs(node) {
        let mut inner: HashSet<&str> = graph.node.iter().flat_map(names_read).collect();
        inner.extend(graph.output.iter().map(|output| output.name.as_str()));
        for input in &graph.input {
            inner.remove(input.name.as_str());
        }
        for tensor in &graph.initializer {
            inner.remove(tensor.name.as_str());
        }
        for output in graph.node.iter().flat_map(|node| &node.output) {
            inner.remove(output.as_str());
        }
        names.extend(inner);
    }
    names.sort_unstable();
    names.dedup();
    names
}

impl<'a, 'o> Wiring<'a, 'o> {
    fn new(
        model: &'a ModelProto,
        graph: &'a GraphProto,
        typed: TypedModel,
        outer: Option<&'o mut dyn Outer>,
    ) -> Self {
        let outputs = graph.node.iter().flat_map(|node| {
            let names = node.output.iter();
            names.map(move |name| (name.as_str(), node))
        });
        Self {
            model,
            graph,
            typed,
            outer,
            outer_inputs: vec![],
            known: HashMap::new(),
            part: Part::default(),
            taken: vec![],
            compiled: vec![],
            pending: vec![],
            readers: HashMap::new(),
            makers: outputs.collect(),
            names: Vec::with_capacity(graph.node.len()),
            missing: vec![0; graph.node.len()],
            ready: BinaryHeap::new(),
            done: vec![false; graph.node.len()],
        }
    }

    fn source(&mut self, name: &'a str, fact: TypedFact) -> TractResult<()> {
        let wire = self.typed.add_source(name, fact)?;
        self.known.insert(name, Known::Wire(wire));
        Ok(())
    }

    /// The graph, and where the graph around it has what it reads of that, which are its last inputs.
    fn run(mut self) -> TractResult<(TypedModel, Vec<OutletId>)> {
        for tensor in &self.graph.initializer {
            let constant = load_tensor(tensor)?.into_arc_tensor();
            let known = Known::Constant(constant, None);
            self.known.insert(&tensor.name, known);
        }
        let graph = self.graph;
        for output in &graph.output {
            self.readers.entry(&output.name).or_default().is_output = true;
            self.look_outside(&output.name)?;
        }
        for (index, node) in graph.node.iter().enumerate() {
            let names = names_read(node);
            for &name in &names {
                let readers = self.readers.entry(name).or_default();
                readers.nodes.push(index);
                readers.n_left += 1;
                if self.makers.contains_key(name) {
                    self.missing[index] += 1;
                } else {
                    self.look_outside(name)?;
                }
            }
            self.names.push(names);
            if self.missing[index] == 0 {
                self.ready.push(Reverse(index));
            }
        }
        self.wire_all()?;
        let mut outputs = vec![];
        for output in &graph.output {
            let wire = self.wire_of(&output.name)?;
            outputs.push(wire.ok_or_else(|| {
                error::invalid(format!("output {:?}: nothing makes it", output.name))
            })?);
        }
        self.typed.select_output_outlets(&outputs)?;
        Ok((self.typed, self.outer_inputs))
    }

    fn wire_all(&mut self) -> TractResult<()> {
        loop {
            let mut deferred = vec![];
            while let Some(Reverse(index)) = self.ready.pop() {
                let node = &self.graph.node[index];
                budget::step(1)?;
                if self.done[index] || self.wire_product(index, node)? {
                    continue;
                }
                if self.compile(node) {
                    self.compiled.push(index);
                } else if self.reads_values(index) {
                    deferred.push(Reverse(index));
                    continue;
                } else {
                    self.wire(node)?;
                }
                self.finish(index);
            }
            if self.compiled.is_empty() {
                return Ok(());
            }
            self.end_part()?;
            self.ready.extend(deferred);
        }
    }

    /// Takes a name from the graph around, if it has it and this one does not.
    fn look_outside(&mut self, name: &'a str) -> TractResult<()> {
        let Some(outer) = &mut self.outer else {
            return Ok(());
        };
        if self.known.contains_key(name) || self.makers.contains_key(name) {
            return Ok(());
        }
        let Some((outlet, fact)) = outer.outer(name)? else {
            return Ok(());
        };
        if let Some(constant) = fact.konst {
            self.known.insert(name, Known::Constant(constant, None));
            return Ok(());
        }
        self.outer_inputs.push(outlet);
        self.source(name, fact)
    }

    /// Notes that a node is in the graph, and so all that it gives.
    pub(crate) fn finish(&mut self, index: usize) {
        self.done[index] = true;
        let node = &self.graph.node[index];
        for name in &self.names[index] {
            if let Some(readers) = self.readers.get_mut(name) {
                readers.n_left -= 1;
            }
        }
        for name in &node.output {
            let Some(readers) = self.readers.get(name.as_str()) else {
                continue;
            };
            for &reader in &readers.nodes {
                self.missing[reader] -= 1;
                if self.missing[reader] == 0 {
                    self.ready.push(Reverse(reader));
                }
            }
        }
    }

    /// Makes `node` part of the program that is being compiled, if it is for one.
    fn compile(&mut self, node: &'a NodeProto) -> bool {
        let mark = (self.part.mark(), self.taken.len());
        let inputs = node.input.iter().map(|name| {
            if name.is_empty() {
                return Some(None);
            }
            self.value_of(name).map(Some)
        });
        let inputs: Option<Vec<_>> = inputs.collect();
        let version = imported_version(self.model, &node.domain).unwrap_or_default();
        let outputs = inputs.and_then(|inputs| self.part.node(node, version, &inputs));
        let Some(outputs) = outputs else {
            self.part.go_back(mark.0);
            self.taken.truncate(mark.1);
            return false;
        };
        let names = node.output.iter().map(String::as_str);
        self.pending.extend(names.clone());
        self.known
            .extend(names.zip(outputs.into_iter().map(Known::Value)));
        true
    }

    /// What `name` is to a program.
    fn value_of(&mut self, name: &str) -> Option<Value> {
        match self.known.get(name)? {
            Known::Constant(tensor, _) => Value::constant(tensor),
            Known::Value(value) => Some(value.clone()),
            Known::Wire(wire) => {
                let wire = *wire;
                if let Some((_, value)) = self.taken.iter().find(|(taken, _)| *taken == wire) {
                    return Some(value.clone());
                }
                let value = self.part.input(self.typed.outlet_fact(wire).ok()?)?;
                self.taken.push((wire, value.clone()));
                Some(value)
            }
        }
    }

    /// Whether a node reads what is only in the program that is being compiled.
    fn reads_values(&self, index: usize) -> bool {
        let mut names = self.names[index].iter();
        names.any(|name| matches!(self.known.get(name), Some(Known::Value(_))))
    }

    /// Where `name` is in the typed graph, if it is there.
    pub(crate) fn wire_of(&mut self, name: &str) -> TractResult<Option<OutletId>> {
        Ok(match self.known.get_mut(name) {
            Some(Known::Wire(wire) | Known::Constant(_, Some(wire))) => Some(*wire),
            Some(Known::Constant(tensor, place)) => {
                let wire = constant(name, &mut self.typed, tensor.clone())?;
                Some(*place.insert(wire))
            }
            Some(Known::Value(_)) | None => None,
        })
    }

    /// Wires the program that has been compiled, for what is needed of it from now on, and begins a new one.
    fn end_part(&mut self) -> TractResult<()> {
        let part = std::mem::take(&mut self.part);
        let taken = std::mem::take(&mut self.taken);
        let compiled = std::mem::take(&mut self.compiled);
        let mut names = vec![];
        let mut outputs = vec![];
        for name in std::mem::take(&mut self.pending) {
            let Some(Known::Value(value)) = self.known.remove(name) else {
                continue;
            };
            let readers = self.readers.get(name);
            if readers.is_none_or(|readers| readers.n_left == 0 && !readers.is_output) {
                continue;
            }
            if let Some((wire, _)) = taken.iter().find(|(_, taken)| *taken == value) {
                self.known.insert(name, Known::Wire(*wire));
            } else if let Some(tensor) = value.tensor() {
                let constant = Known::Constant(tensor.into_arc_tensor(), None);
                self.known.insert(name, constant);
            } else {
                names.push(name);
                outputs.push(value);
            }
        }
        if outputs.is_empty() {
            return Ok(());
        }
        let Some((program, read)) = part.program(&outputs) else {
            // There is something in it that no program can give.
            return compiled
                .into_iter()
                .try_for_each(|index| self.wire(&self.graph.node[index]));
        };
        let inputs: TVec<OutletId> = read.iter().map(|&input| taken[input].0).collect();
        let places: TVec<usize> = (0..outputs.len()).collect();
        let wires = wire(
            "Rows",
            names[0],
            &mut self.typed,
            Arc::new(program),
            &places,
            &inputs,
        )?;
        self.known
            .extend(names.into_iter().zip(wires.into_iter().map(Known::Wire)));
        Ok(())
    }

    /// Puts what `node` stands for into the graph.
    fn wire(&mut self, node: &'a NodeProto) -> TractResult<()> {
        let mut inputs: TVec<OutletId> = tvec![];
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            let wire = self.wire_of(name)?;
            inputs.push(wire.ok_or_else(|| {
                error::invalid(format!("input {name:?}: nothing makes it")).within(node_name(node))
            })?);
        }
        let outputs = self
            .wire_node(node, &inputs)
            .map_err(|error| named(node, error))?;
        let n_given = outputs.len();
        let places = named_outputs(node);
        if places.len() > n_given {
            let message = format!("{} outputs, the operator gives {n_given}", places.len());
            return Err(error::invalid(message).within(node_name(node)).into());
        }
        for (place, wire) in places.into_iter().zip(outputs) {
            let fact = self.typed.outlet_fact(wire)?;
            let known = match &fact.konst {
                Some(constant) => Known::Constant(constant.clone(), Some(wire)),
                None => Known::Wire(wire),
            };
            self.known.insert(&node.output[place], known);
        }
        Ok(())
    }

    /// Wires a node to its inputs.
    pub(crate) fn wire_node(
        &mut self,
        node: &'a NodeProto,
        inputs: &[OutletId],
    ) -> TractResult<TVec<OutletId>> {
        match self.built(node)? {
            Built::Operator(operator) => {
                let places = named_outputs(node);
                if let Some(wires) = self.wire_fused(node, &operator, inputs)? {
                    return Ok(wires);
                }
                wire(
                    &node.op_type,
                    &node.name,
                    &mut self.typed,
                    operator,
                    &places,
                    inputs,
                )
            }
            Built::Expansion(expansion) => expansion(&node.name, &mut self.typed, inputs),
            Built::Control(control) => control(&node.name, self, inputs),
        }
    }

    /// What the attributes of a node make of it.
    fn built(&self, node: &NodeProto) -> Result<Built> {
        let version = imported_version(self.model, &node.domain).unwrap_or(0);
        let entry = entry_of(canonical(&node.domain), &node.op_type, version);
        let entry = entry.ok_or_else(|| {
            let message = format!("operator {} is not in the table", node.op_type);
            Error::new(ErrorKind::UnsupportedOperator, message)
        })?;
        check_arity(node, entry)?;
        let mut attributes = Attributes::of_version(node, version, &self.typed.symbols);
        let built = (entry.build)(&mut attributes)?;
        attributes.finish()?;
        Ok(built)
    }
}

impl Outer for Wiring<'_, '_> {
    fn outer(&mut self, name: &str) -> TractResult<Option<(OutletId, TypedFact)>> {
        let wire = match self.wire_of(name)? {
            Some(wire) => Some(wire),
            None => match &mut self.outer {
                // The graph around has it, or one around that.
                Some(outer) => match outer.outer(name)? {
                    Some((outlet, fact)) => {
                        self.outer_inputs.push(outlet);
                        Some(self.typed.add_source(name, fact)?)
                    }
                    None => None,
                },
                None => None,
            },
        };
        wire.map(|wire| Ok((wire, self.typed.outlet_fact(wire)?.clone())))
            .transpose()
    }
}

impl Scope for Wiring<'_, '_> {
    fn graph(&mut self) -> &mut TypedModel {
        &mut self.typed
    }

    fn body(
        &mut self,
        body: &GraphProto,
        inputs: &[TypedFact],
    ) -> TractResult<(TypedModel, Vec<OutletId>)> {
        let typed = TypedModel {
            symbols: self.typed.symbols.clone(),
            ..TypedModel::default()
        };
        let model = self.model;
        let mut wiring = Wiring::new(model, body, typed, Some(self));
        for (input, fact) in fed_inputs(body).zip(inputs) {
            wiring.source(&input.name, fact.clone())?;
        }
        let (graph, outer_inputs) = wiring.run()?;
        Ok((fuse::replace(graph)?, outer_inputs))
    }
}

/// Checks how many inputs a node has, and that it has those which it cannot do without.
fn check_arity(node: &NodeProto, entry: &Entry) -> Result<()> {
    let (least, most) = entry.inputs;
    let given = node.input.iter().rposition(|name| !name.is_empty());
    let n = given.map_or(0, |last| last + 1);
    let expected = match (least, most) {
        (1, 1) => "1 input".into(),
        (least, most) if least == most => format!("{least} inputs"),
        (1, usize::MAX) => "1 input or more".into(),
        (least, usize::MAX) => format!("{least} inputs or more"),
        (least, most) => format!("{least} to {most} inputs"),
    };
    if !(least..=most).contains(&n) {
        return Err(error::invalid(format!("expected {expected}, got {n}")));
    }
    match node.input[..least].iter().position(String::is_empty) {
        Some(place) => Err(error::invalid(format!(
            "expected {expected}, input {place} is missing"
        ))),
        None => Ok(()),
    }
}

/// An error about a node, with its name.
fn named(node: &NodeProto, error: TractError) -> TractError {
    let name = node_name(node);
    let error = match error.downcast::<Error>() {
        Ok(ours) if ours.to_string().starts_with("node ") => ours,
        Ok(ours) => ours.within(name),
        Err(theirs) => {
            let message = format!("{name}: {}", theirs.root_cause());
            Error::new(ErrorKind::InvalidModel, message).with_source(theirs)
        }
    };
    error.into()
}

/// The type and shape of an input.
///
/// # Errors
/// If a dimension of it is neither a number nor a name.
fn input_fact(input: &ValueInfoProto, symbols: &SymbolScope) -> Result<TypedFact> {
    let unknown = |what: &str| error::invalid(format!("input {:?}: {what}", input.name));
    let value = input.r#type.as_ref().and_then(|of| of.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = value else {
        return Err(unknown("is no tensor"));
    };
    let element = DataType::try_from(tensor.elem_type).ok();
    let element = element.and_then(|element| DatumType::try_from(element).ok());
    let element = element.ok_or_else(|| unknown("its type is not supported"))?;
    let shape = tensor.shape.as_ref();
    let shape = shape.ok_or_else(|| unknown("has no shape"))?;
    let dims = shape.dim.iter().map(|dim| match &dim.value {
        Some(DimValue::DimValue(size)) => {
            let size = usize::try_from(*size);
            size.map(|size| size.to_dim())
                .map_err(|_| unknown("has a negative dimension"))
        }
        Some(DimValue::DimParam(name)) => Ok(symbols.sym(name).to_dim()),
        None => Err(unknown("has a dimension of which nothing is known")),
    });
    let dims: TVec<TDim> = dims.collect::<Result<_>>()?;
    Ok(element.fact(dims))
}
