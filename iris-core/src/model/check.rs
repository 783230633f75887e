//! Everything that must hold of an ONNX graph before tract sees it.
//!
//! tract's parser assumes a well-formed graph; this module refuses any other, and names the culprit.

use std::collections::HashSet;

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

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
        limits,
    }
    .graph(graph, &HashSet::new())
}

struct Checker<'a> {
    model: &'a pb::ModelProto,
    nodes_left: usize,
    limits: &'a Limits,
}

impl<'a> Checker<'a> {
    /// Checks one graph; `outer` holds the names that enclosing graphs have defined so far.
    fn graph(&mut self, graph: &'a pb::GraphProto, outer: &HashSet<&'a str>) -> Result<()> {
        let mut defined = HashSet::new();
        for tensor in &graph.initializer {
            check_tensor(tensor).map_err(|e| e.within(format!("initializer {:?}", tensor.name)))?;
            define(&mut defined, &tensor.name)?;
        }
        let mut inputs = HashSet::new();
        for input in &graph.input {
            define(&mut inputs, &input.name)?;
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
            let message = format!("the model has more than {} nodes", self.limits.nodes);
            Error::new(ErrorKind::LimitExceeded, message)
        })?;
        for input in node.input.iter().filter(|name| !name.is_empty()) {
            if !defined.contains(input.as_str()) && !outer.contains(input.as_str()) {
                return Err(invalid(format!(
                    "input {input:?}: nothing before this node makes it"
                )));
            }
        }
        ops::check_supported(self.model, node)?;
        let mut attributes = HashSet::new();
        for attribute in &node.attribute {
            define(&mut attributes, &attribute.name)?;
            if attribute.name == ops::ASSUMED {
                return Err(invalid(format!(
                    "attribute {}: not for files",
                    ops::ASSUMED
                )));
            }
            for tensor in attribute.t.iter().chain(&attribute.tensors) {
                check_tensor(tensor)
                    .map_err(|e| e.within(format!("attribute {:?}", attribute.name)))?;
            }
            for graph in attribute.g.iter().chain(&attribute.graphs) {
                let visible = defined.union(outer).copied().collect();
                self.graph(graph, &visible)?;
            }
        }
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            define(defined, output)?;
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

/// Checks that a constant's data is here, and is what its type and dimensions say.
pub(crate) fn check_tensor(tensor: &pb::TensorProto) -> Result<()> {
    if tensor.data_location == Some(DataLocation::External as i32) {
        return Err(invalid(
            "its data lies in another file, which is not allowed",
        ));
    }
    if tensor.segment.is_some() {
        return Err(invalid("segmented tensors are not supported"));
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
    Ok(())
}
