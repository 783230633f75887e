//! Walks a graph backwards, from what it gives to what that is made of.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, NodeProto};

use crate::onnx::domains::{ML_DOMAIN, ONNX_DOMAIN, canonical};

/// Which node makes what.
pub(crate) struct Makers<'a> {
    makers: HashMap<&'a str, Made<'a>>,
}

/// A node, and which of its outputs is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Made<'a> {
    pub(crate) node: &'a NodeProto,
    pub(crate) output: usize,
}

/// Operators that change no number, only its type or place.
const HANDED_THROUGH: [&str; 7] = [
    "Cast",
    "CastLike",
    "Flatten",
    "Identity",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
];

impl<'a> Makers<'a> {
    pub(crate) fn new(graph: &'a GraphProto) -> Self {
        let outputs = graph.node.iter().flat_map(|node| {
            let outputs = node.output.iter().enumerate();
            outputs.map(move |(output, name)| (name.as_str(), Made { node, output }))
        });
        Self {
            makers: outputs.collect(),
        }
    }

    /// The node that makes `name`, if any does.
    pub(crate) fn direct(&self, name: &str) -> Option<Made<'a>> {
        self.makers.get(name).copied()
    }

    /// The node that makes the numbers or labels of `name`, behind those that only hand them through.
    pub(crate) fn of(&self, name: &str) -> Option<Made<'a>> {
        self.behind(name, &HANDED_THROUGH)
    }

    /// Whether `made` is made of `of`, however many nodes lie between them.
    pub(crate) fn is_made_of(&self, made: &'a str, of: &str) -> bool {
        let mut seen = HashSet::new();
        let mut left = vec![made];
        while let Some(name) = left.pop() {
            if !seen.insert(name) {
                continue;
            }
            let Some(made) = self.direct(name) else {
                continue;
            };
            if made.node.input.iter().any(|input| input == of) {
                return true;
            }
            left.extend(made.node.input.iter().map(String::as_str));
        }
        false
    }

    /// The node that makes `name`, behind those of the main domain's operators `passed`, by their first inputs.
    pub(crate) fn behind(&self, name: &str, passed: &[&str]) -> Option<Made<'a>> {
        let mut made = self.direct(name)?;
        // A graph that has been checked has no cycle, and so no walk that is longer than its list of nodes.
        for _ in 0..self.makers.len() {
            if made
                .op_type(ONNX_DOMAIN)
                .is_none_or(|op| !passed.contains(&op))
            {
                return Some(made);
            }
            made = self.direct(made.node.input.first()?)?;
        }
        None
    }
}

impl<'a> Made<'a> {
    /// The operator, if it is one of `domain`.
    pub(crate) fn op_type(&self, domain: &str) -> Option<&'a str> {
        (canonical(&self.node.domain) == domain).then_some(self.node.op_type.as_str())
    }

    /// The operator, if it is one of ai.onnx.ml.
    pub(crate) fn ml_op_type(&self) -> Option<&'a str> {
        self.op_type(ML_DOMAIN)
    }
}
