//! Attacks on readers of ONNX files that are known in public, mostly from 2024 to 2026, and the error that each gets here.
//!
//! Each names the advisory or the fix it is about: `onnx#` and `onnxruntime#` are pull requests and issues of these
//! repositories. None may panic, take long, or take memory that it did not bring.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::needless_pass_by_value
)]

mod common;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use common::onnx::*;
use iris_core::ErrorKind::{self, InvalidAttribute, InvalidModel, LimitExceeded, Parse};
use iris_core::{Elements, LoadOptions, Model, TensorView, Value};
use ndarray::Array2;
use prost::Message;
use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{
    AttributeProto, FunctionProto, GraphProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, type_proto,
};

struct Attack {
    name: &'static str,
    model: Vec<u8>,
    kind: ErrorKind,
    message: &'static str,
}

fn attack(name: &'static str, model: Vec<u8>, kind: ErrorKind, message: &'static str) -> Attack {
    Attack {
        name,
        model,
        kind,
        message,
    }
}

/// What this thread has had of a processor, whatever else runs beside it; or the time, where that is not told.
fn processor_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn check(attacks: Vec<Attack>) {
    for Attack {
        name,
        model,
        kind,
        message,
    } in attacks
    {
        let start = processor_time();
        let error = Model::from_bytes(&model).expect_err(name);
        let taken = processor_time().saturating_sub(start);
        assert!(taken < Duration::from_secs(1), "{name}: takes {taken:?}");
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(message), "{name}: {error}");
        assert!(!error.to_string().contains("panicked"), "{name}: {error}");
    }
}

/// One node that X goes through.
fn ml(op_type: &str, attributes: &[AttributeProto]) -> Vec<u8> {
    bytes(vec![ml_node(op_type, attributes.to_vec())], vec![])
}

/// `attributes` with another in the place of the one of its name.
fn with(attributes: &[AttributeProto], other: AttributeProto) -> Vec<AttributeProto> {
    let mut attributes = attributes.to_vec();
    attributes.retain(|attribute| attribute.name != other.name);
    attributes.push(other);
    attributes
}

/// A tree of one branch and two leaves, in versions 1 to 3; its votes are called `target` or `class`.
fn stump(votes: &str) -> Vec<AttributeProto> {
    let vote = |what: &str| format!("{votes}_{what}");
    vec![
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[1, 0, 0]),
        strings("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF"]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        floats("nodes_values", &[0.5, 0.0, 0.0]),
        ints(&vote("treeids"), &[0, 0]),
        ints(&vote("nodeids"), &[1, 2]),
        ints(&vote("ids"), &[0, 0]),
        floats(&vote("weights"), &[1.0, 2.0]),
    ]
}

fn regressor() -> Vec<AttributeProto> {
    with(&stump("target"), int("n_targets", 1))
}

fn classifier() -> Vec<AttributeProto> {
    with(&stump("class"), ints("classlabels_int64s", &[0, 1]))
}

/// A tree of one branch and two leaves, in version 5.
fn ensemble() -> Vec<AttributeProto> {
    vec![
        int("n_targets", 1),
        ints("tree_roots", &[0]),
        ints("nodes_featureids", &[0]),
        tensor("nodes_modes", byte_tensor(&[1], &[0])),
        tensor("nodes_splits", float_tensor("", &[1], &[0.5])),
        ints("nodes_truenodeids", &[0]),
        ints("nodes_trueleafs", &[1]),
        ints("nodes_falsenodeids", &[1]),
        ints("nodes_falseleafs", &[1]),
        ints("leaf_targetids", &[0, 0]),
        tensor("leaf_weights", float_tensor("", &[2], &[1.0, 2.0])),
    ]
}

#[test]
fn what_the_attacks_are_made_of_is_right() {
    for (name, model) in [
        ("regressor", ml("TreeEnsembleRegressor", &regressor())),
        ("ensemble", ml("TreeEnsemble", &ensemble())),
        ("SVMRegressor", ml("SVMRegressor", &svm_regressor())),
    ] {
        let model = Model::from_bytes(model).expect(name);
        let rows = Value::from(Array2::<f32>::zeros((1, 2)));
        model.run([("X", rows)]).expect(name);
    }
    let mut node = ml_node("TreeEnsembleClassifier", classifier());
    node.output.push("scores".into());
    Model::from_bytes(bytes(vec![node], vec![])).expect("classifier");
}

/// onnxruntime#21595 (2024, heap overflow), #27571 (2026, no check in the classifier), #27531, #27677, #27951 (2026,
/// targets and classes out of bounds), and node ids that form a loop, on which onnxruntime 1.32 hangs.
#[test]
fn trees() {
    let regressor = regressor();
    let classifier = classifier();
    let of = |attribute| ml("TreeEnsembleRegressor", &with(&regressor, attribute));
    let classifier_of = |attribute| ml("TreeEnsembleClassifier", &with(&classifier, attribute));
    let ensemble = ensemble();
    let ensemble_of = |attribute| ml("TreeEnsemble", &with(&ensemble, attribute));
    check(vec![
        attack(
            "fewer weights than targets (onnxruntime#21595)",
            of(floats("target_weights", &[1.0])),
            InvalidAttribute,
            "target_weights: expected 2 values, got 1",
        ),
        attack(
            "fewer tree ids than targets (onnxruntime#27677)",
            of(ints("target_treeids", &[0])),
            InvalidAttribute,
            "target_treeids: expected 2 values, got 1",
        ),
        attack(
            "a target that is not there (onnxruntime#27951)",
            of(ints("target_ids", &[0, 7])),
            InvalidAttribute,
            "target_ids",
        ),
        attack(
            "a negative target",
            of(ints("target_ids", &[0, -1])),
            InvalidAttribute,
            "target_ids",
        ),
        attack(
            "a huge number of targets",
            of(int("n_targets", i64::MAX)),
            InvalidAttribute,
            "n_targets",
        ),
        attack(
            "a negative number of targets",
            of(int("n_targets", -1)),
            InvalidAttribute,
            "n_targets",
        ),
        attack(
            "a negative feature (onnxruntime#27677)",
            of(ints("nodes_featureids", &[-1, 0, 0])),
            InvalidAttribute,
            "nodes_featureids",
        ),
        attack(
            "a feature that 32 bits do not hold (onnxruntime#27677)",
            of(ints("nodes_featureids", &[(1 << 32) + 1, 0, 0])),
            InvalidAttribute,
            "nodes_featureids",
        ),
        attack(
            "base values of another number (onnxruntime#27677)",
            of(floats("base_values", &[1.0, 2.0, 3.0])),
            InvalidAttribute,
            "base_values",
        ),
        attack(
            "a vote of a node that is not there",
            of(ints("target_nodeids", &[1, 9])),
            InvalidAttribute,
            "target_nodeids",
        ),
        attack(
            "a vote of a tree that is not there",
            of(ints("target_treeids", &[0, 9])),
            InvalidAttribute,
            "target_treeids",
        ),
        attack(
            "a child that is not there",
            of(ints("nodes_truenodeids", &[9, 0, 0])),
            InvalidAttribute,
            "nodes_truenodeids",
        ),
        attack(
            "a node that is its own child",
            of(ints("nodes_truenodeids", &[0, 0, 0])),
            InvalidAttribute,
            "node",
        ),
        attack(
            "a node id twice",
            of(ints("nodes_nodeids", &[0, 1, 1])),
            InvalidAttribute,
            "node",
        ),
        attack(
            "node ids at the ends of 64 bits",
            of(ints("nodes_nodeids", &[i64::MAX, i64::MIN, 0])),
            InvalidAttribute,
            "node",
        ),
        attack(
            "fewer modes than nodes",
            of(strings("nodes_modes", &["BRANCH_LEQ"])),
            InvalidAttribute,
            "nodes_modes: expected 3 values, got 1",
        ),
        attack(
            "fewer values than nodes",
            of(floats("nodes_values", &[0.5])),
            InvalidAttribute,
            "nodes_values: expected 3 values, got 1",
        ),
        attack(
            "an unknown mode",
            of(strings("nodes_modes", &["BRANCH_MAYBE", "LEAF", "LEAF"])),
            InvalidAttribute,
            "nodes_modes",
        ),
        attack(
            "no nodes",
            ml("TreeEnsembleRegressor", &[]),
            InvalidAttribute,
            "",
        ),
        attack(
            "class arrays of several lengths (onnxruntime#27571)",
            classifier_of(ints("class_nodeids", &[1])),
            InvalidAttribute,
            "class_nodeids: expected 2 values, got 1",
        ),
        attack(
            "a class that is not there (onnxruntime#27531)",
            classifier_of(ints("class_ids", &[0, 2])),
            InvalidAttribute,
            "class_ids",
        ),
        attack(
            "a negative class (onnxruntime#27531)",
            classifier_of(ints("class_ids", &[0, -1])),
            InvalidAttribute,
            "class_ids",
        ),
        attack(
            "no classes",
            classifier_of(ints("classlabels_int64s", &[])),
            InvalidAttribute,
            "classlabels",
        ),
        attack(
            "a leaf that is not there",
            ensemble_of(ints("nodes_falsenodeids", &[2])),
            InvalidAttribute,
            "nodes_falsenodeids",
        ),
        attack(
            "a negative leaf",
            ensemble_of(ints("nodes_truenodeids", &[-1])),
            InvalidAttribute,
            "nodes_truenodeids",
        ),
        attack(
            "a root that is not there",
            ensemble_of(ints("tree_roots", &[1])),
            InvalidAttribute,
            "tree_roots",
        ),
        attack(
            "a target of a leaf that is not there",
            ensemble_of(ints("leaf_targetids", &[0, 1])),
            InvalidAttribute,
            "leaf_targetids",
        ),
        attack(
            "a branch that is its own child",
            ml(
                "TreeEnsemble",
                &with(
                    &with(&ensemble, ints("nodes_trueleafs", &[0])),
                    ints("nodes_truenodeids", &[0]),
                ),
            ),
            InvalidAttribute,
            "node",
        ),
        attack(
            "leaf weights that are a scalar (onnx#8336)",
            ensemble_of(tensor("leaf_weights", float_tensor("", &[], &[1.0]))),
            InvalidAttribute,
            "leaf_weights",
        ),
        attack(
            "modes that there are no numbers for",
            ensemble_of(tensor("nodes_modes", byte_tensor(&[1], &[77]))),
            InvalidAttribute,
            "nodes_modes",
        ),
    ]);
}

/// A loop over many nodes: tree walks that trust ids never end.
#[test]
fn long_loops_in_trees() {
    let n = 1000_i64;
    let ids: Vec<i64> = (0..n).collect();
    let next: Vec<i64> = (0..n).map(|id| (id + 1) % n).collect();
    let branches = vec!["BRANCH_LEQ"; n as usize];
    let attributes = vec![
        int("n_targets", 1),
        ints("nodes_treeids", &vec![0; n as usize]),
        ints("nodes_nodeids", &ids),
        ints("nodes_featureids", &vec![0; n as usize]),
        strings("nodes_modes", &branches),
        ints("nodes_truenodeids", &next),
        ints("nodes_falsenodeids", &next),
        floats("nodes_values", &vec![0.0; n as usize]),
        ints("target_treeids", &[0]),
        ints("target_nodeids", &[0]),
        ints("target_ids", &[0]),
        floats("target_weights", &[1.0]),
    ];
    let model = ml("TreeEnsembleRegressor", &attributes);
    check(vec![attack("a ring", model, InvalidAttribute, "node")]);
}

fn svm_regressor() -> Vec<AttributeProto> {
    vec![
        string("kernel_type", "LINEAR"),
        floats("kernel_params", &[0.5, 0.0, 3.0]),
        int("n_supports", 2),
        floats("support_vectors", &[1.0, 0.0, 0.0, 1.0]),
        floats("coefficients", &[1.0, -1.0]),
        floats("rho", &[0.1]),
    ]
}

/// onnxruntime#27699, #27901, #27950, #27952, #28001, #28255 (2026), CVE-less at the time: reads behind the attributes.
#[test]
fn support_vector_machines() {
    let regressor = svm_regressor();
    let of = |attribute| ml("SVMRegressor", &with(&regressor, attribute));
    let linear = [
        floats("coefficients", &[1.0, 2.0, 3.0]),
        floats("intercepts", &[0.0, 0.0]),
        ints("classlabels_ints", &[0, 1]),
    ];
    check(vec![
        attack(
            "few coefficients (onnxruntime#27901)",
            of(floats("coefficients", &[1.0])),
            InvalidAttribute,
            "coefficients: expected 2 values, got 1",
        ),
        attack(
            "no rho (onnxruntime#27901)",
            of(floats("rho", &[])),
            InvalidAttribute,
            "rho",
        ),
        attack(
            "few support vectors (onnxruntime#27901)",
            of(floats("support_vectors", &[1.0, 0.0, 0.0])),
            InvalidAttribute,
            "support_vectors",
        ),
        attack(
            "no support vectors",
            of(floats("support_vectors", &[])),
            InvalidAttribute,
            "support_vectors",
        ),
        attack(
            "a huge number of vectors (onnxruntime#28001)",
            of(int("n_supports", i64::MAX)),
            InvalidAttribute,
            "",
        ),
        attack(
            "a negative number of vectors",
            of(int("n_supports", -2)),
            InvalidAttribute,
            "n_supports",
        ),
        attack(
            "few kernel parameters",
            of(floats("kernel_params", &[0.5])),
            InvalidAttribute,
            "kernel_params",
        ),
        attack(
            "short rho of a classifier (onnxruntime#27699)",
            changed_svm("rho", |a| a.floats.truncate(1)),
            InvalidAttribute,
            "rho: expected 3 values, got 1",
        ),
        attack(
            "short probabilities",
            changed_svm("prob_a", |a| a.floats.truncate(2)),
            InvalidAttribute,
            "prob_a",
        ),
        attack(
            "a negative number of vectors of a class (onnxruntime#27952)",
            changed_svm("vectors_per_class", |a| a.ints[1] = -1),
            InvalidAttribute,
            "vectors_per_class: -1 vectors",
        ),
        attack(
            "vectors of a class that overflow (onnxruntime#27952)",
            changed_svm("vectors_per_class", |a| a.ints = vec![i64::MAX; 3]),
            InvalidAttribute,
            "vectors_per_class",
        ),
        attack(
            "vectors of more classes than there are (onnxruntime#27952)",
            changed_svm("vectors_per_class", |a| a.ints.push(1)),
            InvalidAttribute,
            "vectors_per_class",
        ),
        attack(
            "coefficients of classes and features that do not go together (onnxruntime#27989)",
            ml("LinearClassifier", &linear),
            InvalidAttribute,
            "coefficients",
        ),
    ]);
}

/// onnx: CVE-2024-27319 (read behind the data), onnx#8032 (2026, write behind it).
#[test]
fn tensors() {
    let raw = |dims: &[i64], raw_data: &[u8]| {
        with_initializer(TensorProto {
            raw_data: raw_data.into(),
            ..float_tensor("w", dims, &[])
        })
    };
    let dims = |dims: &[i64]| with_initializer(float_tensor("w", dims, &[]));
    check(vec![
        attack(
            "raw data shorter than its shape",
            raw(&[4], &[0; 8]),
            InvalidModel,
            "need 16 bytes, but it holds 8",
        ),
        attack(
            "raw data longer than its shape",
            raw(&[1], &[0; 8]),
            InvalidModel,
            "need 4 bytes, but it holds 8",
        ),
        attack(
            "raw data of no whole number of elements (onnx#8032)",
            raw(&[2], &[0; 7]),
            InvalidModel,
            "need 8 bytes, but it holds 7",
        ),
        attack(
            "a negative dimension",
            dims(&[-4]),
            InvalidModel,
            "dimensions [-4] are not possible",
        ),
        attack(
            "two negative dimensions",
            dims(&[-2, -2]),
            InvalidModel,
            "are not possible",
        ),
        attack(
            "a huge dimension",
            dims(&[i64::MAX]),
            InvalidModel,
            "dimensions",
        ),
        attack(
            "dimensions whose product is 0 modulo 2⁶⁴",
            dims(&[1 << 32, 1 << 32]),
            InvalidModel,
            "are not possible",
        ),
        attack(
            "no elements, in as many rows as there are numbers",
            dims(&[1 << 60, 0]),
            LimitExceeded,
            "load_bytes of 67108864",
        ),
        attack(
            "many dimensions",
            with_initializer(float_tensor("w", &[1; 100_000], &[1.0])),
            InvalidModel,
            "100000 dimensions",
        ),
        attack(
            "an unknown element type",
            with_initializer(TensorProto {
                data_type: 99,
                ..float_tensor("w", &[1], &[1.0])
            }),
            InvalidModel,
            "unknown element type 99",
        ),
        attack(
            "an input of many dimensions",
            changed_graph(|g| g.input[0] = info("X", &[1; 100])),
            InvalidModel,
            "100 dimensions",
        ),
    ]);
}

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

fn function(name: &str, node: Vec<NodeProto>) -> FunctionProto {
    FunctionProto {
        name: Some(name.into()),
        domain: Some("local".into()),
        input: vec!["a".into()],
        output: vec!["c".into()],
        node,
        opset_import: vec![OperatorSetIdProto {
            domain: "local".into(),
            version: 1,
        }],
        ..FunctionProto::default()
    }
}

fn call(name: &str, input: &str, output: &str) -> NodeProto {
    NodeProto {
        domain: "local".into(),
        ..node(name, &[input], &[output])
    }
}

fn with_functions(functions: Vec<FunctionProto>) -> Vec<u8> {
    let mut model = model(graph(vec![call("F0", "X", "Y")], vec![]));
    model.functions = functions;
    model.encode_to_vec()
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

/// If nodes, each in a branch of the one before.
fn nested(depth: usize) -> GraphProto {
    let constant = vec![TensorProto {
        data_type: 9,
        raw_data: vec![1],
        ..float_tensor("yes", &[], &[])
    }];
    let inner = if depth == 0 {
        vec![node("Neg", &["X"], &["Y"])]
    } else {
        let mut branch = node("If", &["yes"], &["Y"]);
        for name in ["then_branch", "else_branch"] {
            let mut graph = nested(depth - 1);
            graph.input.clear();
            branch.attribute.push(subgraph(name, graph));
            if depth > 4 && name == "then_branch" {
                // One deep branch is deep enough: two would be 2^depth graphs.
                let mut shallow = graph_of_neg();
                shallow.input.clear();
                branch.attribute.push(subgraph("else_branch", shallow));
                break;
            }
        }
        vec![branch]
    };
    graph(inner, constant)
}

/// A loop over one input, but for what `changed` says.
fn scan(inputs: &[&str], changed: AttributeProto) -> NodeProto {
    let mut attribute = vec![int("num_scan_inputs", 1), subgraph("body", graph_of_neg())];
    attribute.retain(|attribute| attribute.name != changed.name);
    attribute.push(changed);
    NodeProto {
        attribute,
        ..node("Scan", inputs, &["Y"])
    }
}

fn graph_of_neg() -> GraphProto {
    graph(vec![node("Neg", &["X"], &["Y"])], vec![])
}

/// onnxruntime#28187, onnx#8171 (2026): functions that call themselves; onnxruntime#32344, #29617 (2026): deep nesting.
#[test]
fn recursion() {
    let rename = |depth| {
        let mut model = model(nested(depth));
        let mut level = 0;
        rename_constants(model.graph.as_mut().unwrap(), &mut level);
        model.encode_to_vec()
    };
    let mut in_branch = node("If", &["a"], &["c"]);
    for name in ["then_branch", "else_branch"] {
        let mut body = graph(vec![call("F0", "a", "Y")], vec![]);
        body.input.clear();
        in_branch.attribute.push(subgraph(name, body));
    }
    check(vec![
        attack(
            "a function that calls itself",
            with_functions(vec![function("F0", vec![call("F0", "a", "c")])]),
            LimitExceeded,
            "functions call functions more than 32 deep",
        ),
        attack(
            "functions that call each other",
            with_functions(vec![
                function("F0", vec![call("F1", "a", "c")]),
                function("F1", vec![call("F0", "a", "c")]),
            ]),
            LimitExceeded,
            "functions call functions more than 32 deep",
        ),
        attack(
            "a function that calls itself in a branch (onnx#8171)",
            with_functions(vec![function("F0", vec![in_branch])]),
            LimitExceeded,
            "than the limit",
        ),
        attack(
            "graphs in graphs (onnxruntime#32344)",
            rename(20),
            LimitExceeded,
            "depth of 16",
        ),
        attack(
            "more graphs in graphs than protobuf reads",
            rename(60),
            Parse,
            "recursion limit",
        ),
    ]);
    let model = Model::from_bytes(rename(8)).expect("eight graphs in each other are fine");
    let rows = Value::from(Array2::<f32>::ones((1, 2)));
    assert_eq!(
        model.run([("X", rows)]).unwrap()[0].1,
        Value::from(-Array2::<f32>::ones((1, 2)))
    );
}

/// Gives the constants of nested graphs different names, which ONNX wants.
fn rename_constants(graph: &mut GraphProto, level: &mut usize) {
    *level += 1;
    let name = format!("yes_{level}");
    for constant in &mut graph.initializer {
        constant.name.clone_from(&name);
    }
    for node in &mut graph.node {
        for input in node.input.iter_mut().filter(|input| *input == "yes") {
            input.clone_from(&name);
        }
        for inner in node
            .attribute
            .iter_mut()
            .filter_map(|attribute| attribute.g.as_mut())
        {
            rename_constants(inner, level);
        }
    }
}

#[test]
fn graphs() {
    let of = |nodes: &[NodeProto]| bytes(nodes.to_vec(), vec![]);
    check(vec![
        attack(
            "a node that reads what it makes",
            of(&[node("Add", &["X", "Y"], &["Y"])]),
            InvalidModel,
            "nothing before this node makes it",
        ),
        attack(
            "two nodes that read each other",
            of(&[
                node("Add", &["X", "b"], &["a"]),
                node("Neg", &["a"], &["b"]),
                node("Neg", &["b"], &["Y"]),
            ]),
            InvalidModel,
            "nothing before this node makes it",
        ),
        attack(
            "one index without a dimension, of all that GatherND has",
            bytes(
                vec![node("GatherND", &["X", "i"], &["Y"])],
                vec![int_scalar("i", -1)],
            ),
            InvalidModel,
            "input indices: shape",
        ),
        attack(
            "a node without the inputs that it reads",
            of(&[node("Pad", &[], &["Y"])]),
            InvalidModel,
            "expected 1 to 4 inputs, got 0",
        ),
        attack(
            "a name that two nodes make",
            of(&[node("Neg", &["X"], &["Y"]), node("Abs", &["X"], &["Y"])]),
            InvalidModel,
            r#""Y" is defined twice"#,
        ),
        attack(
            "a name that is an input and made",
            of(&[node("Neg", &["X"], &["X"]), node("Neg", &["X"], &["Y"])]),
            InvalidModel,
            r#""X" is defined twice"#,
        ),
        attack(
            "an output that nothing makes",
            of(&[node("Neg", &["X"], &["Z"])]),
            InvalidModel,
            r#"output "Y": nothing in the graph makes it"#,
        ),
        attack(
            "no nodes",
            of(&[]),
            InvalidModel,
            "nothing in the graph makes it",
        ),
        attack(
            "an attribute twice",
            ml(
                "Scaler",
                &[floats("scale", &[1.0]), floats("scale", &[2.0])],
            ),
            InvalidModel,
            r#""scale" is defined twice"#,
        ),
        attack(
            "an output that the operator does not have",
            of(&[node("Neg", &["X"], &["Y", "Z"])]),
            InvalidModel,
            "",
        ),
        attack(
            "too many dimensions counted down",
            bytes(
                vec![NodeProto {
                    attribute: vec![int("axis", i64::MIN)],
                    ..node("Concat", &["X"], &["Y"])
                }],
                vec![],
            ),
            InvalidAttribute,
            "axis",
        ),
        attack(
            "an axis counted down from more dimensions than there are",
            bytes(
                vec![NodeProto {
                    attribute: vec![int("axis", i64::MIN)],
                    ..node("Softmax", &["X"], &["Y"])
                }],
                vec![],
            ),
            InvalidModel,
            "axis",
        ),
        attack(
            "an axis that goes to itself: tract never ends",
            bytes(
                vec![NodeProto {
                    attribute: vec![ints("perm", &[1, 1])],
                    ..node("Transpose", &["X"], &["Y"])
                }],
                vec![],
            ),
            InvalidAttribute,
            "perm: [1, 1] is no permutation",
        ),
        attack(
            "a scalar that is not there: tract reads it all the same",
            bytes(
                vec![node("Clip", &["X", "none", "none"], &["Y"])],
                vec![float_tensor("none", &[0], &[])],
            ),
            InvalidModel,
            "expected a value, there may be none",
        ),
        attack(
            "a loop over inputs that are not there",
            bytes(vec![scan(&["X"], int("num_scan_inputs", 1 << 40))], vec![]),
            InvalidAttribute,
            "num_scan_inputs",
        ),
        attack(
            "a loop of fewer states than none",
            bytes(vec![scan(&["X"], int("num_scan_inputs", 2))], vec![]),
            InvalidModel,
            "num_scan_inputs: 2 for a body of 1 inputs and 1 outputs",
        ),
        attack(
            "a loop of more states than its body gives",
            bytes(vec![scan(&["X"], int("num_scan_inputs", -1))], vec![]),
            InvalidModel,
            "num_scan_inputs",
        ),
        attack(
            "a loop over more axes than inputs",
            bytes(vec![scan(&["X"], ints("scan_input_axes", &[0, 0]))], vec![]),
            InvalidModel,
            "scan_input_axes: 2 values, expected 1",
        ),
        attack(
            "a loop that is given more than its body takes",
            bytes(vec![scan(&["X", "X"], int("num_scan_inputs", 1))], vec![]),
            InvalidModel,
            "body: 1 inputs and 1 outputs for 2 and 1 of the node",
        ),
        attack(
            "n-grams whose items lie as far apart as there are numbers",
            bytes(
                vec![NodeProto {
                    attribute: vec![
                        string("mode", "TF"),
                        int("min_gram_length", 2),
                        int("max_gram_length", 2),
                        int("max_skip_count", i64::from(i32::MAX)),
                        ints("ngram_counts", &[0, 0]),
                        ints("ngram_indexes", &[0]),
                        ints("pool_int64s", &[1, 1]),
                    ],
                    ..node("TfIdfVectorizer", &["X"], &["Y"])
                }],
                vec![],
            ),
            InvalidAttribute,
            "max_skip_count: expected 255 or less, got 2147483647",
        ),
        attack(
            "a shape of as many dimensions as an input has elements",
            {
                let mut x = info("X", &[1 << 32]);
                let value = x.r#type.as_mut().and_then(|t| t.value.as_mut());
                if let Some(type_proto::Value::TensorType(tensor)) = value {
                    tensor.elem_type = INT64;
                }
                let fill = node("ConstantOfShape", &["X"], &["Y"]);
                model(GraphProto {
                    input: vec![x],
                    ..graph(vec![fill], vec![])
                })
                .encode_to_vec()
            },
            InvalidModel,
            "4294967296 dimensions",
        ),
    ]);
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
        NodeProto {
            attribute: vec![ints("perm", &[1, 0])],
            ..node("Transpose", &["X"], &["T"])
        },
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

/// How many rows there are is for the caller to say: a batch of the file's own size is one call, however many rows it has.
#[test]
fn a_batch_that_the_file_asks_for() {
    const N: usize = 1 << 14;
    let nodes = vec![
        NodeProto {
            attribute: vec![ints("perm", &[1, 0])],
            ..node("Transpose", &["B"], &["T"])
        },
        node("MatMul", &["A", "T"], &["Y"]),
    ];
    let mut graph = graph(nodes, vec![]);
    graph.input = vec![info("A", &[N as i64, 2]), info("B", &[-1, 2])];
    let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
    let rows = |n| Value::from(Array2::<f32>::zeros((n, 2)));
    let run = |n: usize| model.run([("A", rows(N)), ("B", rows(n))]);
    assert_eq!(run(100).unwrap()[0].1.shape(), [N, 100]);
    let error = run(N).unwrap_err();
    assert_eq!(error.kind(), LimitExceeded, "{error}");
    assert!(
        error.to_string().contains("run_bytes of 100663296"),
        "{error}"
    );
}

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
        let x = Value::from(ndarray::Array1::from_elem(3, 0.5_f32));
        let answers = model.run([("X", x)]).unwrap();
        assert_eq!(answers[0].1.shape(), [0, 3]);
    }
}

/// Where one number is read there must be one, in every batch: not a column of as many rows as the caller gives.
#[test]
fn single_values_that_may_not_be_there() {
    let load = |nodes: Vec<NodeProto>, element: i32| {
        let mut graph = graph(nodes, vec![]);
        let mut x = info("X", &[-1, 1]);
        let value = x.r#type.as_mut().and_then(|t| t.value.as_mut());
        if let Some(type_proto::Value::TensorType(tensor)) = value {
            tensor.elem_type = element;
        }
        graph.input = vec![x];
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

/// Products of what does not fit, as only the caller's shapes show: tract reads past the end of the shorter one.
#[test]
fn factors_that_do_not_fit() {
    let of = |nodes: Vec<NodeProto>, constants: Vec<TensorProto>, inputs: &[(&str, &[i64])]| {
        let mut graph = graph(nodes, constants);
        graph.input = inputs.iter().map(|(name, dims)| info(name, dims)).collect();
        // A product may be planned only when its shapes are known.
        let mut y = info("Y", &[]);
        let value = y.r#type.as_mut().and_then(|t| t.value.as_mut());
        if let Some(type_proto::Value::TensorType(tensor)) = value {
            tensor.shape = None;
        }
        graph.output = vec![y];
        Model::from_bytes(model(graph).encode_to_vec()).unwrap()
    };
    let zeros = |shape: &[usize]| Value::from(ndarray::ArrayD::<f32>::zeros(shape));
    let equation = |text: &str| NodeProto {
        attribute: vec![string("equation", text)],
        ..node("Einsum", &["A", "B"], &["Y"])
    };
    for (what, product) in [
        ("MatMul", node("MatMul", &["A", "B"], &["Y"])),
        ("Gemm", node("Gemm", &["A", "B"], &["Y"])),
        ("Einsum", equation("ij,jk->ik")),
    ] {
        let model = of(vec![product], vec![], &[("A", &[-1, -1]), ("B", &[-1, -1])]);
        let run = |a: &[usize], b: &[usize]| model.run([("A", zeros(a)), ("B", zeros(b))]);
        assert_eq!(
            run(&[3, 4], &[4, 5]).unwrap()[0].1.shape(),
            [3, 5],
            "{what}"
        );
        for (a, b) in [
            ([3, 4], [65536, 5]),
            ([3, 1], [65536, 5]),
            ([3, 65536], [1, 5]),
        ] {
            assert!(run(&a, &b).is_err(), "{what} {a:?} {b:?}");
        }
    }
    // One number for any number of them.
    let one = vec![float_tensor("B", &[1, 8], &[0.5; 8])];
    let product = vec![node("MatMul", &["A", "B"], &["Y"])];
    let model = of(product, one, &[("A", &[3, 2, -1])]);
    let run = |n: usize| model.run([("A", zeros(&[3, 2, n]))]);
    assert_eq!(run(1).unwrap()[0].1.shape(), [3, 2, 8]);
    assert!(run(4).is_err());
    // What the fuzzer found: the columns of A are 2, or as many as x has.
    let expand = |x: &str, y: &str| node("Expand", &[x, "shape"], &[y]);
    let nodes = vec![
        expand("x", "A"),
        expand("row", "B"),
        node("MatMul", &["A", "B"], &["Y"]),
    ];
    let constants = vec![
        int_tensor("shape", &[65536, 2]),
        float_tensor("row", &[2], &[1.0, 2.0]),
    ];
    let model = of(nodes, constants, &[("x", &[-1, 1, -1])]);
    assert!(model.run([("x", zeros(&[1, 1, 2]))]).is_err());
}

/// A caller's array with no elements, and dimensions whose product no number holds: tract panics.
#[test]
fn inputs_of_impossible_shapes() {
    let mut graph = graph(vec![node("Neg", &["X"], &["Y"])], vec![]);
    graph.input = vec![info("X", &[-1, -1])];
    let model = Model::from_bytes(model(graph).encode_to_vec()).unwrap();
    for shape in [(0, 1 << 62), (1 << 62, 0), (1 << 40, 0)] {
        let rows = Array2::<f32>::zeros(shape);
        let error = model.transform(&rows).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("is too large"), "{error}");
        let error = model.run([("X", rows.into())]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("is too large"), "{error}");
    }
}

/// Rows with nothing in them, of which there may be many: they are no reason for a large answer.
#[test]
fn rows_of_nothing() {
    let of_columns = |nodes: Vec<NodeProto>, constants: Vec<TensorProto>| {
        let mut graph = graph(nodes, constants);
        graph.input = vec![info("X", &[-1, -1])];
        Model::from_bytes(model(graph).encode_to_vec()).unwrap()
    };
    let shape = [1 << 24, 0];
    let rows = Array2::<f32>::zeros(shape);
    let view = TensorView {
        shape: &shape,
        elements: Elements::Float(&[]),
    };
    let negated = of_columns(vec![node("Neg", &["X"], &["Y"])], vec![]);
    assert_eq!(negated.transform(&rows).unwrap().shape(), shape);
    let outputs = negated.evaluate([("X", view)], &[] as &[&str]).unwrap();
    assert_eq!(outputs.len(), 1);

    let weights = float_tensor("weights", &[0, 64], &[]);
    let product = node("MatMul", &["X", "weights"], &["Y"]);
    let product = of_columns(vec![product], vec![weights]);
    let errors = [
        product.transform(&rows).map(|_| ()),
        product.evaluate([("X", view)], &[] as &[&str]).map(|_| ()),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.kind(), LimitExceeded, "{error}");
    }
}

/// A folder that is gone when the test is over.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("iris-core-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("model/sub")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn external(entries: &[(&str, &str)]) -> Vec<u8> {
    let entry = |&(key, value): &(&str, &str)| StringStringEntryProto {
        key: key.into(),
        value: value.into(),
    };
    let weights = TensorProto {
        data_location: Some(DataLocation::External.into()),
        external_data: entries.iter().map(entry).collect(),
        ..float_tensor("w", &[2], &[])
    };
    bytes(vec![node("Add", &["X", "w"], &["Y"])], vec![weights])
}

/// CVE-2022-25882, CVE-2024-27318 (`..`), CVE-2026-27489 (links), CVE-2026-34446 (hard links), CVE-2026-34445 (unknown keys).
#[test]
fn external_data() {
    let folder = Folder::new("external");
    let (outer, inner) = (folder.0.clone(), folder.0.join("model"));
    let weights: Vec<u8> = [1.0_f32, 2.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    std::fs::write(outer.join("secret"), &weights).unwrap();
    std::fs::write(inner.join("weights"), &weights).unwrap();
    std::fs::write(inner.join("sub/weights"), [&[0; 4], &weights[..]].concat()).unwrap();
    let path = inner.join("model.onnx");
    let mut options = LoadOptions::default();
    options.external_data = true;
    let load = |entries: &[(&str, &str)], options: &LoadOptions| {
        std::fs::write(&path, external(entries)).unwrap();
        Model::from_path_with(&path, options)
    };

    let error = load(&[("location", "weights")], &LoadOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("lies in another file"),
        "{error}"
    );
    let error = Model::from_bytes_with(external(&[("location", "weights")]), &options).unwrap_err();
    assert!(error.to_string().contains("has no folder"), "{error}");
    for entries in [
        &[("location", "weights")][..],
        &[
            ("location", "sub/weights"),
            ("offset", "4"),
            ("length", "8"),
        ],
    ] {
        let model = load(entries, &options).unwrap();
        let rows = Value::from(Array2::<f32>::zeros((1, 2)));
        let expected = Value::from(ndarray::array![[1.0_f32, 2.0]]);
        assert_eq!(model.run([("X", rows)]).unwrap()[0].1, expected);
    }

    let secret = outer.join("secret");
    let absolute = secret.to_str().unwrap();
    let mut cases = vec![
        (vec![("location", "../secret")], "below the model's folder"),
        (
            vec![("location", "sub/../../secret")],
            "below the model's folder",
        ),
        (vec![("location", "./weights")], "below the model's folder"),
        (vec![("location", "..\\secret")], "below the model's folder"),
        (vec![("location", absolute)], "below the model's folder"),
        (vec![("location", "")], "below the model's folder"),
        (vec![("location", "weights\0")], "below the model's folder"),
        (vec![], "no location"),
        (vec![("location", "sub")], "not a file"),
        (vec![("location", "nowhere")], "nowhere"),
        (
            vec![("location", "weights"), ("__class__", "x")],
            "\"__class__\" is not supported",
        ),
        (
            vec![("location", "weights"), ("location", "weights")],
            "given twice",
        ),
        (
            vec![("location", "weights"), ("offset", "-1")],
            "offset: \"-1\"",
        ),
        (
            vec![("location", "weights"), ("offset", "9")],
            "behind the file's end",
        ),
        (
            vec![("location", "weights"), ("length", "18446744073709551615")],
            "are not there",
        ),
        (
            vec![("location", "weights"), ("length", "4")],
            "need 8 bytes, but it holds 4",
        ),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, inner.join("link")).unwrap();
        std::os::unix::fs::symlink(&outer, inner.join("folder")).unwrap();
        std::fs::hard_link(&secret, inner.join("hard")).unwrap();
        cases.push((vec![("location", "link")], "through a link"));
        cases.push((vec![("location", "folder/secret")], "through a link"));
        cases.push((vec![("location", "hard")], "a link"));
    }
    for (entries, message) in cases {
        let error = load(&entries, &options).expect_err(message);
        assert!(error.to_string().contains(message), "{entries:?}: {error}");
    }
    options.limits.tensor_bytes = 7;
    let error = load(&[("location", "weights")], &options).unwrap_err();
    assert_eq!(error.kind(), LimitExceeded, "{error}");
    assert!(error.to_string().contains("tensor_bytes of 7"), "{error}");
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
