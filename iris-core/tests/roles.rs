//! What the outputs of a graph are taken for, and what is said of inputs that do not fit.
#![allow(
    missing_docs,
    clippy::needless_borrows_for_generic_args,
    clippy::unwrap_used
)]

mod common;

use common::onnx::*;
use iris_core::{ErrorKind, Model, Value};
use ndarray::{Array2, arr1, arr2};
use prost::Message;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as DimValue};
use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto, type_proto};

fn wired(node: NodeProto, input: &[&str], output: &[&str]) -> NodeProto {
    let names = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
    NodeProto {
        input: names(input),
        output: names(output),
        ..node
    }
}

fn load(nodes: Vec<NodeProto>, outputs: &[&str]) -> Model {
    let mut graph = graph(nodes, vec![]);
    graph.output = outputs.iter().map(|name| untyped(name)).collect();
    Model::from_bytes(model(graph).encode_to_vec()).unwrap()
}

/// A tree that asks whether the second feature is at most a half; its leaves are nodes 1 and 2. Each of them has `votes`.
fn tree(votes: &[[f32; 2]], output: &str) -> NodeProto {
    let n = votes.len();
    let weights: Vec<f32> = votes.concat();
    let node_ids: Vec<i64> = (0..n).flat_map(|_| [1, 2]).collect();
    let votes = vec![
        int("n_targets", 1),
        ints("target_treeids", &vec![0; 2 * n]),
        ints("target_nodeids", &node_ids),
        ints("target_ids", &vec![0; 2 * n]),
        floats("target_weights", &weights),
    ];
    wired(
        ml_node("TreeEnsembleRegressor", [stump_nodes(), votes].concat()),
        &["X"],
        &[output],
    )
}

const ROWS: [[f32; 2]; 3] = [[0.0, 0.0], [0.0, 1.0], [0.0, 0.5]];

#[test]
fn the_first_vote_of_a_leaf_is_its_number() {
    // skl2onnx's option decision_leaf writes the number of a leaf once for each class.
    let numbers = [[1.0, 2.0]; 3];
    let model = load(vec![tree(&numbers, "Y")], &["Y"]);
    let leaves = model.predict(&ROWS).unwrap();
    assert_eq!(leaves.as_values(), Some(&arr1(&[1.0_f32, 2.0, 1.0]).into()));
}

#[test]
fn leaves_and_paths_are_no_predictions() {
    let to_int64 = |input: &str, output: &str| {
        let cast = node("Cast", &[input], &[output]);
        with(cast, vec![int("to", 7)])
    };
    let nodes = || {
        let words = vec![
            floats("keys_floats", &[1.0, 2.0]),
            strings("values_strings", &["110", "101"]),
        ];
        vec![
            tree(&[[0.25, 4.75]], "variable"),
            tree(&[[1.0, 2.0]], "leaf_number"),
            to_int64("leaf_number", "decision_leaf"),
            wired(
                ml_node("LabelEncoder", words),
                &["leaf_number"],
                &["decision_path"],
            ),
        ]
    };
    let outputs = ["variable", "decision_path", "decision_leaf"];
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let model = load(nodes(), &order.map(|index| outputs[index]));
        let targets = model.predict(&ROWS).unwrap();
        let expected = arr1(&[0.25_f32, 4.75, 0.25]).into();
        assert_eq!(targets.as_values(), Some(&expected), "{order:?}");
        assert_eq!(model.classes(), None);
    }
    // A number that is rounded on the way to the prediction.
    let coefficients = vec![
        floats("coefficients", &[2.0, 1.0]),
        floats("intercepts", &[0.5]),
    ];
    let round = vec![
        to_int64("X", "whole"),
        with(node("Cast", &["whole"], &["float"]), vec![int("to", 1)]),
        wired(
            ml_node("LinearRegressor", coefficients),
            &["float"],
            &["target"],
        ),
    ];
    let model = load(round, &["whole", "target"]);
    let target = model.predict(&[[1.9, 1.1]]).unwrap();
    assert_eq!(target.as_values(), Some(&arr1(&[3.5_f32]).into()));
}

/// An SVM of two classes whose decision is the first feature less the second; what `columns` are made of is its scores.
fn machine(columns: &[&str]) -> Model {
    let svm = ml_node(
        "SVMClassifier",
        vec![
            ints("classlabels_ints", &[0, 1]),
            string("kernel_type", "LINEAR"),
            floats("kernel_params", &[0.0, 0.0, 0.0]),
            floats("support_vectors", &[1.0, 0.0, 0.0, 1.0]),
            ints("vectors_per_class", &[1, 1]),
            floats("coefficients", &[1.0, -1.0]),
            floats("rho", &[0.0]),
        ],
    );
    let mut nodes = vec![wired(svm, &["X"], &["label", "scores_made"])];
    for (column, name) in columns.iter().enumerate() {
        let (from, to) = (format!("from_{column}"), format!("to_{column}"));
        let cut = format!("cut_{column}");
        nodes.push(node("Slice", &["scores_made", &from, &to, "one"], &[&cut]));
        nodes.push(node("Reshape", &[&cut, "flat"], &[name]));
    }
    let constants = vec![
        int_tensor("from_0", &[0]),
        int_tensor("to_0", &[1]),
        int_tensor("from_1", &[1]),
        int_tensor("to_1", &[2]),
        int_tensor("one", &[1]),
        int_tensor("flat", &[-1]),
    ];
    let mut graph = graph(nodes, constants);
    let names = if columns.is_empty() {
        &["scores_made"][..]
    } else {
        columns
    };
    graph.output = std::iter::once(&"label")
        .chain(names)
        .map(|name| untyped(name))
        .collect();
    Model::from_bytes(model(graph).encode_to_vec()).unwrap()
}

#[test]
fn margins_in_columns_are_no_probabilities() {
    let rows = [[2.0, 0.5], [0.0, 1.0]];
    let (matrix, columns) = (machine(&[]), machine(&["i0", "i1"]));
    for model in [&matrix, &columns] {
        let error = model.predict_proba(&rows).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingOutput, "{error}");
    }
    let margins = matrix.decision_function(&rows).unwrap();
    assert_eq!(margins, columns.decision_function(&rows).unwrap());
    assert_eq!(margins.dim(), (2, 1));
    assert_eq!(
        matrix.predict(&rows).unwrap(),
        columns.predict(&rows).unwrap()
    );
}

/// Gives an input names for its dimensions.
fn named(info: &mut ValueInfoProto, names: &[&str]) {
    let Some(type_proto::Value::TensorType(tensor)) = &mut info.r#type.as_mut().unwrap().value
    else {
        return;
    };
    let dims = &mut tensor.shape.as_mut().unwrap().dim;
    *dims = names
        .iter()
        .map(|&name| Dimension {
            value: Some(DimValue::DimParam(name.into())),
            ..Dimension::default()
        })
        .collect();
}

fn regressor() -> NodeProto {
    let attributes = vec![
        floats("coefficients", &[2.0, 1.0]),
        floats("intercepts", &[0.5]),
    ];
    ml_node("LinearRegressor", attributes)
}

#[test]
fn a_name_that_an_input_has_twice_says_nothing() {
    let mut graph = graph(vec![wired(regressor(), &["X"], &["Y"])], vec![]);
    named(&mut graph.input[0], &["None", "None"]);
    let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
    for n in [1, 2, 3] {
        let answers = model.predict(&Array2::<f32>::ones((n, 2))).unwrap();
        assert_eq!(answers.as_values().unwrap().shape(), [n], "{n}");
    }
}

#[test]
fn a_name_that_two_inputs_have_need_not_hold() {
    let of = |graph: &mut GraphProto| {
        let mut other = info("Z", &[-1, -1]);
        named(&mut graph.input[0], &["N", "f"]);
        named(&mut other, &["N", "f"]);
        graph.input.push(other);
    };
    let concat = with(node("Concat", &["X", "Z"], &["Y"]), vec![int("axis", 1)]);
    let mut graph = graph(vec![concat], vec![]);
    of(&mut graph);
    let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
    let run = |x: [usize; 2], z: [usize; 2]| {
        let ones = |shape| Value::from(Array2::<f32>::ones(shape));
        model.run([("X", ones(x)), ("Z", ones(z))])
    };
    assert_eq!(run([2, 3], [2, 3]).unwrap()[0].1.shape(), [2, 6]);
    assert_eq!(run([2, 3], [2, 5]).unwrap()[0].1.shape(), [2, 8]);
    let error = run([2, 3], [4, 3]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    for part in ["\"X\" [2, 3]", "\"Z\" [4, 3]"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn a_wrong_width_is_the_input_s_fault() {
    let svm = || {
        let attributes = vec![
            floats("coefficients", &[1.0, -1.0]),
            floats("support_vectors", &[1.0, 0.0, 0.0, 1.0]),
            int("n_supports", 2),
            floats("rho", &[0.0]),
            floats("kernel_params", &[0.5, 0.0, 3.0]),
            string("kernel_type", "RBF"),
        ];
        ml_node("SVMRegressor", attributes)
    };
    let scaler = || {
        let attributes = vec![floats("offset", &[1.0, 2.0]), floats("scale", &[0.5, 2.0])];
        ml_node("Scaler", attributes)
    };
    for operator in [regressor(), svm(), scaler(), tree(&[[1.0, 2.0]], "Y")] {
        let op_type = operator.op_type.clone();
        let mut graph = graph(vec![wired(operator, &["X"], &["Y"])], vec![]);
        graph.input = vec![info("X", &[-1, -1])];
        let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
        let ask = |rows: &Array2<f32>| match model.predict(rows) {
            Err(error) if error.kind() == ErrorKind::MissingOutput => {
                model.transform(rows).map(|_| ())
            }
            answer => answer.map(|_| ()),
        };
        ask(&arr2(&[[1.0, 2.0], [3.0, 4.0]])).unwrap();
        let error = ask(&arr2(&[[1.0], [2.0]])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{op_type}: {error}");
        let run = model.run([("X", Value::from(Array2::<f32>::ones((2, 1))))]);
        let kind = run.unwrap_err().kind();
        assert_eq!(kind, ErrorKind::InvalidInput, "{op_type}");
    }
}
