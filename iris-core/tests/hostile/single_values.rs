//! Constants and inputs of which one number is read, where there may be none.

use iris_core::ErrorKind::InvalidModel;
use iris_core::{Model, Value};
use ndarray::Array1;
use prost::Message;
use tract_onnx::pb::NodeProto;

use crate::common::onnx::*;

/// Where tract looks for patterns it reads the first number of a constant, whether there is one or not.
#[test]
fn constants_without_elements() {
    let none = || float_tensor("none", &[0, 1], &[]);
    for nodes in [
        vec![node("Pow", &["S", "none"], &["Y"])],
        vec![node("Pow", &["none", "S"], &["Y"])],
        vec![
            node("Mul", &["S", "none"], &["M"]),
            node("Erf", &["M"], &["Y"]),
        ],
    ] {
        // No program has this function: the graph is tract's.
        let nodes = [vec![node("Sin", &["X"], &["S"])], nodes].concat();
        let mut graph = graph(nodes, vec![none()]);
        graph.input = vec![info("X", &[-1])];
        let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
        let x = Value::from(Array1::from_elem(3, 0.5_f32));
        let answers = model.run([("X", x)]).unwrap();
        assert_eq!(answers[0].1.shape(), [0, 3]);
    }
}

/// Where one number is read there must be one, in every batch: not a column of as many rows as the caller gives.
#[test]
fn single_values_that_may_not_be_there() {
    let load = |nodes: Vec<NodeProto>, element: i32| {
        let mut graph = graph(nodes, vec![]);
        graph.input = vec![info_of("X", &[-1, 1], element)];
        Model::from_bytes(model(graph).encode_to_vec())
    };
    for (nodes, element) in [
        (vec![node("Slice", &["X", "X", "X"], &["Y"])], INT64),
        (vec![node("CumSum", &["X", "X"], &["Y"])], INT64),
        (
            vec![
                node("Sin", &["X"], &["S"]),
                node("Clip", &["S", "S"], &["Y"]),
            ],
            FLOAT,
        ),
    ] {
        let what = nodes.last().unwrap().op_type.clone();
        let error = load(nodes, element).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), InvalidModel, "{what}: {error}");
    }
}
