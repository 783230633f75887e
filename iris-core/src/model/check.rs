//! Everything that must hold of an ONNX graph before tract sees it.
//!
//! tract's parser assumes a well-formed graph; this module refuses any other, and names the culprit.

use std::collections::HashSet;

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use super::limits::{self, MAX_RANK};
use super::modes;
use super::options::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::ops;

/// Checks `model` and gives its graph back.
pub(crate) fn check(model: &pb::ModelProto, limits: &Limits) -> Result<()> {
    for import in &model.opset_import {
        ops::check_opset(import)?;
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
            return Err(limits::exceeded("depth", limits.depth, what));
        }
        let mut nodes = graph.node.iter();
        nodes.try_for_each(|node| check_depth_of(node, depth + 1, limits))?;
    }
    Ok(())
}

/// The graphs in a node's attributes.
pub(crate) fn graphs(node: &pb::NodeProto) -> impl Iterator<Item = &pb::GraphProto> {
    let attributes = node.attribute.iter();
    attributes.flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}

/// How many bytes the constants of a checked model take.
pub(crate) fn constant_bytes(model: &pb::ModelProto) -> usize {
    model.graph.as_ref().map_or(0, constant_bytes_of)
}

fn constant_bytes_of(graph: &pb::GraphProto) -> usize {
    let attributes = graph.node.iter().flat_map(|node| &node.attribute);
    let tensors = attributes.flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors));
    let bytes = |tensor: &pb::TensorProto| {
        let typed = 4 * (tensor.float_data.len() + tensor.int32_data.len())
            + 8 * (tensor.double_data.len() + tensor.int64_data.len() + tensor.uint64_data.len())
            + tensor.string_data.iter().map(Vec::len).sum::<usize>();
        tensor.raw_data.len() + typed
    };
    let here: usize = graph.initializer.iter().chain(tensors).map(bytes).sum();
    let nested = graph.node.iter().flat_map(graphs).map(constant_bytes_of);
    here + nested.sum::<usize>()
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
            limits::exceeded("nodes", self.limits.nodes, "the model has more nodes")
        })?;
        for input in node.input.iter().filter(|name| !name.is_empty()) {
            if !defined.contains(input.as_str()) && !outer.contains(input.as_str()) {
                return Err(invalid(format!(
                    "input {input:?}: nothing before this node makes it"
                )));
            }
        }
        ops::check_supported(self.model, node)?;
        if node.output.is_empty() {
            return Err(invalid("the node has no output"));
        }
        let mut attributes = HashSet::new();
        for attribute in &node.attribute {
            define(&mut attributes, &attribute.name)?;
            if attribute.name == ops::ASSUMED {
                return Err(invalid(format!(
                    "attribute {}: not for files",
                    ops::ASSUMED
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
                    return Err(limits::exceeded("depth", self.limits.depth, what));
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
                return Err(limits::exceeded("load_bytes", limit, what));
            }
            return Ok(());
        }
        let limit = self.limits.tensor_bytes;
        if bytes > limit {
            let what = format!("a constant of {bytes} bytes is larger");
            return Err(limits::exceeded("tensor_bytes", limit, what));
        }
        self.constant_bytes = self.constant_bytes.saturating_add(bytes);
        let limit = self.limits.constant_bytes;
        if self.constant_bytes > limit {
            let what = format!("constants of {} bytes are more", self.constant_bytes);
            return Err(limits::exceeded("constant_bytes", limit, what));
        }
        Ok(())
    }

    fn attribute_len(&self, attribute: &pb::AttributeProto) -> Result<()> {
        let n_modes = modes::kept(attribute).map_or(0, <[u8]>::len);
        let n_words = attribute.strings.len() + n_modes;
        let len = attribute.ints.len() + attribute.floats.len() + n_words;
        let limit = self.limits.attribute_len;
        if len > limit {
            let what = format!("attribute {}: {len} values are more", attribute.name);
            return Err(limits::exceeded("attribute_len", limit, what));
        }
        Ok(())
    }
}

/// A node as messages name it: `node "svm" (SVMClassifier)`.
pub(crate) fn node_name(node: &pb::NodeProto) -> String {
    format!("node {:?} ({})", node.name, node.op_type)
}

fn invalid(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidModel, message)
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

/// Checks that a constant's data is here, and is what its type and dimensions say. Gives its size in bytes, for which
/// dimensions of 0 count as 1: what has no elements can still take long to go through.
pub(crate) fn check_tensor(tensor: &pb::TensorProto) -> Result<usize> {
    if tensor.data_location == Some(DataLocation::External as i32) {
        return Err(invalid(
            "its data lies in another file, which is not allowed",
        ));
    }
    if tensor.segment.is_some() {
        return Err(invalid("segmented tensors are not supported"));
    }
    if tensor.dims.len() > MAX_RANK {
        return Err(invalid(format!(
            "{} dimensions are not possible",
            tensor.dims.len()
        )));
    }
    let data_type = DataType::try_from(tensor.data_type)
        .map_err(|_| invalid(format!("unknown element type {}", tensor.data_type)))?;
    let volume = tensor.dims.iter().try_fold(1_usize, |volume, &dim| {
        volume.checked_mul(usize::try_from(dim).ok()?)
    });
    let volume =
        volume.ok_or_else(|| invalid(format!("dimensions {:?} are not possible", tensor.dims)))?;

    let (typed_len, size) = match data_type {
        DataType::Float => (tensor.float_data.len(), 4),
        DataType::Double => (tensor.double_data.len(), 8),
        DataType::Int64 => (tensor.int64_data.len(), 8),
        DataType::Int32 => (tensor.int32_data.len(), 4),
        DataType::Int16 | DataType::Uint16 | DataType::Float16 => (tensor.int32_data.len(), 2),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (tensor.int32_data.len(), 1),
        DataType::String => (tensor.string_data.len(), 0),
        other => {
            return Err(invalid(format!(
                "element type {} is not supported",
                other.as_str_name()
            )));
        }
    };
    let expected = |got: usize, what: &str, wanted: usize| {
        invalid(format!(
            "dimensions {:?} need {wanted} {what}, but it holds {got}",
            tensor.dims
        ))
    };
    if tensor.raw_data.is_empty() {
        if typed_len != volume {
            return Err(expected(typed_len, "elements", volume));
        }
    } else if size == 0 {
        return Err(invalid("strings cannot be raw data"));
    } else if volume.checked_mul(size) != Some(tensor.raw_data.len()) {
        return Err(expected(
            tensor.raw_data.len(),
            "bytes",
            volume.saturating_mul(size),
        ));
    }
    let extent = tensor.dims.iter().fold(size.max(1), |extent, &dim| {
        extent.saturating_mul(usize::try_from(dim).unwrap_or(usize::MAX).max(1))
    });
    Ok(extent)
}
