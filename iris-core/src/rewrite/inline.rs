//! Puts the body of each local function in the place of its calls, since tract knows nothing but operators.
//!
//! Source: "Functions" in the ONNX specification's
//! [intermediate representation](https://github.com/onnx/onnx/blob/main/docs/IR.md#functions).

use std::collections::HashMap;

use prost::Message;
use tract_onnx::pb::{AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto};

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget;
use crate::guard::budget::Limits;
use crate::onnx::domains::{ONNX_DOMAIN, canonical, node_name};
use crate::onnx::opset_changes::is_same_operator;

/// How deep functions may call functions; a function that calls itself has no depth.
const MAX_DEPTH: usize = 32;

/// Rewrites `model` so that it has no functions.
pub(crate) fn inline(model: &mut ModelProto, limits: &Limits) -> Result<()> {
    let mut functions = HashMap::new();
    for function in std::mem::take(&mut model.functions) {
        import(model, &function)?;
        let key = (
            canonical(function.domain()).to_owned(),
            function.name().to_owned(),
        );
        if let Some(first) = functions.insert(key, function) {
            let message = format!("function {:?} is defined twice", first.name());
            return Err(Error::new(ErrorKind::InvalidModel, message));
        }
    }
    if functions.is_empty() {
        return Ok(());
    }
    let graph = model.graph.get_or_insert_default();
    let mut inliner = Inliner {
        functions: &functions,
        calls: 0,
        nodes_left: limits.nodes,
        bytes_left: limits.load_bytes,
        graphs: 0,
        limits,
    };
    graph.node = inliner.nodes(std::mem::take(&mut graph.node), 0)?;
    Ok(())
}

/// Imports the operator sets of `function`. Where the model has another version of one, what the function uses of it must
/// be the same in both.
fn import(model: &mut ModelProto, function: &FunctionProto) -> Result<()> {
    for import in &function.opset_import {
        let domain = canonical(&import.domain);
        let known = model
            .opset_import
            .iter()
            .find(|i| canonical(&i.domain) == domain)
            .map(|i| i.version);
        let Some(known) = known else {
            model.opset_import.push(import.clone());
            continue;
        };
        let versions = [import.version, known];
        if let Some(node) = find(&function.node, &|node| {
            let is_same = domain == ONNX_DOMAIN && is_same_operator(&node.op_type, versions);
            known != import.version && canonical(&node.domain) == domain && !is_same
        }) {
            let message = format!(
                "function {:?}: {}: of operator set {:?} version {}, the model imports version {known}",
                function.name(),
                node_name(node),
                import.domain,
                import.version,
            );
            return Err(Error::new(ErrorKind::UnsupportedOperator, message));
        }
    }
    Ok(())
}

/// The first node, those of nested graphs included, that is `wanted`.
fn find<'a>(nodes: &'a [NodeProto], wanted: &impl Fn(&NodeProto) -> bool) -> Option<&'a NodeProto> {
    nodes.iter().find_map(|node| {
        let graphs = node
            .attribute
            .iter()
            .flat_map(|a| a.g.iter().chain(&a.graphs));
        wanted(node)
            .then_some(node)
            .or_else(|| graphs.into_iter().find_map(|g| find(&g.node, wanted)))
    })
}

struct Inliner<'a> {
    functions: &'a HashMap<(String, String), FunctionProto>,
    calls: usize,
    nodes_left: usize,
    /// What the bodies of functions may take at all their calls.
    bytes_left: usize,
    /// How many graphs lie around the nodes.
    graphs: usize,
    limits: &'a Limits,
}

impl Inliner<'_> {
    fn nodes(&mut self, nodes: Vec<NodeProto>, depth: usize) -> Result<Vec<NodeProto>> {
        let mut inlined = Vec::with_capacity(nodes.len());
        for mut node in nodes {
            for attribute in &mut node.attribute {
                for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
                    self.graphs += 1;
                    if self.graphs > self.limits.depth {
                        let what = "functions inlined, a graph lies deeper in others";
                        return Err(budget::exceeded("depth", self.limits.depth, what));
                    }
                    graph.node = self.nodes(std::mem::take(&mut graph.node), depth)?;
                    self.graphs -= 1;
                }
            }
            let key = (canonical(&node.domain).to_owned(), node.op_type.clone());
            let Some(function) = self.functions.get(&key) else {
                self.nodes_left = self.nodes_left.checked_sub(1).ok_or_else(|| {
                    let what = "functions inlined, the model has more nodes";
                    budget::exceeded("nodes", self.limits.nodes, what)
                })?;
                inlined.push(node);
                continue;
            };
            if depth == MAX_DEPTH {
                let message = format!(
                    "{}: functions call functions more than {MAX_DEPTH} deep",
                    node_name(&node)
                );
                return Err(Error::new(ErrorKind::LimitExceeded, message));
            }
            self.calls += 1;
            self.take_bytes(&node, function)?;
            let body = Call::new(&node, function, self.calls).body();
            inlined.extend(self.nodes(body, depth + 1)?);
        }
        Ok(inlined)
    }
}

impl Inliner<'_> {
    /// Takes what the body of `function` and the attributes of its call may need from what is left.
    fn take_bytes(&mut self, call: &NodeProto, function: &FunctionProto) -> Result<()> {
        let given: usize = call.attribute.iter().map(Message::encoded_len).sum();
        let copied = given.saturating_mul(count_references(&function.node));
        let bytes = in_memory(&function.node).saturating_add(copied);
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or_else(|| {
            let what = "functions inlined, the model is larger";
            budget::exceeded("load_bytes", self.limits.load_bytes, what)
        })?;
        Ok(())
    }
}

/// About what nodes take in memory: more than in a file, where names may be short, and lists empty.
fn in_memory(nodes: &[NodeProto]) -> usize {
    let here = size_of_val(nodes);
    let within = nodes.iter().map(|node| {
        let names = node.input.len() + node.output.len();
        let attributes = node.attribute.iter().map(|attribute| {
            let graphs = attribute.g.iter().chain(&attribute.graphs);
            let nested: usize = graphs.map(|graph| in_memory(&graph.node)).sum();
            size_of::<AttributeProto>() + nested
        });
        node.encoded_len() + names * size_of::<String>() + attributes.sum::<usize>()
    });
    here + within.sum::<usize>()
}

/// How many attributes of `nodes`, those of nested graphs included, are those of the call.
fn count_references(nodes: &[NodeProto]) -> usize {
    let attributes = nodes.iter().flat_map(|node| &node.attribute);
    let count = |attribute: &AttributeProto| {
        let graphs = attribute.g.iter().chain(&attribute.graphs);
        let nested: usize = graphs.map(|graph| count_references(&graph.node)).sum();
        nested + usize::from(!attribute.ref_attr_name.is_empty())
    };
    attributes.map(count).sum()
}

/// A node that calls a function, and what the names inside the function mean there.
struct Call<'a> {
    node: &'a NodeProto,
    function: &'a FunctionProto,
    names: HashMap<&'a str, &'a str>,
    prefix: String,
}

impl<'a> Call<'a> {
    fn new(node: &'a NodeProto, function: &'a FunctionProto, number: usize) -> Self {
        let inputs = function.input.iter().enumerate().map(|(index, formal)| {
            (
                formal.as_str(),
                node.input.get(index).map_or("", String::as_str),
            )
        });
        let outputs = function.output.iter().zip(&node.output);
        let names = inputs
            .chain(outputs.map(|(formal, actual)| (formal.as_str(), actual.as_str())))
            // An output that the call leaves out still needs a name inside.
            .filter(|(formal, actual)| {
                !actual.is_empty() || function.input.iter().any(|i| i == formal)
            })
            .collect();
        let prefix = format!("{}.{number}", function.name());
        Self {
            node,
            function,
            names,
            prefix,
        }
    }

    fn body(&self) -> Vec<NodeProto> {
        self.function
            .node
            .iter()
            .cloned()
            .map(|node| self.node(node))
            .collect()
    }

    fn name(&self, name: &mut String) {
        if name.is_empty() {
            return;
        }
        *name = match self.names.get(name.as_str()) {
            Some(&actual) => actual.to_owned(),
            None => format!("{}.{name}", self.prefix),
        };
    }

    fn node(&self, mut node: NodeProto) -> NodeProto {
        // One without a name is called by its output.
        if !node.name.is_empty() {
            node.name = format!("{}.{}", self.prefix, node.name);
        }
        node.input
            .iter_mut()
            .chain(&mut node.output)
            .for_each(|name| self.name(name));
        node.attribute = node
            .attribute
            .into_iter()
            .filter_map(|attribute| self.attribute(attribute))
            .collect();
        node
    }

    /// The attribute with a reference resolved; `None` if it refers to one that the call does not give.
    fn attribute(&self, mut attribute: AttributeProto) -> Option<AttributeProto> {
        if !attribute.ref_attr_name.is_empty() {
            let given = self
                .node
                .attribute
                .iter()
                .find(|a| a.name == attribute.ref_attr_name)?;
            return Some(AttributeProto {
                name: attribute.name,
                ..given.clone()
            });
        }
        for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
            self.graph(graph);
        }
        Some(attribute)
    }

    fn graph(&self, graph: &mut GraphProto) {
        graph
            .input
            .iter_mut()
            .chain(&mut graph.output)
            .for_each(|info| self.name(&mut info.name));
        graph
            .initializer
            .iter_mut()
            .for_each(|tensor| self.name(&mut tensor.name));
        graph.node = std::mem::take(&mut graph.node)
            .into_iter()
            .map(|node| self.node(node))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::OperatorSetIdProto;

    use super::*;

    fn node(op_type: &str, input: &[&str], output: &[&str]) -> NodeProto {
        NodeProto {
            op_type: op_type.into(),
            domain: if op_type.starts_with('F') {
                "local".into()
            } else {
                String::new()
            },
            input: input.iter().map(|&name| name.into()).collect(),
            output: output.iter().map(|&name| name.into()).collect(),
            ..NodeProto::default()
        }
    }

    fn function(name: &str, nodes: Vec<NodeProto>) -> FunctionProto {
        FunctionProto {
            name: Some(name.into()),
            domain: Some("local".into()),
            input: vec!["a".into(), "b".into()],
            output: vec!["c".into()],
            node: nodes,
            opset_import: vec![OperatorSetIdProto {
                domain: "new".into(),
                version: 3,
            }],
            ..FunctionProto::default()
        }
    }

    fn model(functions: Vec<FunctionProto>) -> ModelProto {
        let graph = GraphProto {
            node: vec![node("F", &["x"], &["y"])],
            ..GraphProto::default()
        };
        ModelProto {
            graph: Some(graph),
            functions,
            ..ModelProto::default()
        }
    }

    #[test]
    fn bodies_take_the_place_of_calls() {
        let outer = function(
            "F",
            vec![
                node("FInner", &["a", "b"], &["t"]),
                node("Neg", &["t"], &["c"]),
            ],
        );
        let inner = function("FInner", vec![node("Add", &["a", "b"], &["c"])]);
        let mut model = model(vec![outer, inner]);
        inline(&mut model, &Limits::default()).expect("no recursion");
        assert!(model.functions.is_empty());
        assert_eq!(model.opset_import.len(), 1);
        let nodes = model.graph.expect("has a graph").node;
        let wires: Vec<_> = nodes
            .iter()
            .map(|n| (n.op_type.as_str(), n.input.join(","), n.output.join(",")))
            .collect();
        let expected = [
            ("Add", "x,".to_owned(), "F.1.t".to_owned()),
            ("Neg", "F.1.t".to_owned(), "y".to_owned()),
        ];
        assert_eq!(wires, expected);
        assert!(nodes.iter().all(|node| node.name.is_empty()));
    }

    #[test]
    fn another_version_of_the_same_operators_is_taken() {
        let import = |domain: &str, version| OperatorSetIdProto {
            domain: domain.into(),
            version,
        };
        let mut branch = node("If", &["a"], &["c"]);
        branch.attribute.push(AttributeProto {
            g: Some(GraphProto {
                node: vec![node("GridSample", &["b"], &["c"])],
                ..GraphProto::default()
            }),
            ..AttributeProto::default()
        });
        let cases = [
            (node("Where", &["a", "b"], &["c"]), "ai.onnx", 21, 22, true),
            (node("ReduceSum", &["a"], &["c"]), "", 13, 11, false),
            (branch.clone(), "", 21, 22, true),
            (branch, "", 16, 22, false),
            (node("Abs", &["a"], &["c"]), "other", 1, 2, false),
        ];
        for (body, domain, theirs, ours, is_taken) in cases {
            let mut body = body;
            if domain == "other" {
                body.domain = domain.into();
            }
            let name = body.op_type.clone();
            let mut function = function("F", vec![body]);
            function.opset_import = vec![import(domain, theirs)];
            let mut model = model(vec![function]);
            model.opset_import = vec![import(canonical(domain), ours)];
            let result = inline(&mut model, &Limits::default());
            match result {
                Ok(()) => assert!(is_taken, "{name}"),
                Err(error) => {
                    assert!(!is_taken, "{name}: {error}");
                    assert_eq!(error.kind(), ErrorKind::UnsupportedOperator);
                    assert!(
                        error.to_string().contains("function \"F\": node"),
                        "{error}"
                    );
                }
            }
        }
    }

    #[test]
    fn recursion_and_growth_end() {
        let forever = function("F", vec![node("F", &["a"], &["c"])]);
        let error = inline(&mut model(vec![forever]), &Limits::default()).expect_err("no end");
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        let doubling = (0..30).map(|level| {
            let name = if level == 0 {
                "F".to_owned()
            } else {
                format!("F{level}")
            };
            let next = format!("F{}", level + 1);
            function(
                &name,
                vec![node(&next, &["a"], &["t"]), node(&next, &["t"], &["c"])],
            )
        });
        let mut model = model(doubling.collect());
        let limits = Limits {
            nodes: 1000,
            ..Limits::default()
        };
        let error = inline(&mut model, &limits).expect_err("a billion nodes");
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }
}
