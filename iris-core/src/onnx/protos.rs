//! Parts of models, for tests of what becomes of a graph.

use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    GraphProto, ModelProto, OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto,
    type_proto,
};

/// A tensor of floats.
pub(crate) fn info(name: &str, dims: &[dimension::Value]) -> ValueInfoProto {
    let dim = |value: &dimension::Value| Dimension {
        value: Some(value.clone()),
        ..Dimension::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: 1,
        shape: Some(TensorShapeProto {
            dim: dims.iter().map(dim).collect(),
        }),
    };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// A model that imports one operator set.
pub(crate) fn model(domain: &str, version: i64, graph: GraphProto) -> ModelProto {
    ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto {
            domain: domain.into(),
            version,
        }],
        graph: Some(graph),
        ..ModelProto::default()
    }
}
