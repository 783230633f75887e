//! What is assumed of the conditions of `If` nodes whose branches give different numbers of dimensions.
//!
//! tract has to know how many dimensions everything has, so such a node is planned for one of its branches. Where a run
//! takes the other, [`Surprise`](crate::control::if_::Surprise) says so, and the graph is planned anew.

use std::collections::BTreeMap;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, GraphProto};

use crate::onnx::domains::{ASSUMED, ONNX_DOMAIN, is_operator};

/// What is assumed of conditions, by the numbers of their nodes.
pub(crate) type Truths = BTreeMap<i64, bool>;

/// Numbers all `If` nodes and tells them what is assumed: false, unless `truths` says otherwise.
pub(crate) fn assume(graph: &mut GraphProto, truths: &Truths) {
    number(graph, truths, &mut 0);
}

/// Whether there are `If` nodes.
pub(crate) fn has_conditions(graph: &GraphProto) -> bool {
    graph.node.iter().any(|node| {
        let mut graphs = node
            .attribute
            .iter()
            .flat_map(|a| a.g.iter().chain(&a.graphs));
        is_operator(node, ONNX_DOMAIN, "If") || graphs.any(has_conditions)
    })
}

fn number(graph: &mut GraphProto, truths: &Truths, count: &mut i64) {
    for node in &mut graph.node {
        if is_operator(node, ONNX_DOMAIN, "If") {
            let truth = truths.get(count).copied().unwrap_or_default();
            node.attribute.retain(|attribute| attribute.name != ASSUMED);
            node.attribute.push(AttributeProto {
                name: ASSUMED.into(),
                r#type: AttributeType::Ints.into(),
                ints: vec![*count, truth.into()],
                ..AttributeProto::default()
            });
            *count += 1;
        }
        for attribute in &mut node.attribute {
            for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
                number(graph, truths, count);
            }
        }
    }
}
