//! Makes a typed graph of a model without tract's inference, where its operators are ours or for programs over rows: they
//! know what they give when they know what they take, node after node, so that a small model is ready in a fraction of the
//! time, and runs without tract's plan.

mod fused;
mod product;

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, type_proto};
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::expandable::Expansion;
use tract_onnx::tract_hir::tract_core::ops::konst::Const;
use tract_onnx::tract_hir::tract_core::ops::source::TypedSource;

use super::attributes::Attributes;
use super::operator::{OperatorNode, is_ours, wire_operator, wire_outputs};
use super::rows::{InShape, Part, Value};
use super::{
    ONNX_DOMAIN, OPERATORS, canonical, find, imported_version, is_operator, kernels, products,
};
use crate::value::load_tensor;

/// The graph of `model`, which has been checked, or `None` if tract has to infer something.
pub(crate) fn typed_graph(model: &ModelProto) -> TractResult<Option<TypedModel>> {
    let Some(graph) = &model.graph else {
        return Ok(None);
    };
    if !graph.sparse_initializer.is_empty() || graph.node.iter().any(has_graphs) {
        return Ok(None);
    }
    Wiring {
        model,
        graph,
        typed: TypedModel::default(),
        known: HashMap::new(),
        part: Part::default(),
        taken: vec![],
        pending: vec![],
        uses: uses(graph),
        makers: makers(graph),
        done: HashSet::new(),
        has_idle: false,
    }
    .run()
}

fn has_graphs(node: &NodeProto) -> bool {
    node.attribute
        .iter()
        .any(|attribute| attribute.g.is_some() || !attribute.graphs.is_empty())
}

/// What a name stands for.
#[derive(Clone)]
enum Known {
    Constant(Arc<Tensor>),
    /// A tensor of the typed graph.
    Wire(OutletId),
    /// A tensor of the part that is being compiled.
    Value(Value),
}

struct Wiring<'a> {
    model: &'a ModelProto,
    graph: &'a GraphProto,
    typed: TypedModel,
    known: HashMap<&'a str, Known>,
    /// The nodes that have been compiled since the last program was wired.
    part: Part,
    /// What that part is given.
    taken: Vec<(OutletId, Value)>,
    /// The names of what has been compiled since then.
    pending: Vec<&'a str>,
    uses: HashMap<&'a str, Uses>,
    /// The node that makes each value.
    makers: HashMap<&'a str, &'a NodeProto>,
    /// The nodes whose outputs came about with those of nodes before them.
    done: HashSet<usize>,
    /// Whether there are nodes that nothing needs, since what they did is done by others.
    has_idle: bool,
}

/// How a value is used.
#[derive(Clone, Copy, Default)]
struct Uses {
    n: usize,
    /// The last node that reads it; what the graph gives is needed after that.
    last: usize,
}

impl<'a> Wiring<'a> {
    fn run(mut self) -> TractResult<Option<TypedModel>> {
        for tensor in &self.graph.initializer {
            let constant = load_tensor(tensor)?.into_arc_tensor();
            self.known.insert(&tensor.name, Known::Constant(constant));
        }
        for input in &self.graph.input {
            if self.known.contains_key(input.name.as_str()) {
                continue;
            }
            let Some(fact) = input_fact(input, &self.typed.symbols) else {
                return Ok(None);
            };
            let wire = self.typed.add_source(&*input.name, fact)?;
            self.known.insert(&input.name, Known::Wire(wire));
        }
        for (index, node) in self.graph.node.iter().enumerate() {
            let is_done = self.done.contains(&index)
                || self.wire_product(index, node)?
                || self.compile(node)
                || self.wire(index, node)?;
            if !is_done {
                return Ok(None);
            }
        }
        if !self.end_part(self.graph.node.len())? {
            return Ok(None);
        }
        let mut outputs = vec![];
        for output in &self.graph.output {
            let Some(wire) = self.wire_of(&output.name)? else {
                return Ok(None);
            };
            outputs.push(wire);
        }
        self.typed.select_output_outlets(&outputs)?;
        if self.has_idle {
            self.typed.compact()?;
        }
        let is_for_kernel = |node: &TypedNode| products::is_transposed(&self.typed, node).is_some();
        if self.done.is_empty() && !self.typed.nodes.iter().any(is_for_kernel) {
            return Ok(Some(self.typed));
        }
        let graph = kernels::replace(self.typed)?;
        let is_ours = |node: &TypedNode| {
            node.op_is::<Const>() || node.op_is::<TypedSource>() || is_ours(&*node.op)
        };
        Ok(graph.nodes.iter().all(is_ours).then_some(graph))
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
            Known::Constant(tensor) => Value::constant(tensor),
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

    /// Where `name` is in the typed graph: part of no program that is being compiled.
    fn wire_of(&mut self, name: &'a str) -> TractResult<Option<OutletId>> {
        Ok(match self.known.get(name) {
            Some(Known::Wire(wire)) => Some(*wire),
            Some(Known::Constant(tensor)) => {
                let name = self.typed.unique_name(name);
                Some(self.typed.add_const(name, tensor.clone())?)
            }
            Some(Known::Value(_)) | None => None,
        })
    }

    /// Wires the program that has been compiled, for what is needed from node `index` on, and begins a new one.
    ///
    /// Gives `false` if there is something in it that no program can give.
    fn end_part(&mut self, index: usize) -> TractResult<bool> {
        let part = std::mem::take(&mut self.part);
        let taken = std::mem::take(&mut self.taken);
        let mut names = vec![];
        let mut outputs = vec![];
        for name in std::mem::take(&mut self.pending) {
            let Some(Known::Value(value)) = self.known.remove(name) else {
                continue;
            };
            if self.uses.get(name).is_none_or(|uses| uses.last < index) {
                continue;
            }
            if let Some((wire, _)) = taken.iter().find(|(_, taken)| *taken == value) {
                self.known.insert(name, Known::Wire(*wire));
            } else if let Some(tensor) = value.tensor() {
                let constant = Known::Constant(tensor.into_arc_tensor());
                self.known.insert(name, constant);
            } else {
                names.push(name);
                outputs.push(value);
            }
        }
        if outputs.is_empty() {
            return Ok(true);
        }
        let Some((program, read)) = part.program(&outputs) else {
            return Ok(false);
        };
        let inputs: TVec<OutletId> = read.iter().map(|&input| taken[input].0).collect();
        let name = self.typed.unique_name(names[0]);
        let n_outputs = outputs.len();
        let wires = wire_outputs("Rows", &name, &mut self.typed, program, &inputs, n_outputs)?;
        self.known
            .extend(names.into_iter().zip(wires.into_iter().map(Known::Wire)));
        Ok(true)
    }

    /// Puts what `node` stands for into the graph; `false` if that takes tract's inference.
    fn wire(&mut self, index: usize, node: &'a NodeProto) -> TractResult<bool> {
        let version = imported_version(self.model, &node.domain).unwrap_or(0);
        let domain = canonical(&node.domain);
        let Some(entry) = find(OPERATORS, domain, &node.op_type, version) else {
            return self.wire_shape(node, version);
        };
        let is_value =
            |name: &String| matches!(self.known.get(name.as_str()), Some(Known::Value(_)));
        if node.input.iter().any(is_value) && !self.end_part(index)? {
            return Ok(false);
        }
        let mut inputs: TVec<OutletId> = tvec![];
        for name in &node.input {
            let Some(wire) = self.wire_of(name)? else {
                return Ok(false);
            };
            inputs.push(wire);
        }
        let mut attributes = Attributes::new(node);
        let op = (entry.build)(&mut attributes)?;
        attributes.finish()?;
        let name = self.typed.unique_name(&node.name);
        let op: &dyn Op = &*op;
        let outputs = if let Some(operator) = op.downcast_ref::<OperatorNode>() {
            if operator.mints_runtime_symbols() {
                return Ok(false);
            }
            match self.wire_fused(node, &name, operator, &inputs)? {
                Some(outputs) => outputs,
                None => self.typed.wire_node(name, operator.clone(), &inputs)?,
            }
        } else if let (Some(cast), &[input]) =
            (op.downcast_ref::<Box<dyn Expansion>>(), &inputs[..])
            && is_operator(node, ONNX_DOMAIN, "Cast")
        {
            // The others want their inputs checked by inference, which of a cast there is nothing to.
            let wires = cast.wire(&name, &mut self.typed, &[input])?;
            let to = self.typed.outlet_fact(wires[0])?.datum_type;
            let is_same = to == self.typed.outlet_fact(input)?.datum_type;
            if is_same { tvec![input] } else { wires }
        } else {
            return self.wire_shape(node, version);
        };
        let names = node.output.iter().filter(|name| !name.is_empty());
        let outputs = outputs.into_iter().map(Known::Wire);
        self.known.extend(names.map(String::as_str).zip(outputs));
        Ok(true)
    }

    /// Wires a node that gives the elements of a tensor another shape.
    fn wire_shape(&mut self, node: &'a NodeProto, version: i64) -> TractResult<bool> {
        let ([name, others @ ..], [output]) = (&node.input[..], &node.output[..]) else {
            return Ok(false);
        };
        let Some(&Known::Wire(wire)) = self.known.get(name.as_str()) else {
            return Ok(false);
        };
        let others = others
            .iter()
            .map(|name| match self.known.get(name.as_str()) {
                Some(Known::Constant(tensor)) => Value::constant(tensor),
                _ => None,
            });
        let others: Vec<_> = others.collect();
        let fact = self.typed.outlet_fact(wire)?;
        let Some(operator) = InShape::of(node, version, fact, &others) else {
            return Ok(false);
        };
        let name = self.typed.unique_name(&node.name);
        let wires = wire_operator("InShape", &name, &mut self.typed, operator, &[wire])?;
        self.known.insert(output, Known::Wire(wires[0]));
        Ok(true)
    }
}

fn uses(graph: &GraphProto) -> HashMap<&str, Uses> {
    let mut all: HashMap<&str, Uses> = HashMap::new();
    let inputs = graph.node.iter().enumerate().flat_map(|(index, node)| {
        let names = node.input.iter();
        names.map(move |name| (name.as_str(), index))
    });
    let outputs = graph.output.iter();
    let outputs = outputs.map(|output| (output.name.as_str(), usize::MAX));
    for (name, last) in inputs.chain(outputs) {
        let uses = all.entry(name).or_default();
        uses.n += 1;
        uses.last = last;
    }
    all
}

fn makers(graph: &GraphProto) -> HashMap<&str, &NodeProto> {
    let outputs = graph.node.iter().flat_map(|node| {
        let names = node.output.iter();
        names.map(move |name| (name.as_str(), node))
    });
    outputs.collect()
}

/// The type and shape of an input whose dimensions are all numbers or names.
fn input_fact(input: &ValueInfoProto, symbols: &SymbolScope) -> Option<TypedFact> {
    let type_proto::Value::TensorType(tensor) = input.r#type.as_ref()?.value.as_ref()?;
    let element = DatumType::try_from(DataType::try_from(tensor.elem_type).ok()?).ok()?;
    let dims = tensor
        .shape
        .as_ref()?
        .dim
        .iter()
        .map(|dim| match &dim.value {
            Some(DimValue::DimValue(size)) => usize::try_from(*size).ok().map(|size| size.to_dim()),
            Some(DimValue::DimParam(name)) => Some(symbols.sym(name).to_dim()),
            None => None,
        });
    let dims: TVec<TDim> = dims.collect::<Option<_>>()?;
    Some(element.fact(dims))
}
