//! Operators that are computed as one give the bits that they give one after the other.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::elements;
use common::onnx::{
    FLOAT, floats, graph, info_of, int, ints, ml_node, model, node, string, untyped,
};
use iris_core::{Model, Value};
use ndarray::Array2;
use prost::Message;
use tract_onnx::pb::{AttributeProto, NodeProto};

const DOUBLE: i32 = 11;
const N_FEATURES: usize = 5;

fn numbers(n: usize, phase: f32) -> Vec<f32> {
    let number = |i: usize| (i as f32 * 1.7 + phase).sin() * 3.0;
    (0..n).map(number).collect()
}

fn ml(op_type: &str, wires: [&str; 2], attributes: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        name: op_type.into(),
        input: vec![wires[0].into()],
        output: wires[1].split(' ').map(String::from).collect(),
        ..ml_node(op_type, attributes)
    }
}

fn scaler(n_factors: usize) -> NodeProto {
    let offset = floats("offset", &numbers(n_factors, 0.3));
    let scale = floats("scale", &numbers(n_factors, 0.9));
    ml("Scaler", ["X", "scaled"], vec![offset, scale])
}

fn functions(n: usize, transform: &str) -> Vec<AttributeProto> {
    vec![
        floats("coefficients", &numbers(n * N_FEATURES, 0.1)),
        floats("intercepts", &numbers(n, 0.2)),
        string("post_transform", transform),
    ]
}

fn classifier(n_functions: usize, transform: &str) -> NodeProto {
    let mut attributes = functions(n_functions, transform);
    let labels: Vec<i64> = (0..n_functions.max(2) as i64).collect();
    attributes.push(ints("classlabels_ints", &labels));
    ml("LinearClassifier", ["scaled", "label scores"], attributes)
}

fn regressor(n_targets: usize) -> NodeProto {
    let mut attributes = functions(n_targets, "NONE");
    attributes.push(int("targets", n_targets as i64));
    ml("LinearRegressor", ["scaled", "Y"], attributes)
}

fn normalizer(norm: &str) -> NodeProto {
    ml("Normalizer", ["scores", "Y"], vec![string("norm", norm)])
}

/// A model of rows of type `elem_type`.
fn load(nodes: &[NodeProto], elem_type: i32, outputs: &[&str]) -> Model {
    let mut graph = graph(nodes.to_vec(), vec![]);
    graph.input = vec![info_of("X", &[-1, N_FEATURES as i64], elem_type)];
    graph.output = outputs.iter().map(|name| untyped(name)).collect();
    Model::from_bytes(model(graph).encode_to_vec()).unwrap()
}

fn answers(model: &Model, rows: &Value) -> Vec<(String, Vec<f64>)> {
    let answers = model.run([("X", rows.clone())]).unwrap();
    let answers = answers.into_iter();
    answers
        .map(|(name, value)| (name, elements(&value)))
        .collect()
}

/// Compares what is computed as one with the same nodes where what lies between them is asked for, which they cannot leave
/// out then.
fn check(nodes: &[NodeProto], outputs: &[&str], between: &[&str]) {
    let all: Vec<&str> = [outputs, between].concat();
    for n in [1, 2, 9, 20] {
        let floats = Array2::from_shape_vec((n, N_FEATURES), numbers(n * N_FEATURES, 0.7));
        let floats = floats.unwrap();
        let doubles = floats.mapv(|x| f64::from(x) + 1e-9);
        for (rows, elem_type) in [(Value::from(floats), FLOAT), (Value::from(doubles), DOUBLE)] {
            let fused = answers(&load(nodes, elem_type, outputs), &rows);
            let apart = answers(&load(nodes, elem_type, &all), &rows);
            assert_eq!(fused, apart[..outputs.len()], "{n} rows");
        }
    }
}

#[test]
fn scores_are_normalized() {
    for norm in ["L1", "L2", "MAX"] {
        for (n_functions, transform) in [
            (3, "SOFTMAX"),
            (9, "LOGISTIC"),
            (2, "NONE"),
            (1, "LOGISTIC"),
        ] {
            let mut classifier = classifier(n_functions, transform);
            classifier.input = vec!["X".into()];
            let nodes = [classifier, normalizer(norm)];
            check(&nodes, &["label", "Y"], &["scores"]);
        }
    }
}

#[test]
fn samples_are_scaled() {
    for n_factors in [1, N_FEATURES] {
        for n in [1, 3, 7] {
            check(&[scaler(n_factors), regressor(n)], &["Y"], &["scaled"]);
            let nodes = [
                scaler(n_factors),
                classifier(n, "SOFTMAX"),
                normalizer("L1"),
            ];
            check(&nodes, &["label", "Y"], &["scaled", "scores"]);
        }
    }
}

/// What a cast that does nothing gives is the same tensor by another name, which may be needed elsewhere.
#[test]
fn what_goes_by_two_names_is_kept() {
    let mut cast = node("Cast", &["scores"], &["same"]);
    cast.attribute = vec![int("to", 1)];
    let mut normalizer = normalizer("L1");
    normalizer.input = vec!["same".into()];
    let mut classifier = classifier(3, "NONE");
    classifier.input = vec!["X".into()];
    let model = load(&[classifier, cast, normalizer], FLOAT, &["Y", "scores"]);
    let rows = Array2::from_shape_vec((4, N_FEATURES), numbers(4 * N_FEATURES, 0.7));
    let answers = answers(&model, &rows.unwrap().into());
    let norms = answers[1]
        .1
        .chunks(3)
        .map(|row| row.iter().map(|x| x.abs()).sum::<f64>());
    for (norm, (y, scores)) in norms.zip(answers[0].1.chunks(3).zip(answers[1].1.chunks(3))) {
        for (y, score) in y.iter().zip(scores) {
            assert!((y * norm - score).abs() < 1e-6, "{y} {norm} {score}");
        }
        assert!((norm - 1.0).abs() > 0.1);
    }
}

/// What a Normalizer makes of labels is not what it makes of scores.
#[test]
fn labels_are_normalized_as_they_are() {
    let mut classifier = classifier(3, "SOFTMAX");
    classifier.input = vec!["X".into()];
    let mut normalizer = normalizer("L1");
    normalizer.input = vec!["label".into()];
    check(&[classifier, normalizer], &["Y"], &["label", "scores"]);
}
