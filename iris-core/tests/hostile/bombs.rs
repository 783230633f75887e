//! A few bytes that ask for much memory, as a model is loaded and as it runs.

use iris_core::ErrorKind::{InvalidModel, LimitExceeded};
use iris_core::{LoadOptions, Model, Value};
use ndarray::Array2;
use prost::Message;
use tract_onnx::pb::{FunctionProto, NodeProto, TensorProto};

use crate::common::onnx::*;
use crate::recursion::{call, function, with_functions};
use crate::{attack, check};

/// onnxruntime#28730: 152 bytes that allocate 287 MB, or 108 PB, while the model is loaded; #28055 (2026): Expand.
#[test]
fn bombs() {
    let fill = |dims: &[i64]| {
        bytes(
            vec![
                node("ConstantOfShape", &["dims"], &["B"]),
                node("Identity", &["B"], &["Y"]),
            ],
            vec![int_tensor("dims", dims)],
        )
    };
    let of = |op_type: &str, inputs: &[&str], constants: Vec<TensorProto>| {
        bytes(vec![node(op_type, inputs, &["Y"])], constants)
    };
    let one = || float_tensor("one", &[1], &[1.0]);
    let many = [1_i64 << 40];
    check(vec![
        attack(
            "ConstantOfShape of 287 MB (onnxruntime#28730)",
            fill(&[75_000_000]),
            LimitExceeded,
            "load_bytes of 67108864",
        ),
        attack(
            "ConstantOfShape of 108 PB (onnxruntime#28730)",
            fill(&[17_592_186_044_800, 1537]),
            LimitExceeded,
            "load_bytes",
        ),
        attack(
            "ConstantOfShape whose size overflows",
            fill(&[1 << 32, 1 << 32]),
            LimitExceeded,
            "load_bytes",
        ),
        attack(
            "ConstantOfShape of a negative size",
            fill(&[-1]),
            InvalidModel,
            "is not possible",
        ),
        attack(
            "Expand (onnxruntime#28055)",
            of(
                "Expand",
                &["one", "shape"],
                vec![one(), int_tensor("shape", &many)],
            ),
            LimitExceeded,
            "load_bytes",
        ),
        attack(
            "Expand of an input",
            of(
                "Expand",
                &["X", "shape"],
                vec![int_tensor("shape", &[1 << 30, 1, 2])],
            ),
            LimitExceeded,
            "load_bytes",
        ),
        attack(
            "Pad",
            of(
                "Pad",
                &["one", "pads"],
                vec![one(), int_tensor("pads", &[0, 1 << 40])],
            ),
            LimitExceeded,
            "load_bytes",
        ),
        attack(
            "Tile",
            of(
                "Tile",
                &["one", "repeats"],
                vec![one(), int_tensor("repeats", &many)],
            ),
            LimitExceeded,
            "load_bytes",
        ),
        attack(
            "Range",
            of(
                "Range",
                &["a", "b", "c"],
                vec![
                    int_scalar("a", 0),
                    int_scalar("b", 1 << 40),
                    int_scalar("c", 1),
                ],
            ),
            LimitExceeded,
            "load_bytes",
        ),
        attack(
            "a sparse constant",
            sparse(&[1 << 40]),
            LimitExceeded,
            "load_bytes",
        ),
        attack(
            "functions that call functions twice",
            doubling(30),
            LimitExceeded,
            "than the limit",
        ),
        attack(
            "EyeLike of an input of 1 TB",
            of_input(&[1000, 1 << 28], vec![node("EyeLike", &["X"], &["Y"])]),
            LimitExceeded,
            "load_bytes of 67108864",
        ),
        attack(
            "ConstantOfShape, each of which is allowed",
            bytes(
                joined("ConstantOfShape", "dims"),
                vec![int_tensor("dims", &[2000, 4000])],
            ),
            LimitExceeded,
            "what nodes make of constants",
        ),
    ]);
}

/// A model of an input of `dims`.
fn of_input(dims: &[i64], nodes: Vec<NodeProto>) -> Vec<u8> {
    let mut graph = graph(nodes, vec![]);
    graph.input = vec![info("X", dims)];
    model(graph).encode_to_vec()
}

/// Eight nodes of `op_type`, all of which are needed.
fn joined(op_type: &str, input: &str) -> Vec<NodeProto> {
    let names: Vec<String> = (0..8).map(|i| format!("made_{i}")).collect();
    let mut nodes: Vec<_> = names
        .iter()
        .map(|name| node(op_type, &[input], &[name]))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nodes.push(node("Sum", &names, &["Y"]));
    nodes
}

/// A model that has a sparse constant of one value.
fn sparse(dims: &[i64]) -> Vec<u8> {
    changed_graph(|graph| {
        let sparse = tract_onnx::pb::SparseTensorProto {
            values: Some(float_tensor("s", &[1], &[1.0])),
            indices: Some(int_tensor("", &[0])),
            dims: dims.into(),
        };
        graph.sparse_initializer.push(sparse);
    })
}

/// Functions each of which calls the next twice.
fn doubling(levels: usize) -> Vec<u8> {
    let body = |level: usize| {
        let next = format!("F{}", level + 1);
        let calls = vec![call(&next, "a", "t"), call(&next, "t", "c")];
        function(&format!("F{level}"), calls)
    };
    let mut functions: Vec<FunctionProto> = (0..levels).map(body).collect();
    functions.push(function(
        &format!("F{levels}"),
        vec![node("Neg", &["a"], &["c"])],
    ));
    with_functions(functions)
}

/// What a run makes is limited, too: 16 bytes that ask for 8 GiB.
#[test]
fn bombs_that_go_off_in_a_run() {
    let shape = node("ConstantOfShape", &["shape"], &["Y"]);
    let mut cast = node("Cast", &["row"], &["shape"]);
    cast.attribute.push(int("to", 7));
    let nodes = vec![node("Reshape", &["X", "two"], &["row"]), cast, shape];
    let mut graph = graph(nodes, vec![int_tensor("two", &[2])]);
    graph.input = vec![info("X", &[1, 2])];
    let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
    let run = |side: f32| {
        let rows = Value::from(Array2::from_elem((1, 2), side));
        model.run([("X", rows)])
    };
    assert_eq!(run(3.0).unwrap()[0].1.shape(), [3, 3]);
    let error = run(46_341.0).unwrap_err();
    assert_eq!(error.kind(), LimitExceeded, "{error}");
    assert!(
        error.to_string().contains("run_bytes of 100663296"),
        "{error}"
    );

    let all_pairs = vec![
        with(
            node("Transpose", &["X"], &["T"]),
            vec![ints("perm", &[1, 0])],
        ),
        node("MatMul", &["X", "T"], &["Y"]),
    ];
    let mut options = LoadOptions::default();
    options.limits.row_bytes = 1000;
    let model = Model::from_bytes_with(bytes(all_pairs, vec![]), &options).unwrap();
    let rows = |n| Value::from(Array2::<f32>::zeros((n, 2)));
    assert!(model.run([("X", rows(100))]).is_ok());
    let error = model.run([("X", rows(10_000))]).unwrap_err();
    assert_eq!(error.kind(), LimitExceeded, "{error}");
    assert!(error.to_string().contains("10000 rows"), "{error}");
}

/// Matrices each of which is allowed, but not all of them together in one call.
#[test]
fn matrices_of_one_call_are_counted_together() {
    let model = of_input(&[2000, 2000], joined("EyeLike", "X"));
    let model = Model::from_bytes(model).unwrap();
    let x = Value::from(ndarray::Array2::<f32>::zeros((2000, 2000)));
    let error = model.run([("X", x)]).unwrap_err();
    assert_eq!(error.kind(), LimitExceeded, "{error}");
}
