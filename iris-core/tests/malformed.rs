//! Files that are not what they should be: each must give an error that says so, and none may panic.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::needless_borrows_for_generic_args
)]

mod common;

use common::onnx::{
    self, changed, changed_svm as attribute, iris, with_initializer as initializer,
};
use common::{Random, model_path};
use iris_core::{Elements, ErrorKind, LoadOptions, Model, TensorView, Value};
use ndarray::array;
use prost::Message;
use tract_onnx::pb::{TensorProto, tensor_proto};

#[test]
fn names_the_culprit() {
    use ErrorKind::{InvalidAttribute, InvalidModel, Parse, UnsupportedOperator};
    let graph = |change: fn(&mut tract_onnx::pb::GraphProto)| {
        changed(|model| change(model.graph.as_mut().unwrap()))
    };
    let float = tensor_proto::DataType::Float as i32;
    let cases: Vec<(&str, Vec<u8>, ErrorKind, &str)> = vec![
        ("empty", vec![], Parse, "empty"),
        (
            "text",
            b"import sklearn\nprint('hello')\n".to_vec(),
            Parse,
            "not an ONNX model",
        ),
        (
            "html",
            b"<!DOCTYPE html><html><body>404</body></html>".to_vec(),
            Parse,
            "not an ONNX model",
        ),
        ("zeros", vec![0; 100], Parse, "not an ONNX model"),
        (
            "pickle",
            b"\x80\x04\x95\x10\x00\x00\x00".to_vec(),
            Parse,
            "not an ONNX model",
        ),
        ("no graph", changed(|m| m.graph = None), Parse, "no graph"),
        (
            "no operator set",
            changed(|m| m.opset_import.clear()),
            Parse,
            "no operator set",
        ),
        (
            "future operator set",
            changed(|m| m.opset_import[0].version = 1000),
            UnsupportedOperator,
            "1000: versions 1 to",
        ),
        (
            "unknown operator",
            graph(|g| g.node[0].op_type = "Frobnicate".into()),
            UnsupportedOperator,
            r#"node "SVMc" (Frobnicate): operator Frobnicate of ai.onnx.ml version 1"#,
        ),
        (
            "wrong domain",
            graph(|g| g.node[0].domain.clear()),
            UnsupportedOperator,
            "operator SVMClassifier of ai.onnx version 9",
        ),
        (
            "unimported domain",
            graph(|g| g.node[0].domain = "com.example".into()),
            UnsupportedOperator,
            "does not import operator set com.example",
        ),
        (
            "no output",
            graph(|g| g.output.clear()),
            InvalidModel,
            "no output",
        ),
        (
            "unknown output",
            graph(|g| g.output[1].name = "nothing".into()),
            InvalidModel,
            r#"output "nothing": nothing in the graph makes it"#,
        ),
        (
            "same output twice",
            graph(|g| g.output[1].name = g.output[0].name.clone()),
            InvalidModel,
            "defined twice",
        ),
        (
            "an attribute of our own making",
            graph(|g| {
                let mut attribute = g.node[0].attribute[0].clone();
                attribute.name = "iris_core.assumed".into();
                g.node[0].attribute.push(attribute);
            }),
            InvalidModel,
            "iris_core.assumed: not for files",
        ),
        (
            "unknown input",
            graph(|g| g.node[0].input[0] = "Z".into()),
            InvalidModel,
            r#"node "SVMc" (SVMClassifier): input "Z""#,
        ),
        (
            "cycle",
            graph(|g| g.node[0].input[0] = "probabilities".into()),
            InvalidModel,
            r#"input "probabilities": nothing before this node makes it"#,
        ),
        (
            "no input",
            graph(|g| g.node[0].input.clear()),
            InvalidModel,
            "expected 1 input, got 0",
        ),
        (
            "a node without outputs",
            graph(|g| g.node.push(onnx::node("MatMul", &["X", "X"], &[]))),
            InvalidModel,
            r#"node "matmul" (MatMul): the node has no output"#,
        ),
        (
            "name defined twice",
            graph(|g| g.node[1].output[0] = "label".into()),
            InvalidModel,
            r#""label" is defined twice"#,
        ),
        (
            "untyped input",
            graph(|g| g.input[0].r#type = None),
            InvalidModel,
            r#"input "X""#,
        ),
        (
            "external data",
            initializer(TensorProto {
                name: "w".into(),
                data_type: float,
                dims: vec![1],
                data_location: Some(tensor_proto::DataLocation::External as i32),
                ..TensorProto::default()
            }),
            InvalidModel,
            r#"initializer "w": its data lies in another file"#,
        ),
        (
            "huge tensor",
            initializer(TensorProto {
                name: "w".into(),
                data_type: float,
                dims: vec![i64::MAX, i64::MAX],
                ..TensorProto::default()
            }),
            InvalidModel,
            "are not possible",
        ),
        (
            "negative dimension",
            initializer(TensorProto {
                name: "w".into(),
                data_type: float,
                dims: vec![-1],
                ..TensorProto::default()
            }),
            InvalidModel,
            "dimensions [-1] are not possible",
        ),
        (
            "short tensor",
            initializer(TensorProto {
                name: "w".into(),
                data_type: float,
                dims: vec![3],
                float_data: vec![1.0],
                ..TensorProto::default()
            }),
            InvalidModel,
            "need 3 elements, but it holds 1",
        ),
        (
            "short rho",
            attribute("rho", |a| a.floats.truncate(1)),
            InvalidAttribute,
            r#"node "SVMc" (SVMClassifier): attribute rho: expected 3 values, got 1"#,
        ),
        (
            "short coefficients",
            attribute("coefficients", |a| a.floats.truncate(7)),
            InvalidAttribute,
            "attribute coefficients: expected 120 values, got 7",
        ),
        (
            "ragged support vectors",
            attribute("support_vectors", |a| a.floats.truncate(239)),
            InvalidAttribute,
            "attribute support_vectors: 239 values do not make 60 vectors",
        ),
        (
            "negative vectors",
            attribute("vectors_per_class", |a| a.ints[0] = -7),
            InvalidAttribute,
            "attribute vectors_per_class: -7 vectors",
        ),
        (
            "overflowing vectors",
            attribute("vectors_per_class", |a| {
                a.ints = vec![i64::MAX; 3];
            }),
            InvalidAttribute,
            "attribute vectors_per_class",
        ),
        (
            "retyped attribute",
            attribute("rho", |a| a.r#type = 7),
            InvalidAttribute,
            "attribute rho: expected FLOATS, got INTS",
        ),
        (
            "unknown kernel",
            attribute("kernel_type", |a| a.s = b"CUBIC".to_vec()),
            InvalidAttribute,
            r#"attribute kernel_type: unknown value "CUBIC""#,
        ),
        (
            "unknown attribute",
            attribute("prob_a", |a| a.name = "prob_z".into()),
            InvalidAttribute,
            "attribute prob_",
        ),
    ];
    for (name, bytes, kind, message) in cases {
        let error = Model::from_bytes(&bytes).expect_err(name);
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(message), "{name}: {error}");
        assert!(!error.to_string().contains("panicked"), "{name}: {error}");
    }
}

#[test]
fn limits_are_kept() {
    let bytes = iris();
    let mut options = LoadOptions::default();
    options.limits.file_bytes = bytes.len() - 1;
    for error in [
        Model::from_bytes_with(&bytes, &options).unwrap_err(),
        Model::from_path_with(model_path("iris.onnx"), &options).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
        assert!(error.to_string().contains("2307"), "{error}");
    }
    options.limits.file_bytes += 1;
    options.limits.nodes = 1;
    let error = Model::from_bytes_with(&bytes, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    options.limits.nodes = 2;
    assert!(Model::from_bytes_with(&bytes, &options).is_ok());
}

/// Each limit, set lower than what the iris model or a call of it takes, gives an error that names it and its value.
#[test]
fn limits_name_themselves() {
    let rows = || Value::from(ndarray::Array2::<f32>::zeros((1000, 4)));
    type Set = fn(&mut iris_core::Limits);
    let at_load: [(&str, Set, Vec<u8>); 7] = [
        ("file_bytes of 100", |l| l.file_bytes = 100, iris()),
        ("nodes of 1", |l| l.nodes = 1, iris()),
        ("attribute_len of 100", |l| l.attribute_len = 100, iris()),
        ("tensor_bytes of 7", |l| l.tensor_bytes = 7, constants()),
        (
            "constant_bytes of 15",
            |l| l.constant_bytes = 15,
            constants(),
        ),
        ("planning_steps of 3", |l| l.planning_steps = 3, scan()),
        ("depth of 0", |l| l.depth = 0, scan()),
    ];
    for (message, set, bytes) in at_load {
        let mut options = LoadOptions::default();
        assert!(
            Model::from_bytes_with(&bytes, &options).is_ok(),
            "{message}"
        );
        set(&mut options.limits);
        let error = Model::from_bytes_with(&bytes, &options).expect_err(message);
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
        assert!(error.to_string().contains(message), "{message}: {error}");
    }
    let in_a_call: [(&str, Set, Vec<u8>); 3] = [
        (
            "run_bytes of 500",
            |l| (l.run_bytes, l.row_bytes) = (500, 0),
            iris(),
        ),
        (
            "row_bytes of 1",
            |l| (l.run_bytes, l.row_bytes) = (0, 1),
            iris(),
        ),
        ("loop_trips of 999", |l| l.loop_trips = 999, scan()),
    ];
    for (message, set, bytes) in in_a_call {
        let mut options = LoadOptions::default();
        let model = Model::from_bytes_with(&bytes, &options).expect(message);
        model.run([("X", rows())]).expect(message);
        set(&mut options.limits);
        let model = Model::from_bytes_with(&bytes, &options).expect(message);
        let of_value = model.run([("X", rows())]).expect_err(message);
        let Value::Float(numbers) = rows() else {
            panic!("rows are floats");
        };
        let view = TensorView {
            shape: numbers.shape(),
            elements: Elements::Float(numbers.as_slice().unwrap()),
        };
        let of_view = model.evaluate([("X", view)], &[""; 0]);
        for error in [of_value, of_view.err().expect(message)] {
            assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
            assert!(error.to_string().contains(message), "{message}: {error}");
        }
    }
}

/// The iris model with two constants of 8 bytes.
fn constants() -> Vec<u8> {
    changed(|model| {
        let constants = ["a", "b"].map(|name| onnx::float_tensor(name, &[2], &[0.0; 2]));
        model.graph.as_mut().unwrap().initializer.extend(constants);
    })
}

/// A model that goes through its rows in a loop.
fn scan() -> Vec<u8> {
    let mut body = onnx::graph(vec![onnx::node("Neg", &["row"], &["out"])], vec![]);
    body.input = vec![onnx::info("row", &[4])];
    body.output = vec![onnx::info("out", &[4])];
    let mut scan = onnx::node("Scan", &["X"], &["Y"]);
    scan.attribute = vec![
        onnx::int("num_scan_inputs", 1),
        onnx::subgraph("body", body),
    ];
    let mut graph = onnx::graph(vec![scan], vec![]);
    graph.input = vec![onnx::info("X", &[-1, 4])];
    onnx::model(graph).encode_to_vec()
}

#[test]
fn two_inputs_are_not_one_batch() {
    let bytes = changed(|model| {
        let graph = model.graph.as_mut().unwrap();
        let mut second = graph.input[0].clone();
        second.name = "X2".into();
        graph.input.push(second);
        graph.node[0].input[0] = "sum".into();
        let sum = tract_onnx::pb::NodeProto {
            input: vec!["X".into(), "X2".into()],
            output: vec!["sum".into()],
            op_type: "Add".into(),
            ..Default::default()
        };
        graph.node.insert(0, sum);
    });
    let model = Model::from_bytes(&bytes).unwrap();
    let error = model.predict([[0.0; 4]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error.to_string().contains(r#"2 inputs ("X", "X2")"#),
        "{error}"
    );
    let (x, x2): (Value, Value) = (
        array![[5.0_f32, 3.0, 5.0, 2.0]].into(),
        array![[0.9_f32, 0.0, 0.1, 0.3]].into(),
    );
    let error = model.run([("X", x.clone())]).unwrap_err();
    assert!(
        error.to_string().contains(r#"input "X2": missing"#),
        "{error}"
    );
    let outputs = model.run([("X", x), ("X2", x2)]).unwrap();
    assert_eq!(outputs[0].1, array![2_i64].into());
    let rows = |n_samples| Value::from(ndarray::Array2::<f32>::zeros((n_samples, 4)));
    let error = model.run([("X", rows(3)), ("X2", rows(2))]).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Run),
        "{error}"
    );
}

#[test]
fn truncated_files_are_refused() {
    let bytes = iris();
    for len in 0..bytes.len() {
        let error = Model::from_bytes(&bytes[..len]).expect_err("a part of a model is no model");
        assert!(!error.to_string().contains("panicked"), "{len}: {error}");
    }
}

#[test]
fn random_bytes_are_refused() {
    let mut random = Random(3);
    for round in 0..1000 {
        let bytes: Vec<u8> = (0..random.below(500))
            .map(|_| random.next() as u8)
            .collect();
        assert!(Model::from_bytes(&bytes).is_err(), "round {round}");
    }
}

#[test]
fn mutated_files_give_errors_or_models() {
    let mut random = Random(4);
    for name in ["iris.onnx", "iris_zipmap.onnx", "iris_calibrated.onnx"] {
        let original = std::fs::read(model_path(name)).unwrap();
        for _ in 0..2000 {
            let mut bytes = original.clone();
            for _ in 0..=random.below(3) {
                let place = random.below(bytes.len());
                bytes[place] = random.next() as u8;
            }
            let _ = Model::from_bytes(&bytes).and_then(|m| m.predict([[5.9, 3.0, 5.1, 2.3]]));
        }
    }
}
