//! Finds in a graph what skl2onnx makes of nearest neighbours, and has operators of ours compute it.
//!
//! The distances of all samples from all others are a `Scan` over the others, then a `Transpose`. Where nothing but a
//! `TopK` looks at them, or at their roots, no more than the nearest are computed. What does not match exactly stays as it
//! is.

use std::collections::HashMap;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
};

use crate::kernels::neighbors::metric::Metric;
use crate::onnx::domains::{
    INTERNAL_DOMAIN, MS_DOMAIN, NEAREST_NEIGHBORS, ONNX_DOMAIN, PAIRWISE_DISTANCES,
    imported_version, is_operator,
};
use crate::onnx::makers::Makers;
use crate::value::tract::load_tensor;

/// `model` with our operators in the place of graphs that do the same, or `None` if there are none.
pub(crate) fn rewrite(model: &ModelProto) -> Option<ModelProto> {
    let graph = model.graph.as_ref()?;
    let has_distances = |node: &NodeProto| node.op_type == "Scan" || node.op_type == "CDist";
    if !graph.node.iter().any(has_distances) {
        return None;
    }
    let finder = Finder::new(graph, imported_version(model, ONNX_DOMAIN)?);
    let found: Vec<Match> = (0..graph.node.len())
        .filter_map(|index| finder.find(index))
        .collect();
    if found.is_empty() {
        return None;
    }
    let mut rewritten = model.clone();
    rewritten.opset_import.push(OperatorSetIdProto {
        domain: INTERNAL_DOMAIN.into(),
        version: 1,
    });
    let graph = rewritten.graph.get_or_insert_default();
    let mut removed = Vec::new();
    for found in found {
        graph.node[found.at] = found.node;
        removed.extend(found.removed);
    }
    let mut index = 0;
    graph.node.retain(|_| {
        index += 1;
        !removed.contains(&(index - 1))
    });
    Some(rewritten)
}

/// What to put where, and which nodes it makes superfluous.
struct Match {
    at: usize,
    node: NodeProto,
    removed: Vec<usize>,
}

struct Finder<'a> {
    graph: &'a GraphProto,
    opset: i64,
    /// How often each value is read, in subgraphs and as an output of the graph, too.
    uses: HashMap<&'a str, usize>,
    /// The nodes of the graph itself that read a value.
    readers: HashMap<&'a str, usize>,
}

/// Distances that have been found, and where they end.
struct Distances<'a> {
    metric: Metric,
    root: bool,
    wide: bool,
    x: &'a str,
    y: &'a str,
    /// The node that makes them, and those before it.
    at: usize,
    removed: Vec<usize>,
}

impl<'a> Finder<'a> {
    fn new(graph: &'a GraphProto, opset: i64) -> Self {
        let mut uses = HashMap::new();
        count_uses(graph, &mut uses);
        let mut readers = HashMap::new();
        for (index, node) in graph.node.iter().enumerate() {
            readers.extend(node.input.iter().map(|name| (name.as_str(), index)));
        }
        Self {
            graph,
            opset,
            uses,
            readers,
        }
    }

    fn find(&self, index: usize) -> Option<Match> {
        let node = &self.graph.node[index];
        if is_operator(node, MS_DOMAIN, "CDist") {
            return self.nearest(cdist(node, index)?);
        }
        let scan = self.scan(node, index)?;
        let (at, transpose) = self.only_reader(node.output.get(1)?, "Transpose")?;
        let [perm] = &transpose.attribute[..] else {
            return None;
        };
        if perm.name != "perm" || perm.ints != [1, 0] {
            return None;
        }
        let distances = Distances {
            at,
            removed: vec![index],
            ..scan
        };
        let node = NodeProto {
            op_type: PAIRWISE_DISTANCES.into(),
            domain: INTERNAL_DOMAIN.into(),
            input: vec![distances.x.into(), distances.y.into()],
            attribute: vec![metric_attribute(distances.metric)],
            ..transpose.clone()
        };
        let removed = distances.removed.clone();
        let nearest = self.nearest(distances);
        Some(nearest.unwrap_or(Match { at, node, removed }))
    }

    /// The `TopK` that `distances` are for, if they are for nothing else.
    fn nearest(&self, mut distances: Distances<'a>) -> Option<Match> {
        let y = self.constant(distances.y)?;
        let is_real = [DataType::Float, DataType::Double].contains(&y.data_type());
        let &[n_samples, n_features] = &y.dims[..] else {
            return None;
        };
        if !is_real || n_features < 1 {
            return None;
        }
        let step = |distances: &mut Distances<'a>, op_type: &str| {
            let name = self.graph.node[distances.at].output.first()?;
            let (at, node) = self.only_reader(name, op_type)?;
            distances.removed.push(distances.at);
            distances.at = at;
            Some(node)
        };
        if !distances.wide && step(&mut distances, "Sqrt").is_some() {
            distances.root = true;
        }
        let mut negate = step(&mut distances, "Neg").is_some();
        if !negate && let Some(mul) = step(&mut distances, "Mul") {
            let is_minus_one = |name: &String| {
                let constant = self.constant(name).and_then(|t| load_tensor(t).ok());
                constant.is_some_and(|t| {
                    let value = t.cast_to_scalar::<f64>();
                    t.rank() < 2 && t.len() == 1 && value.is_ok_and(|value| value == -1.0)
                })
            };
            negate = mul.input.iter().any(is_minus_one);
            if !negate {
                return None;
            }
        }
        let top_k = step(&mut distances, "TopK")?;
        let (k, largest) = self.top_k(top_k)?;
        if !(1..=n_samples).contains(&k) || largest != negate {
            return None;
        }
        let y = AttributeProto {
            name: "Y".into(),
            r#type: AttributeType::Tensor.into(),
            t: Some(y.clone()),
            ..AttributeProto::default()
        };
        let node = NodeProto {
            op_type: NEAREST_NEIGHBORS.into(),
            domain: INTERNAL_DOMAIN.into(),
            input: vec![distances.x.into()],
            attribute: vec![
                y,
                metric_attribute(distances.metric),
                int("k", k),
                int("root", distances.root.into()),
                int("wide", distances.wide.into()),
                int("negate", negate.into()),
            ],
            ..top_k.clone()
        };
        Some(Match {
            at: distances.at,
            node,
            removed: distances.removed,
        })
    }

    /// `k` of a `TopK` along the second of two dimensions, and whether it looks for the largest.
    fn top_k(&self, node: &NodeProto) -> Option<(i64, bool)> {
        let (mut k, mut largest) = (None, true);
        for attribute in &node.attribute {
            match (attribute.name.as_str(), attribute.i) {
                ("axis", -1 | 1) => {}
                ("k", value) if self.opset < 10 => k = Some(value),
                ("largest", value) if self.opset >= 11 => largest = value != 0,
                ("sorted", _) if self.opset >= 11 => {}
                _ => return None,
            }
        }
        if self.opset >= 10 {
            let constant = load_tensor(self.constant(node.input.get(1)?)?).ok()?;
            k = (constant.len() == 1)
                .then(|| constant.cast_to_scalar::<i64>().ok())
                .flatten();
        }
        Some((k?, largest))
    }

    /// The distances that a `Scan` makes: `[n_others, n_samples]`, its second output.
    fn scan(&self, node: &'a NodeProto, index: usize) -> Option<Distances<'a>> {
        let ([x, y], [state, _]) = (&node.input[..], &node.output[..]) else {
            return None;
        };
        if !is_operator(node, ONNX_DOMAIN, "Scan") || self.uses.contains_key(state.as_str()) {
            return None;
        }
        let mut body = None;
        for attribute in &node.attribute {
            match attribute.name.as_str() {
                "body" => body = attribute.g.as_ref(),
                "num_scan_inputs" if attribute.i == 1 => {}
                _ => return None,
            }
        }
        if self.constant(y).is_some_and(|y| y.dims.len() != 2) {
            return None;
        }
        Some(Distances {
            metric: body_metric(body?)?,
            root: false,
            wide: false,
            x,
            y,
            at: index,
            removed: vec![],
        })
    }

    fn constant(&self, name: &str) -> Option<&'a TensorProto> {
        let mut constants = self.graph.initializer.iter();
        constants.find(|tensor| tensor.name == name)
    }

    /// The node of the main domain that alone reads `name`, if it does so once and is of `op_type`.
    fn only_reader(&self, name: &str, op_type: &str) -> Option<(usize, &'a NodeProto)> {
        if self.uses.get(name) != Some(&1) {
            return None;
        }
        let index = *self.readers.get(name)?;
        let node = &self.graph.node[index];
        is_operator(node, ONNX_DOMAIN, op_type).then_some((index, node))
    }
}

fn count_uses<'a>(graph: &'a GraphProto, uses: &mut HashMap<&'a str, usize>) {
    let inputs = graph.node.iter().flat_map(|node| &node.input);
    let outputs = graph.output.iter().map(|output| &output.name);
    for name in inputs.chain(outputs) {
        *uses.entry(name).or_default() += 1;
    }
    let attributes = graph.node.iter().flat_map(|node| &node.attribute);
    for graph in attributes.flat_map(|a| a.g.iter().chain(&a.graphs)) {
        count_uses(graph, uses);
    }
}

/// The distances that a `CDist` makes.
fn cdist(node: &NodeProto, index: usize) -> Option<Distances<'_>> {
    let [x, y] = &node.input[..] else {
        return None;
    };
    let root = match &node.attribute[..] {
        [] => false,
        [metric] if metric.name == "metric" && metric.s == b"sqeuclidean" => false,
        [metric] if metric.name == "metric" && metric.s == b"euclidean" => true,
        _ => return None,
    };
    Some(Distances {
        metric: Metric::SqEuclidean,
        root,
        wide: true,
        x,
        y,
        at: index,
        removed: vec![],
    })
}

/// What the body of a `Scan` measures, if it hands its state through, and measures each of its rows from one item.
fn body_metric(body: &GraphProto) -> Option<Metric> {
    let ([state, item], [next_state, distance]) = (&body.input[..], &body.output[..]) else {
        return None;
    };
    let makers = Makers::new(body);
    let origin = |name: &'_ str| {
        let mut name = name.to_owned();
        for _ in 0..body.node.len() {
            match makers.direct(&name) {
                Some(made) if made.op_type(ONNX_DOMAIN) == Some("Identity") => {
                    name.clone_from(made.node.input.first()?);
                }
                _ => break,
            }
        }
        Some(name)
    };
    let maker = |name: &str| {
        let made = makers.direct(&origin(name)?)?;
        Some((made.op_type(ONNX_DOMAIN)?, made.node))
    };
    if origin(&next_state.name)? != state.name {
        return None;
    }
    let (op_type, reduce) = maker(&distance.name)?;
    if !is_over_second_dimension(reduce, body) {
        return None;
    }
    let input = reduce.input.first()?;
    let (metric, (op_type, difference)) = match op_type {
        "ReduceSumSquare" => (Metric::SqEuclidean, maker(input)?),
        "ReduceSum" => {
            let (op_type, abs) = maker(input)?;
            if op_type != "Abs" {
                return None;
            }
            (Metric::Manhattan, maker(abs.input.first()?)?)
        }
        _ => return None,
    };
    let [a, b] = &difference.input[..] else {
        return None;
    };
    let of = [origin(a)?, origin(b)?];
    let (state, item) = (&state.name, &item.name);
    let is_difference = of.iter().eq([state, item]) || of.iter().eq([item, state]);
    (op_type == "Sub" && difference.attribute.is_empty() && is_difference).then_some(metric)
}

/// Whether `node` reduces the second dimension, and leaves it out.
fn is_over_second_dimension(node: &NodeProto, body: &GraphProto) -> bool {
    let mut axes = None;
    let mut keeps = true;
    for attribute in &node.attribute {
        match attribute.name.as_str() {
            "axes" => axes = Some(attribute.ints.clone()),
            "keepdims" => keeps = attribute.i != 0,
            _ => return false,
        }
    }
    if let Some(name) = node.input.get(1) {
        let constant = body.initializer.iter().find(|tensor| tensor.name == *name);
        let constant = constant.and_then(|tensor| load_tensor(tensor).ok());
        axes = constant.filter(|t| t.len() == 1).and_then(|t| {
            let axis = t.cast_to_scalar::<i64>().ok()?;
            Some(vec![axis])
        });
    }
    !keeps && axes.as_deref() == Some(&[1])
}

fn metric_attribute(metric: Metric) -> AttributeProto {
    AttributeProto {
        name: "metric".into(),
        r#type: AttributeType::String.into(),
        s: metric.name().into(),
        ..AttributeProto::default()
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Int.into(),
        i,
        ..AttributeProto::default()
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use prost::Message;

    use super::*;
    use crate::error::ErrorKind;
    use crate::model::Model;

    fn cases() -> Vec<(String, ModelProto)> {
        let text = include_str!("../../tests/data/neighbors/cases.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(text).expect("JSON");
        let case = |case: &serde_json::Value| {
            let member = |name: &str| case[name].as_str().expect("a string").to_owned();
            let bytes = BASE64_STANDARD.decode(member("model")).expect("base64");
            let model = ModelProto::decode(&bytes[..]).expect("a model");
            (member("name"), model)
        };
        cases.iter().map(case).collect()
    }

    fn operators(model: &ModelProto) -> Vec<&str> {
        let nodes = model.graph.iter().flat_map(|graph| &graph.node);
        nodes.map(|node| node.op_type.as_str()).collect()
    }

    #[test]
    fn exports_are_found() {
        for (name, model) in cases() {
            let rewritten = rewrite(&model);
            let Some(operator) = (match name.split('/').next() {
                Some("nearest") => Some(NEAREST_NEIGHBORS),
                Some("distances") => Some(PAIRWISE_DISTANCES),
                _ => None,
            }) else {
                assert!(rewritten.is_none(), "{name}");
                continue;
            };
            let rewritten = rewritten.expect(&name);
            let operators = operators(&rewritten);
            assert!(operators.contains(&operator), "{name}: {operators:?}");
            for replaced in ["Scan", "CDist", "TopK"] {
                assert!(!operators.contains(&replaced), "{name}: {operators:?}");
            }
        }
    }

    #[test]
    fn no_file_can_name_what_takes_their_place() {
        for (name, model) in cases() {
            if let Some(rewritten) = rewrite(&model) {
                let error = Model::from_bytes(rewritten.encode_to_vec()).expect_err(&name);
                assert_eq!(
                    error.kind(),
                    ErrorKind::UnsupportedOperator,
                    "{name}: {error}"
                );
            }
        }
    }

    /// Any change to a graph that matches, by which it means something else, is seen.
    #[test]
    fn what_means_something_else_is_left_alone() {
        fn node<'g>(graph: &'g mut GraphProto, op_type: &str) -> &'g mut NodeProto {
            let mut nodes = graph.node.iter_mut();
            nodes.find(|node| node.op_type == op_type).expect(op_type)
        }
        fn body(graph: &mut GraphProto) -> &mut GraphProto {
            let attributes = &mut node(graph, "Scan").attribute;
            attributes
                .iter_mut()
                .find_map(|a| a.g.as_mut())
                .expect("a body")
        }
        type Change = fn(&mut GraphProto);
        let no_distances: [(&str, Change); 8] = [
            ("another state", |graph| {
                body(graph).output[0].name = "scan_out".into();
            }),
            ("another difference", |graph| {
                node(body(graph), "Sub").op_type = "Add".into();
            }),
            ("a difference from itself", |graph| {
                let sub = node(body(graph), "Sub");
                sub.input[0] = sub.input[1].clone();
            }),
            ("another reduction", |graph| {
                node(body(graph), "ReduceSumSquare").op_type = "ReduceSum".into();
            }),
            ("kept dimensions", |graph| {
                node(body(graph), "ReduceSumSquare").attribute.clear();
            }),
            ("another dimension", |graph| {
                node(body(graph), "ReduceSumSquare").input.truncate(1);
            }),
            ("backwards", |graph| {
                node(graph, "Scan")
                    .attribute
                    .push(int("scan_input_directions", 1));
            }),
            ("not transposed", |graph| {
                node(graph, "Transpose").attribute[0].ints = vec![0, 1];
            }),
        ];
        let no_nearest: [(&str, Change); 5] = [
            ("the farthest", |graph| {
                let attributes = &mut node(graph, "TopK").attribute;
                attributes.retain(|attribute| attribute.name != "largest");
            }),
            ("along the samples", |graph| {
                node(graph, "TopK").attribute.push(int("axis", 0));
            }),
            ("distances that are asked for", |graph| {
                let name = node(graph, "Sqrt").output[0].clone();
                graph.output[0].name = name;
            }),
            ("distances that something else reads", |graph| {
                let name = node(graph, "Sqrt").output[0].clone();
                node(graph, "Flatten").input[0] = name;
            }),
            ("too many", |graph| {
                let k = node(graph, "TopK").input[1].clone();
                let mut constants = graph.initializer.iter_mut();
                let k = constants.find(|constant| constant.name == k).expect("k");
                *k = TensorProto {
                    raw_data: 71_i64.to_le_bytes().into(),
                    ..k.clone()
                };
            }),
        ];
        let find = |change: Change| {
            let (_, mut model) = cases()
                .into_iter()
                .find(|(name, _)| name == "nearest/opset_22")
                .expect("the case");
            change(model.graph.get_or_insert_default());
            rewrite(&model)
        };
        assert!(find(|_| ()).is_some());
        for (name, change) in no_distances {
            assert!(find(change).is_none(), "{name}");
        }
        for (name, change) in no_nearest {
            let rewritten = find(change).expect(name);
            assert!(
                operators(&rewritten).contains(&PAIRWISE_DISTANCES),
                "{name}"
            );
        }
    }
}
