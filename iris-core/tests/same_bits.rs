//! A graph gives the same bits whichever way it is planned and run: with a fixed number of rows or any, with other outputs beside
//! its own, for all outputs at once or for one of them.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Case, data_path, elements};
use iris_core::{Model, Value};
use prost::Message;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dim;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, TensorShapeProto, ValueInfoProto, type_proto,
};

fn tensor(info: &mut ValueInfoProto) -> Option<&mut type_proto::Tensor> {
    match info.r#type.as_mut()?.value.as_mut()? {
        type_proto::Value::TensorType(tensor) => Some(tensor),
    }
}

/// The model with the dimensions that `dim` gives, by axis and size, to the inputs that are fed.
fn reshaped(case: &Case, dim: impl Fn(usize, usize) -> Dim) -> ModelProto {
    let mut model = ModelProto::decode(&*case.model).unwrap();
    for info in &mut model.graph.as_mut().unwrap().input {
        let feed = case.feeds.iter().find(|feed| feed.name == info.name);
        let (Some(feed), Some(tensor)) = (feed, tensor(info)) else {
            continue;
        };
        let dims = feed.shape.iter().enumerate();
        let dims = dims.map(
            |(axis, &size)| tract_onnx::pb::tensor_shape_proto::Dimension {
                value: Some(dim(axis, size)),
                ..Default::default()
            },
        );
        tensor.shape = Some(TensorShapeProto {
            dim: dims.collect(),
        });
    }
    model
}

fn free_rows(axis: usize, size: usize) -> Dim {
    match axis {
        0 => Dim::DimParam("rows".into()),
        _ => Dim::DimValue(size as i64),
    }
}

fn fixed(_axis: usize, size: usize) -> Dim {
    Dim::DimValue(size as i64)
}

/// An output of any type and shape.
fn output(name: &str) -> ValueInfoProto {
    ValueInfoProto {
        name: name.into(),
        ..ValueInfoProto::default()
    }
}

fn node(op_type: &str, input: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op_type.into(),
        input: input.iter().map(|&name| name.into()).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

/// The graph with outputs that nobody asked for: an operator of its own on the first input and on what the first node gives, and
/// what the nodes give between.
fn with_others(mut model: ModelProto) -> ModelProto {
    let has_onnx = model
        .opset_import
        .iter()
        .any(|import| import.domain.is_empty());
    let graph: &mut GraphProto = model.graph.as_mut().unwrap();
    if !has_onnx || graph.input.is_empty() {
        return model;
    }
    let between: Vec<String> = graph
        .node
        .iter()
        .filter_map(|node| node.output.first())
        .filter(|name| !name.is_empty() && !graph.output.iter().any(|o| o.name == **name))
        .take(3)
        .cloned()
        .collect();
    let first = graph.input[0].name.clone();
    let read = [Some(&first), between.first()];
    for (index, name) in read.into_iter().flatten().enumerate() {
        let made = format!("unrelated_{index}");
        graph.node.push(node("Size", &[name], &made));
        graph.output.push(output(&made));
    }
    graph.output.extend(between.iter().map(|name| output(name)));
    model
}

fn bits(value: &Value) -> Vec<u64> {
    match value {
        Value::Float(_) | Value::Double(_) | Value::Int64(_) | Value::Int32(_) => {
            // Which bits a NaN has is nobody's promise.
            let number = |x: f64| if x.is_nan() { f64::NAN } else { x };
            elements(value)
                .into_iter()
                .map(|x| number(x).to_bits())
                .collect()
        }
        _ => vec![],
    }
}

/// The outputs of the case, in order, if the model loads and runs.
fn run(model: &ModelProto, case: &Case) -> Option<Vec<(String, Value)>> {
    let model = Model::from_bytes(model.encode_to_vec()).ok()?;
    let feeds = case
        .feeds
        .iter()
        .map(|feed| (feed.name.as_str(), feed.value()));
    let outputs = model.run(feeds).ok()?;
    let expected = case.outputs.as_ref()?.len();
    Some(
        outputs
            .into_iter()
            .take(expected)
            .map(|(name, value)| (name.clone(), value))
            .collect(),
    )
}

/// Each output of the case asked for alone.
fn run_singly(model: &ModelProto, case: &Case) -> Option<Vec<(String, Value)>> {
    let model = Model::from_bytes(model.encode_to_vec()).ok()?;
    let one = |name: &String| {
        let feeds = case
            .feeds
            .iter()
            .map(|feed| (feed.name.as_str(), feed.value()));
        let mut value = model.run_selected(&[name], feeds).ok()?;
        Some((name.clone(), value.pop()?))
    };
    case.outputs
        .as_ref()?
        .iter()
        .map(|output| one(&output.name))
        .collect()
}

#[test]
fn every_way_gives_the_same_bits() {
    let mut n_compared = 0;
    let mut failures = vec![];
    for family in std::fs::read_dir(data_path("")).unwrap() {
        let file = family.unwrap().path().join("cases.json");
        if !file.is_file() {
            continue;
        }
        let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for case in cases.iter().filter(|case| case.outputs.is_some()) {
            let as_is = ModelProto::decode(&*case.model).unwrap();
            let Some(expected) = run(&as_is, case) else {
                continue;
            };
            for (way, outputs) in [
                ("free rows", run(&reshaped(case, free_rows), case)),
                ("fixed rows", run(&reshaped(case, fixed), case)),
                ("other outputs", run(&with_others(as_is.clone()), case)),
                ("one by one", run_singly(&as_is, case)),
            ] {
                let Some(outputs) = outputs else { continue };
                n_compared += 1;
                for ((name, value), (_, expected)) in outputs.iter().zip(&expected) {
                    if value.shape() != expected.shape() || bits(value) != bits(expected) {
                        failures.push(format!("{}: {way}: {name}", case.name));
                    }
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {n_compared}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(n_compared > 10_000, "only {n_compared} were compared");
}
