//! Ensembles of trees whose arrays do not go together, or whose walks never end.

use iris_core::ErrorKind::InvalidAttribute;
use iris_core::{Model, Value};
use ndarray::Array2;
use tract_onnx::pb::AttributeProto;

use crate::common::onnx::*;
use crate::{attack, check, ml, replaced, support_vectors};

/// A tree of one branch and two leaves, in versions 1 to 3; its votes are called `target` or `class`.
fn stump(votes: &str) -> Vec<AttributeProto> {
    let vote = |what: &str| format!("{votes}_{what}");
    let votes = vec![
        ints(&vote("treeids"), &[0, 0]),
        ints(&vote("nodeids"), &[1, 2]),
        ints(&vote("ids"), &[0, 0]),
        floats(&vote("weights"), &[1.0, 2.0]),
    ];
    [stump_nodes(), votes].concat()
}

fn regressor() -> Vec<AttributeProto> {
    replaced(&stump("target"), int("n_targets", 1))
}

fn classifier() -> Vec<AttributeProto> {
    replaced(&stump("class"), ints("classlabels_int64s", &[0, 1]))
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
        (
            "SVMRegressor",
            ml("SVMRegressor", &support_vectors::regressor()),
        ),
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
    let of = |attribute| ml("TreeEnsembleRegressor", &replaced(&regressor, attribute));
    let classifier_of = |attribute| ml("TreeEnsembleClassifier", &replaced(&classifier, attribute));
    let ensemble = ensemble();
    let ensemble_of = |attribute| ml("TreeEnsemble", &replaced(&ensemble, attribute));
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
                &replaced(
                    &replaced(&ensemble, ints("nodes_trueleafs", &[0])),
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
