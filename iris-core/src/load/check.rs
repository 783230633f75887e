//! Everything that must hold of an ONNX graph before tract sees it.
//!
//! tract's parser assumes a well-formed graph; this module refuses any other, and names the culprit.

use std::collections::HashSet;

use tract_onnx::pb;

use crate::error::{Result, invalid};
use crate::guard::budget;
use crate::guard::budget::{Limits, MAX_RANK};
use crate::onnx::constants::check_tensor;
use crate::onnx::domains::node_name;
use crate::onnx::graphs::graphs;
use crate::onnx::{domains, node_modes};
use crate::registry;

/// Checks `model` against the rules of a well-formed graph and the limits.
pub(crate) fn check(model: &pb::ModelProto, limits: &Limits) -> Result<()> {
    for import in &model.opset_import {
        domains::check_opset(import)?;
    }
    let graph = model
        .graph
        .as_ref()
        .ok_or_else(|| invalid("the model holds no graph"))?;
    Checker {
        model,
        nodes_left: limits.nodes,
        constant_bytes: 0,
        depth: 0,
        limits,
    }
    .graph(graph, &HashSet::new())
}

/// Checks how deep graphs lie within the graphs of `model`, before anything else goes there.
pub(crate) fn check_depth(model: &pb::ModelProto, limits: &Limits) -> Result<()> {
    let nodes = model.graph.iter().flat_map(|graph| &graph.node);
    let in_functions = model.functions.iter().flat_map(|function| &function.node);
    nodes
        .chain(in_functions)
        .try_for_each(|node| check_depth_of(node, 1, limits))
}

fn check_depth_of(node: &pb::NodeProto, depth: usize, limits: &Limits) -> Result<()> {
    for graph in graphs(node) {
        if depth > limits.depth {
            let what = format!("{}: a graph lies deeper in others", node_name(node));
            return Err(budget::exceeded("depth", limits.depth, what));
        }
        let mut nodes = graph.node.iter();
        nodes.try_for_each(|node| check_depth_of(node, depth + 1, limits))?;
    }
    Ok(())
}

struct Checker<'a> {
    model: &'a pb::ModelProto,
    nodes_left: usize,
    constant_bytes: usize,
    /// How many graphs lie around this one.
    depth: usize,
    limits: &'a Limits,
}

impl<'a> Checker<'a> {
    /// Checks one graph; `outer` holds the names that enclosing graphs have defined so far.
    fn graph(&mut self, graph: &'a pb::GraphProto, outer: &HashSet<&'a str>) -> Result<()> {
        let mut defined = HashSet::new();
        for tensor in &graph.initializer {
            self.tensor(tensor)
                .map_err(|e| e.within(format!("initializer {:?}", tensor.name)))?;
            define(&mut defined, &tensor.name)?;
        }
        let mut inputs = HashSet::new();
        for input in &graph.input {
            define(&mut inputs, &input.name)?;
            check_rank(input)?;
        }
        defined.extend(inputs);
        for node in &graph.node {
            self.node(node, &mut defined, outer)
                .map_err(|e| e.within(node_name(node)))?;
        }
        if graph.output.is_empty() {
            return Err(invalid("the graph has no output"));
        }
        for output in &graph.output {
            if !defined.contains(output.name.as_str()) {
                return Err(invalid(format!(
                    "output {:?}: nothing in the graph makes it",
                    output.name
                )));
            }
        }
        Ok(())
    }

    fn node(
        &mut self,
        node: &'a pb::NodeProto,
        defined: &mut HashSet<&'a str>,
        outer: &HashSet<&'a str>,
    ) -> Result<()> {
        self.nodes_left = self.nodes_left.checked_sub(1).ok_or_else(|| {
            budget::exceeded("nodes", self.limits.nodes, "the model has more nodes")
        })?;
        for input in node.input.iter().filter(|name| !name.is_empty()) {
            if !defined.contains(input.as_str()) && !outer.contains(input.as_str()) {
                return Err(invalid(format!(
                    "input {input:?}: nothing before this node makes it"
                )));
            }
        }
        registry::check_supported(self.model, node)?;
        if node.output.is_empty() {
            return Err(invalid("the node has no output"));
        }
        let mut attributes = HashSet::new();
        for attribute in &node.attribute {
            define(&mut attributes, &attribute.name)?;
            if attribute.name == domains::ASSUMED {
                return Err(invalid(format!(
                    "attribute {}: not for files",
                    domains::ASSUMED
                )));
            }
            self.attribute_len(attribute)?;
            for tensor in attribute.t.iter().chain(&attribute.tensors) {
                self.tensor(tensor)
                    .map_err(|e| e.within(format!("attribute {:?}", attribute.name)))?;
            }
            for graph in attribute.g.iter().chain(&attribute.graphs) {
                let visible = defined.union(outer).copied().collect();
                self.depth += 1;
                if self.depth > self.limits.depth {
                    let what = "a graph lies deeper in others";
                    return Err(budget::exceeded("depth", self.limits.depth, what));
                }
                self.graph(graph, &visible)?;
                self.depth -= 1;
            }
        }
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            define(defined, output)?;
        }
        Ok(())
    }
}

impl Checker<'_> {
    fn tensor(&mut self, tensor: &pb::TensorProto) -> Result<()> {
        let bytes = check_tensor(tensor)?;
        if tensor.dims.contains(&0) {
            let limit = self.limits.load_bytes;
            if bytes > limit {
                let what = format!("dimensions {:?} are larger", tensor.dims);
                return Err(budget::exceeded("load_bytes", limit, what));
            }
            return Ok(());
        }
        let limit = self.limits.tensor_bytes;
        if bytes > limit {
            let what = format!("a constant of {bytes} bytes is larger");
            return Err(budget::exceeded("tensor_bytes", limit, what));
        }
        self.constant_bytes = self.constant_bytes.saturating_add(bytes);
        let limit = self.limits.constant_bytes;
        if self.constant_bytes > limit {
            let what = format!("constants of {} bytes are more", self.constant_bytes);
            return Err(budget::exceeded("constant_bytes", limit, what));
        }
        Ok(())
    }

    fn attribute_len(&self, attribute: &pb::AttributeProto) -> Result<()> {
        let n_modes = node_modes::kept(attribute).map_or(0, <[u8]>::len);
        let n_words = attribute.strings.len() + n_modes;
        let len = attribute.ints.len() + attribute.floats.len() + n_words;
        let limit = self.limits.attribute_len;
        if len > limit {
            let what = format!("attribute {}: {len} values are more", attribute.name);
            return Err(budget::exceeded("attribute_len", limit, what));
        }
        Ok(())
    }
}

fn define<'a>(names: &mut HashSet<&'a str>, name: &'a str) -> Result<()> {
    if names.insert(name) {
        Ok(())
    } else {
        Err(invalid(format!("the name {name:?} is defined twice")))
    }
}

fn check_rank(info: &pb::ValueInfoProto) -> Result<()> {
    let of = info.r#type.as_ref().and_then(|of| of.value.as_ref());
    let Some(pb::type_proto::Value::TensorType(tensor)) = of else {
        return Ok(());
    };
    let rank = tensor.shape.as_ref().map_or(0, |shape| shape.dim.len());
    if rank > MAX_RANK {
        let message = format!("input {:?}: {rank} dimensions are not possible", info.name);
        return Err(invalid(message));
    }
    Ok(())
}
