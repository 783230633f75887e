//! Graphs that do not hang together, and nodes that ask for what is not there.

use iris_core::ErrorKind::{InvalidAttribute, InvalidModel};
use prost::Message;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto};

use crate::common::onnx::*;
use crate::recursion::graph_of_neg;
use crate::{attack, check, ml};

/// A loop over one input, but for what `changed` says.
fn scan(inputs: &[&str], changed: AttributeProto) -> NodeProto {
    let mut attribute = vec![int("num_scan_inputs", 1), subgraph("body", graph_of_neg())];
    attribute.retain(|attribute| attribute.name != changed.name);
    attribute.push(changed);
    with(node("Scan", inputs, &["Y"]), attribute)
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
                vec![with(
                    node("Concat", &["X"], &["Y"]),
                    vec![int("axis", i64::MIN)],
                )],
                vec![],
            ),
            InvalidAttribute,
            "axis",
        ),
        attack(
            "an axis counted down from more dimensions than there are",
            bytes(
                vec![with(
                    node("Softmax", &["X"], &["Y"]),
                    vec![int("axis", i64::MIN)],
                )],
                vec![],
            ),
            InvalidModel,
            "axis",
        ),
        attack(
            "an axis that goes to itself: tract never ends",
            bytes(
                vec![with(
                    node("Transpose", &["X"], &["Y"]),
                    vec![ints("perm", &[1, 1])],
                )],
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
            "input min: expected one value",
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
                vec![with(
                    node("TfIdfVectorizer", &["X"], &["Y"]),
                    vec![
                        string("mode", "TF"),
                        int("min_gram_length", 2),
                        int("max_gram_length", 2),
                        int("max_skip_count", i64::from(i32::MAX)),
                        ints("ngram_counts", &[0, 0]),
                        ints("ngram_indexes", &[0]),
                        ints("pool_int64s", &[1, 1]),
                    ],
                )],
                vec![],
            ),
            InvalidAttribute,
            "max_skip_count: expected 255 or less, got 2147483647",
        ),
        attack(
            "a shape of as many dimensions as an input has elements",
            {
                let fill = node("ConstantOfShape", &["X"], &["Y"]);
                model(GraphProto {
                    input: vec![info_of("X", &[1 << 32], INT64)],
                    ..graph(vec![fill], vec![])
                })
                .encode_to_vec()
            },
            InvalidModel,
            "4294967296 dimensions",
        ),
    ]);
}
