//! Makes two tensors of each input that is a map, its keys and its values, since tract knows nothing but tensors.

use std::collections::HashMap;

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;

use crate::error::{Error, ErrorKind, Result};
use crate::onnx::domains::{ML_DOMAIN, is_operator, node_name};
use crate::onnx::signature::{ValueInfo, ValueType};
use crate::value::element::ElementType;

/// The operators that take a map, as their only input.
const MAP_OPERATORS: [&str; 2] = ["CastMap", "DictVectorizer"];

/// Puts two inputs in the place of each map among `inputs`, which are those of `graph`.
pub(crate) fn split(graph: &mut pb::GraphProto, inputs: &[ValueInfo]) -> Result<()> {
    let mut maps = HashMap::new();
    for info in inputs {
        match info.value_type {
            ValueType::Map { key, value } => {
                maps.insert(info.name.clone(), parts(info, key, value)?);
            }
            ValueType::Tensor { .. } => {}
            ValueType::Sequence(_) => return Err(refused(info)),
        }
    }
    if maps.is_empty() {
        return Ok(());
    }
    graph.input = std::mem::take(&mut graph.input)
        .into_iter()
        .flat_map(|input| match maps.get(&input.name) {
            Some(parts) => parts.to_vec(),
            None => vec![input],
        })
        .collect();
    for node in &mut graph.node {
        let Some((map, parts)) = node
            .input
            .iter()
            .find_map(|name| maps.get_key_value(name.as_str()))
        else {
            continue;
        };
        let takes_maps = MAP_OPERATORS
            .iter()
            .any(|op_type| is_operator(node, ML_DOMAIN, op_type));
        if !takes_maps || node.input.len() != 1 {
            let message = format!("{}: input {map:?} is a map", node_name(node));
            return Err(Error::new(ErrorKind::InvalidModel, message));
        }
        node.input = parts.iter().map(|part| part.name.clone()).collect();
    }
    Ok(())
}

/// The declarations of a map's keys and values, both `[n_keys]`.
fn parts(
    info: &ValueInfo,
    key: ElementType,
    value: ElementType,
) -> Result<[pb::ValueInfoProto; 2]> {
    if !matches!(key, ElementType::Int64 | ElementType::String) {
        return Err(refused(info));
    }
    let n_keys = format!("{} (n_keys)", info.name);
    let part = |what: &str, element: DataType| {
        let dimension = Dimension {
            value: Some(DimValue::DimParam(n_keys.clone())),
            ..Dimension::default()
        };
        let tensor = pb::type_proto::Tensor {
            elem_type: element.into(),
            shape: Some(pb::TensorShapeProto {
                dim: vec![dimension],
            }),
        };
        pb::ValueInfoProto {
            name: format!("{} ({what})", info.name),
            r#type: Some(pb::TypeProto {
                value: Some(pb::type_proto::Value::TensorType(tensor)),
                ..pb::TypeProto::default()
            }),
            ..pb::ValueInfoProto::default()
        }
    };
    let data_type = |element| match element {
        ElementType::Float => Some(DataType::Float),
        ElementType::Double => Some(DataType::Double),
        ElementType::Int64 => Some(DataType::Int64),
        ElementType::String => Some(DataType::String),
        _ => None,
    };
    match (data_type(key), data_type(value)) {
        (Some(key), Some(value)) => Ok([part("keys", key), part("values", value)]),
        _ => Err(refused(info)),
    }
}

fn refused(info: &ValueInfo) -> Error {
    let message = format!(
        "input {:?}: inputs of type {} are not supported",
        info.name, info.value_type
    );
    Error::new(ErrorKind::InvalidModel, message)
}
