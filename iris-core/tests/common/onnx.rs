//! Models made on the spot, right or wrong.

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as DimValue};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, tensor_proto, type_proto,
};

use super::model_path;

pub const FLOAT: i32 = tensor_proto::DataType::Float as i32;
pub const INT64: i32 = tensor_proto::DataType::Int64 as i32;
pub const UINT8: i32 = tensor_proto::DataType::Uint8 as i32;

pub fn iris() -> Vec<u8> {
    std::fs::read(model_path("iris.onnx")).unwrap()
}

/// The iris model after a change to its protobuf.
pub fn changed(change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut model = ModelProto::decode(iris().as_slice()).unwrap();
    change(&mut model);
    model.encode_to_vec()
}

/// The iris model after a change to its graph.
pub fn changed_graph(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    changed(|model| change(model.graph.as_mut().unwrap()))
}

/// The iris model after a change to an attribute of its SVM.
pub fn changed_svm(name: &str, change: impl FnOnce(&mut AttributeProto)) -> Vec<u8> {
    changed_graph(|graph| {
        let attributes = &mut graph.node[0].attribute;
        change(attributes.iter_mut().find(|a| a.name == name).unwrap());
    })
}

/// The iris model with a constant more.
pub fn with_initializer(tensor: TensorProto) -> Vec<u8> {
    changed_graph(|graph| graph.initializer.push(tensor))
}

pub fn node(op_type: &str, input: &[&str], output: &[&str]) -> NodeProto {
    let names = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
    NodeProto {
        op_type: op_type.into(),
        name: op_type.to_lowercase(),
        input: names(input),
        output: names(output),
        ..NodeProto::default()
    }
}

/// `node` with attributes more.
pub fn with(mut node: NodeProto, attributes: Vec<AttributeProto>) -> NodeProto {
    node.attribute.extend(attributes);
    node
}

/// The nodes of a tree that asks whether the second feature is at most a half, in versions 1 to 3; nodes 1 and 2 are leaves.
pub fn stump_nodes() -> Vec<AttributeProto> {
    vec![
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[1, 0, 0]),
        strings("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        floats("nodes_values", &[0.5, 0.0, 0.0]),
    ]
}

/// A node of ai.onnx.ml with its attributes.
pub fn ml_node(op_type: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        domain: "ai.onnx.ml".into(),
        attribute,
        ..node(op_type, &["X"], &["Y"])
    }
}

pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Ints.into(),
        ints: ints.into(),
        ..AttributeProto::default()
    }
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Int.into(),
        i,
        ..AttributeProto::default()
    }
}

pub fn floats(name: &str, floats: &[f32]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Floats.into(),
        floats: floats.into(),
        ..AttributeProto::default()
    }
}

pub fn strings(name: &str, strings: &[&str]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Strings.into(),
        strings: strings.iter().map(|&text| text.into()).collect(),
        ..AttributeProto::default()
    }
}

pub fn string(name: &str, text: &str) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::String.into(),
        s: text.into(),
        ..AttributeProto::default()
    }
}

pub fn tensor(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Tensor.into(),
        t: Some(tensor),
        ..AttributeProto::default()
    }
}

pub fn subgraph(name: &str, graph: GraphProto) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Graph.into(),
        g: Some(graph),
        ..AttributeProto::default()
    }
}

pub fn float_tensor(name: &str, dims: &[i64], float_data: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.into(),
        data_type: FLOAT,
        float_data: float_data.into(),
        ..TensorProto::default()
    }
}

/// A vector of int64.
pub fn int_tensor(name: &str, int64_data: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: vec![int64_data.len() as i64],
        data_type: INT64,
        int64_data: int64_data.into(),
        ..TensorProto::default()
    }
}

pub fn int_scalar(name: &str, value: i64) -> TensorProto {
    TensorProto {
        dims: vec![],
        ..int_tensor(name, &[value])
    }
}

pub fn byte_tensor(dims: &[i64], bytes: &[u8]) -> TensorProto {
    TensorProto {
        dims: dims.into(),
        data_type: UINT8,
        raw_data: bytes.into(),
        ..TensorProto::default()
    }
}

/// A float input or output; of any size in dimension -1.
pub fn info(name: &str, dims: &[i64]) -> ValueInfoProto {
    info_of(name, dims, FLOAT)
}

/// An input or output of elements of a type; of any size in dimension -1.
pub fn info_of(name: &str, dims: &[i64], elem_type: i32) -> ValueInfoProto {
    let dim = |&size: &i64| Dimension {
        value: (size != -1).then_some(DimValue::DimValue(size)),
        ..Dimension::default()
    };
    let tensor = type_proto::Tensor {
        elem_type,
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

/// An output whose type is for the graph to say.
pub fn untyped(name: &str) -> ValueInfoProto {
    ValueInfoProto {
        name: name.into(),
        ..ValueInfoProto::default()
    }
}

/// A graph from `X` `[n, 2]` to `Y`.
pub fn graph(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> GraphProto {
    GraphProto {
        name: "made".into(),
        node,
        initializer,
        input: vec![info("X", &[-1, 2])],
        output: vec![untyped("Y")],
        ..GraphProto::default()
    }
}

pub fn model(graph: GraphProto) -> ModelProto {
    let import = |domain: &str, version| OperatorSetIdProto {
        domain: domain.into(),
        version,
    };
    ModelProto {
        ir_version: 8,
        graph: Some(graph),
        opset_import: vec![import("", 18), import("ai.onnx.ml", 5)],
        ..ModelProto::default()
    }
}

pub fn bytes(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> Vec<u8> {
    model(graph(node, initializer)).encode_to_vec()
}
