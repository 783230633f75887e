//! The types of inputs and outputs that are not tensors, which tract's messages leave out of the file format.

use prost::Message;
use tract_onnx::pb;

use crate::error::{Error, ErrorKind, Result};
use crate::onnx::signature::{Types, ValueType, element_type};

/// Reads them from the bytes that `graph` was read from.
pub(crate) fn read(bytes: &[u8], graph: &pb::GraphProto) -> Result<Types> {
    let is_tensor = |info: &pb::ValueInfoProto| {
        info.r#type
            .as_ref()
            .is_none_or(|value_type| value_type.value.is_some())
    };
    if graph.input.iter().chain(&graph.output).all(is_tensor) {
        return Ok(Types::new());
    }
    let model = Model::decode(bytes).map_err(|error| {
        let message = format!("not an ONNX model: {error}");
        Error::new(ErrorKind::Parse, message).with_source(error)
    })?;
    let graph = model.graph.unwrap_or_default();
    Ok(graph
        .input
        .into_iter()
        .chain(graph.output)
        .filter_map(|info| {
            let value_type = info.value_type?.value_type()?;
            Some((info.name, value_type))
        })
        .collect())
}

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "11")]
    input: Vec<Info>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<Info>,
}

#[derive(Clone, PartialEq, Message)]
struct Info {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    value_type: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(oneof = "Kind", tags = "1, 4, 5")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(message, tag = "1")]
    Tensor(TensorType),
    #[prost(message, tag = "4")]
    Sequence(Box<SequenceType>),
    #[prost(message, tag = "5")]
    Map(Box<MapType>),
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    elem_type: i32,
}

#[derive(Clone, PartialEq, Message)]
struct SequenceType {
    #[prost(message, optional, boxed, tag = "1")]
    elem_type: Option<Box<Type>>,
}

#[derive(Clone, PartialEq, Message)]
struct MapType {
    #[prost(int32, tag = "1")]
    key_type: i32,
    #[prost(message, optional, boxed, tag = "2")]
    value_type: Option<Box<Type>>,
}

impl Type {
    /// `None` for what we have no word for.
    fn value_type(&self) -> Option<ValueType> {
        Some(match self.kind.as_ref()? {
            Kind::Tensor(tensor) => ValueType::Tensor {
                element: element_type(tensor.elem_type)?,
                shape: None,
            },
            Kind::Sequence(sequence) => {
                ValueType::Sequence(Box::new(sequence.elem_type.as_ref()?.value_type()?))
            }
            Kind::Map(map) => match map.value_type.as_ref()?.kind.as_ref()? {
                Kind::Tensor(tensor) => ValueType::Map {
                    key: element_type(map.key_type)?,
                    value: element_type(tensor.elem_type)?,
                },
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(elem_type: i32) -> Type {
        Type {
            kind: Some(Kind::Tensor(TensorType { elem_type })),
        }
    }

    fn map(key_type: i32, value_type: Type) -> Type {
        let map = MapType {
            key_type,
            value_type: Some(Box::new(value_type)),
        };
        Type {
            kind: Some(Kind::Map(Box::new(map))),
        }
    }

    fn sequence(of: Type) -> Type {
        let sequence = SequenceType {
            elem_type: Some(Box::new(of)),
        };
        Type {
            kind: Some(Kind::Sequence(Box::new(sequence))),
        }
    }

    #[test]
    fn spells_types_as_onnxruntime() {
        let cases = [
            (map(8, tensor(1)), Some("map(string,tensor(float))")),
            (map(7, tensor(8)), Some("map(int64,tensor(string))")),
            (sequence(tensor(11)), Some("seq(tensor(double))")),
            (
                sequence(map(7, tensor(1))),
                Some("seq(map(int64,tensor(float)))"),
            ),
            (map(8, sequence(tensor(1))), None),
            (sequence(tensor(1000)), None),
            (Type { kind: None }, None),
        ];
        for (given, spelled) in cases {
            let value_type = given.value_type().map(|t| t.to_string());
            assert_eq!(value_type.as_deref(), spelled, "{given:?}");
        }
    }

    #[test]
    fn reads_what_tract_leaves_out() {
        let info = |name: &str, value_type| Info {
            name: name.into(),
            value_type: Some(value_type),
        };
        let model = Model {
            graph: Some(Graph {
                input: vec![info("X", map(8, tensor(1)))],
                output: vec![info("Y", sequence(tensor(1)))],
            }),
        };
        let bytes = model.encode_to_vec();
        let graph = pb::ModelProto::decode(&*bytes).expect("as tract reads it");
        let types = read(&bytes, &graph.graph.expect("has a graph")).expect("as we read it");
        assert_eq!(types["X"].to_string(), "map(string,tensor(float))");
        assert_eq!(types["Y"].to_string(), "seq(tensor(float))");
    }
}
