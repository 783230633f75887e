//! No operator is in the table without a test that runs it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::needless_borrows_for_generic_args
)]

mod common;

use std::collections::BTreeSet;

use common::{Case, data_path, model_path};
use iris_core::Model;
use prost::Message;
use tract_onnx::pb::ModelProto;

/// The operators of a model that loads, as (domain, name).
fn operators(bytes: &[u8]) -> Vec<(String, String)> {
    if Model::from_bytes(bytes).is_err() {
        return vec![];
    }
    let nodes = ModelProto::decode(bytes).unwrap().graph.unwrap().node;
    nodes
        .into_iter()
        .map(|node| {
            let domain = if node.domain.is_empty() {
                "ai.onnx".into()
            } else {
                node.domain
            };
            (domain, node.op_type)
        })
        .collect()
}

#[test]
fn every_operator_is_run_by_a_recorded_case() {
    let mut run = BTreeSet::new();
    for name in ["iris.onnx", "iris_zipmap.onnx", "iris_calibrated.onnx"] {
        run.extend(operators(&std::fs::read(model_path(name)).unwrap()));
    }
    for family in std::fs::read_dir(data_path("")).unwrap() {
        let file = family.unwrap().path().join("cases.json");
        if !file.is_file() {
            continue;
        }
        let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        run.extend(cases.iter().flat_map(|case| operators(&case.model)));
    }
    for operator in iris_core::operators() {
        let key = (operator.domain.to_owned(), operator.op_type.to_owned());
        assert!(run.contains(&key), "{operator:?} is run by no test");
    }
}
