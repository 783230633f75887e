//! Changes to models that leave them protobuf: what a byte more or less would seldom reach.

use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;
use tract_onnx::pb::type_proto::Value as TypeValue;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
};

use crate::random::Random;

/// Operators that nodes are changed to.
const OPERATORS: &str = include_str!("../operators.txt");

/// Makes one to four changes.
pub fn mutate(model: &mut ModelProto, random: &mut Random) {
    for _ in 0..=random.below(4) {
        if random.one_in(40)
            && let Some(import) = random.pick_mut(&mut model.opset_import)
        {
            import.version = if random.one_in(4) {
                random.integer()
            } else {
                1 + random.below(24) as i64
            };
            continue;
        }
        if let Some(graph) = &mut model.graph {
            change_graph(graph, random);
        }
    }
}

fn change_graph(graph: &mut GraphProto, random: &mut Random) {
    // Into one of the graphs inside, where there are any.
    if random.one_in(3) {
        let mut inner: Vec<&mut GraphProto> = graph
            .node
            .iter_mut()
            .flat_map(|node| &mut node.attribute)
            .flat_map(|attribute| attribute.g.iter_mut().chain(&mut attribute.graphs))
            .collect();
        if let Some(graph) = random.pick_mut(&mut inner) {
            return change_graph(graph, random);
        }
    }
    let names = names(graph);
    match random.below(16) {
        0..=7 => {
            if let Some(node) = random.pick_mut(&mut graph.node) {
                change_node(node, &names, random);
            }
        }
        8..=10 => {
            if let Some(tensor) = random.pick_mut(&mut graph.initializer) {
                change_tensor(tensor, random);
            }
        }
        11 => {
            if let Some(info) = random.pick_mut(&mut graph.input) {
                change_info(info, random);
            }
        }
        12 => {
            if let Some(info) = random.pick_mut(&mut graph.output) {
                match random.pick(&names) {
                    Some(name) if random.one_in(2) => info.name.clone_from(name),
                    _ => change_info(info, random),
                }
            }
        }
        13 => {
            // An attribute of another node.
            let given = random
                .pick(&graph.node)
                .and_then(|node| random.pick(&node.attribute))
                .cloned();
            if let (Some(attribute), Some(node)) = (given, random.pick_mut(&mut graph.node)) {
                node.attribute.retain(|other| other.name != attribute.name);
                node.attribute.push(attribute);
            }
        }
        14 => {
            let (from, to) = (
                random.below(graph.node.len()),
                random.below(graph.node.len()),
            );
            if !graph.node.is_empty() {
                graph.node.swap(from, to);
            }
        }
        _ => {
            if let Some(mut node) = random.pick(&graph.node).cloned() {
                for output in &mut node.output {
                    output.push('_');
                }
                node.name.push('_');
                graph.node.push(node);
            }
        }
    }
}

/// Whatever something in the graph may be wired to.
fn names(graph: &GraphProto) -> Vec<String> {
    let inputs = graph.input.iter().map(|info| &info.name);
    let constants = graph.initializer.iter().map(|tensor| &tensor.name);
    let outputs = graph.node.iter().flat_map(|node| &node.output);
    inputs.chain(constants).chain(outputs).cloned().collect()
}

fn change_node(node: &mut NodeProto, names: &[String], random: &mut Random) {
    match random.below(12) {
        0 => {
            let operators: Vec<&str> = OPERATORS.lines().collect();
            if let Some(line) = random.pick(&operators) {
                let (domain, op_type) = line.split_once(' ').unwrap_or(("", line));
                node.op_type = op_type.into();
                node.domain = if domain == "ai.onnx" {
                    String::new()
                } else {
                    domain.into()
                };
            }
        }
        1 => {
            let name = random.pick(names).cloned().unwrap_or_default();
            if random.one_in(4) {
                node.input.push(name);
            } else if let Some(input) = random.pick_mut(&mut node.input) {
                *input = if random.one_in(6) {
                    String::new()
                } else {
                    name
                };
            }
        }
        2 => {
            if random.one_in(2) {
                node.output.push(format!("extra_{}", random.below(100)));
            } else {
                node.output.pop();
            }
        }
        3 => {
            let index = random.below(node.attribute.len());
            if index < node.attribute.len() {
                node.attribute.swap_remove(index);
            }
        }
        4 => {
            if let Some(tensor) = node
                .attribute
                .iter_mut()
                .find_map(|attribute| attribute.t.as_mut())
            {
                change_tensor(tensor, random);
            }
        }
        _ => {
            if let Some(attribute) = random.pick_mut(&mut node.attribute) {
                change_attribute(attribute, random);
            }
        }
    }
}

fn change_attribute(attribute: &mut AttributeProto, random: &mut Random) {
    if random.one_in(30) {
        attribute.r#type = random.below(16) as i32;
        return;
    }
    if !attribute.ints.is_empty() {
        change_list(&mut attribute.ints, random, Random::integer);
    } else if !attribute.floats.is_empty() {
        change_list(&mut attribute.floats, random, Random::float);
    } else if !attribute.strings.is_empty() {
        change_list(&mut attribute.strings, random, |random| text(random).into());
    } else if !attribute.s.is_empty() {
        attribute.s = text(random).into();
    } else if let Some(tensor) = &mut attribute.t {
        change_tensor(tensor, random);
    } else if attribute.r#type == 1 {
        attribute.f = random.float();
    } else {
        attribute.i = random.integer();
    }
}

fn change_list<T: Clone>(list: &mut Vec<T>, random: &mut Random, new: impl Fn(&mut Random) -> T) {
    match random.below(10) {
        0 => list.truncate(random.below(list.len())),
        1 => {
            if let Some(element) = random.pick(list).cloned() {
                list.push(element);
            }
        }
        2 => list.push(new(random)),
        3 => list.clear(),
        4 => list.reverse(),
        5 if !list.is_empty() => {
            let (a, b) = (random.below(list.len()), random.below(list.len()));
            list.swap(a, b);
        }
        // Another element's value, which is a node or class id that there is.
        6 | 7 => {
            let element = random.pick(list).cloned();
            if let (Some(place), Some(element)) = (random.pick_mut(list), element) {
                *place = element;
            }
        }
        _ => {
            let element = new(random);
            if let Some(place) = random.pick_mut(list) {
                *place = element;
            }
        }
    }
}

fn change_tensor(tensor: &mut TensorProto, random: &mut Random) {
    match random.below(8) {
        0 => tensor.data_type = random.below(18) as i32,
        1 | 2 => change_list(&mut tensor.dims, random, Random::integer),
        3 => {
            // The same elements in another shape.
            let volume: i64 = tensor
                .dims
                .iter()
                .fold(1, |volume, &dim| volume.saturating_mul(dim));
            tensor.dims = match random.below(4) {
                0 => vec![volume],
                1 => vec![1, volume],
                2 => vec![volume, 1, 1],
                _ => vec![],
            };
        }
        4 if !tensor.raw_data.is_empty() && tensor.raw_data.len() % 8 == 0 => {
            let mut raw = tensor.raw_data.to_vec();
            let place = 8 * random.below(raw.len() / 8);
            raw[place..place + 8].copy_from_slice(&random.integer().to_le_bytes());
            tensor.raw_data = raw.into();
        }
        5 if !tensor.raw_data.is_empty() => {
            let mut raw = tensor.raw_data.to_vec();
            let place = random.below(raw.len());
            raw[place] = random.next() as u8;
            tensor.raw_data = raw.into();
        }
        _ => {
            if !tensor.int64_data.is_empty() {
                change_list(&mut tensor.int64_data, random, Random::integer);
            } else if !tensor.float_data.is_empty() {
                change_list(&mut tensor.float_data, random, Random::float);
            } else if !tensor.int32_data.is_empty() {
                change_list(&mut tensor.int32_data, random, |random| {
                    random.integer() as i32
                });
            } else if !tensor.string_data.is_empty() {
                change_list(&mut tensor.string_data, random, |random| {
                    text(random).into()
                });
            } else {
                let mut raw = tensor.raw_data.to_vec();
                raw.truncate(random.below(raw.len()));
                tensor.raw_data = raw.into();
            }
        }
    }
}

fn change_info(info: &mut ValueInfoProto, random: &mut Random) {
    let Some(TypeValue::TensorType(tensor)) = info.r#type.as_mut().and_then(|of| of.value.as_mut())
    else {
        return;
    };
    if random.one_in(3) {
        tensor.elem_type = random.below(18) as i32;
        return;
    }
    if random.one_in(12) {
        tensor.shape = None;
    }
    let Some(shape) = &mut tensor.shape else {
        return;
    };
    match random.below(5) {
        0 => {
            shape.dim.pop();
        }
        1 => {
            if let Some(dim) = random.pick(&shape.dim).cloned() {
                shape.dim.push(dim);
            }
        }
        _ => {
            let value = if random.one_in(3) {
                DimValue::DimParam(["N", "N+1", "", "2*N", "n_samples"][random.below(5)].into())
            } else {
                DimValue::DimValue(random.integer())
            };
            if let Some(dim) = random.pick_mut(&mut shape.dim) {
                dim.value = Some(value);
            }
        }
    }
}

fn text(random: &mut Random) -> &'static str {
    const TEXTS: [&str; 40] = [
        "",
        "a",
        "NaN",
        "SUM",
        "AVERAGE",
        "MIN",
        "MAX",
        "NONE",
        "SOFTMAX",
        "SOFTMAX_ZERO",
        "LOGISTIC",
        "PROBIT",
        "LEAF",
        "BRANCH_LEQ",
        "BRANCH_LT",
        "BRANCH_GTE",
        "BRANCH_GT",
        "BRANCH_EQ",
        "BRANCH_NEQ",
        "BRANCH_MEMBER",
        "LINEAR",
        "POLY",
        "RBF",
        "SIGMOID",
        "L1",
        "L2",
        "euclidean",
        "sqeuclidean",
        "LOWER",
        "UPPER",
        "TF",
        "IDF",
        "TFIDF",
        "SPARSE",
        "DENSE",
        "bidirectional",
        "reflect",
        "edge",
        "constant",
        "(a*)*b",
    ];
    TEXTS[random.below(TEXTS.len())]
}
