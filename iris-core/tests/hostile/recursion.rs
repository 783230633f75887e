//! Functions that call themselves, and graphs in graphs.

use iris_core::ErrorKind::{LimitExceeded, Parse};
use iris_core::{Model, Value};
use ndarray::Array2;
use prost::Message;
use tract_onnx::pb::{FunctionProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto};

use crate::common::onnx::*;
use crate::{attack, check};

pub(crate) fn function(name: &str, node: Vec<NodeProto>) -> FunctionProto {
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

pub(crate) fn call(name: &str, input: &str, output: &str) -> NodeProto {
    NodeProto {
        domain: "local".into(),
        ..node(name, &[input], &[output])
    }
}

pub(crate) fn with_functions(functions: Vec<FunctionProto>) -> Vec<u8> {
    let mut model = model(graph(vec![call("F0", "X", "Y")], vec![]));
    model.functions = functions;
    model.encode_to_vec()
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

pub(crate) fn graph_of_neg() -> GraphProto {
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
