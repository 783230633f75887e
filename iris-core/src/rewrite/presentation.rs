//! Takes the operators off the end of a graph that only change how answers look, before anything else is made of it.
//!
//! ZipMap turns a score matrix into one map a row. We keep the matrix, and remember the labels of its columns.
//! SequenceConstruct makes a sequence of tensors. We keep the tensors, and make the sequence of what they hold.

use tract_onnx::pb;

use crate::error::{Error, ErrorKind, Result};
use crate::onnx::attributes::Attributes;
use crate::onnx::domains::{ML_DOMAIN, ONNX_DOMAIN, is_operator};
use crate::onnx::signature::{Outputs, Types, ValueInfo, ValueType};
use crate::operator::class_labels::ClassLabels;
use crate::value::element::ElementType;
use crate::value::labels::Labels;

/// Removes every operator whose maps or sequences are outputs of the graph, and returns all outputs, in order.
pub(crate) fn outputs(graph: &mut pb::GraphProto, types: &Types) -> Result<Outputs> {
    let mut outputs = Outputs::default();
    let mut tensors = Vec::with_capacity(graph.output.len());
    for output in std::mem::take(&mut graph.output) {
        if outputs.infos.iter().any(|info| info.name == output.name) {
            let message = format!("output {:?}: the name is defined twice", output.name);
            return Err(Error::new(ErrorKind::InvalidModel, message));
        }
        let start = tensors.len();
        let info = if let Some(zip_map) = take_maker(graph, &output, ML_DOMAIN, "ZipMap") {
            tensors.push(renamed(output.clone(), zip_map.input.first()));
            zip_map_info(output.name, &zip_map)?
        } else if let Some(sequence) = take_maker(graph, &output, ONNX_DOMAIN, "SequenceConstruct")
        {
            tensors.extend(
                sequence
                    .input
                    .iter()
                    .map(|name| renamed(output.clone(), Some(name))),
            );
            ValueInfo::from_onnx(&output, types, "output")?
        } else {
            tensors.push(output.clone());
            let is_untyped = output.r#type.as_ref().is_none_or(|t| t.value.is_none());
            if is_untyped && !types.contains_key(&output.name) {
                outputs.untyped.push(outputs.infos.len());
                ValueInfo::of_float(output.name)
            } else {
                tensor_info(&output, types)?
            }
        };
        outputs.infos.push(info);
        outputs.tensors.push(start..tensors.len());
    }
    graph.output = tensors;
    Ok(outputs)
}

/// Takes the node that makes `output` out of the graph, if it is of this operator.
fn take_maker(
    graph: &mut pb::GraphProto,
    output: &pb::ValueInfoProto,
    domain: &str,
    op_type: &str,
) -> Option<pb::NodeProto> {
    let index = graph
        .node
        .iter()
        .position(|n| n.output.first() == Some(&output.name) && is_operator(n, domain, op_type))?;
    Some(graph.node.remove(index))
}

fn renamed(mut output: pb::ValueInfoProto, name: Option<&String>) -> pb::ValueInfoProto {
    output.name = name.cloned().unwrap_or_default();
    output
}

fn zip_map_info(name: String, node: &pb::NodeProto) -> Result<ValueInfo> {
    let mut attributes = Attributes::new(node);
    let labels: Labels =
        ClassLabels::from_attributes(&mut attributes, "classlabels_int64s")?.into();
    attributes.finish()?;
    let map = ValueType::Map {
        key: ElementType::of_labels(&labels),
        value: ElementType::Float,
    };
    let value_type = ValueType::Sequence(Box::new(map));
    Ok(ValueInfo {
        name,
        value_type,
        zip_map_classes: Some(labels),
    })
}

fn tensor_info(output: &pb::ValueInfoProto, types: &Types) -> Result<ValueInfo> {
    let info = ValueInfo::from_onnx(output, types, "output")?;
    if info.element_type().is_some() {
        return Ok(info);
    }
    let message = format!(
        "output {:?}: outputs of type {} are not supported",
        info.name, info.value_type
    );
    Err(Error::new(ErrorKind::InvalidModel, message))
}
