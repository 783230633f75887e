//! Makes a typed graph of a model whose operators are all ours, without tract's inference: they know what they give when
//! they know what they take, node after node, so that a small model is ready in a fraction of the time.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, type_proto};
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops::expandable::Expansion;

use super::attributes::Attributes;
use super::operator::OperatorNode;
use super::{ONNX_DOMAIN, OPERATORS, canonical, find, imported_version, is_operator};
use crate::value::load_tensor;

/// The graph of `model`, which has been checked, or `None` if tract has to infer something.
pub(crate) fn typed_graph(model: &ModelProto) -> TractResult<Option<TypedModel>> {
    let Some(graph) = model.graph.as_ref().filter(|graph| is_all_ours(graph)) else {
        return Ok(None);
    };
    let mut typed = TypedModel::default();
    let mut wires: HashMap<&str, OutletId> = HashMap::new();
    for tensor in &graph.initializer {
        let wire = typed.add_const(&*tensor.name, load_tensor(tensor)?)?;
        wires.insert(&tensor.name, wire);
    }
    for input in &graph.input {
        if wires.contains_key(input.name.as_str()) {
            continue;
        }
        let Some(fact) = input_fact(input, &typed.symbols) else {
            return Ok(None);
        };
        wires.insert(&input.name, typed.add_source(&*input.name, fact)?);
    }
    for node in &graph.node {
        let inputs = node
            .input
            .iter()
            .map(|name| wires.get(name.as_str()).copied());
        let Some(inputs) = inputs.collect::<Option<TVec<OutletId>>>() else {
            return Ok(None);
        };
        let Some(outputs) = wire(model, node, &mut typed, &inputs)? else {
            return Ok(None);
        };
        let names = node.output.iter().filter(|name| !name.is_empty());
        wires.extend(names.map(String::as_str).zip(outputs));
    }
    let outputs = graph
        .output
        .iter()
        .map(|output| wires.get(output.name.as_str()).copied());
    let Some(outputs) = outputs.collect::<Option<Vec<OutletId>>>() else {
        return Ok(None);
    };
    typed.select_output_outlets(&outputs)?;
    Ok(Some(typed))
}

fn is_all_ours(graph: &GraphProto) -> bool {
    graph.sparse_initializer.is_empty()
        && graph.node.iter().all(|node| {
            let domain = canonical(&node.domain);
            OPERATORS
                .iter()
                .any(|entry| entry.domain == domain && entry.op_type == node.op_type)
        })
}

/// Puts what `node` stands for into the graph.
fn wire(
    model: &ModelProto,
    node: &NodeProto,
    typed: &mut TypedModel,
    inputs: &[OutletId],
) -> TractResult<Option<TVec<OutletId>>> {
    let version = imported_version(model, &node.domain).unwrap_or(0);
    let Some(entry) = find(OPERATORS, canonical(&node.domain), &node.op_type, version) else {
        return Ok(None);
    };
    let mut attributes = Attributes::new(node);
    let op = (entry.build)(&mut attributes)?;
    attributes.finish()?;
    let name = typed.unique_name(&node.name);
    let op: &dyn Op = &*op;
    if let Some(node) = op.downcast_ref::<OperatorNode>() {
        if node.mints_runtime_symbols() {
            return Ok(None);
        }
        return typed.wire_node(name, node.clone(), inputs).map(Some);
    }
    // The others want their inputs checked by inference, which of a cast there is nothing to.
    match (op.downcast_ref::<Box<dyn Expansion>>(), inputs) {
        (Some(cast), &[input]) if is_operator(node, ONNX_DOMAIN, "Cast") => {
            let wires = cast.wire(&name, typed, inputs)?;
            let is_same =
                typed.outlet_fact(wires[0])?.datum_type == typed.outlet_fact(input)?.datum_type;
            Ok(Some(if is_same { inputs.into() } else { wires }))
        }
        _ => Ok(None),
    }
}

/// The type and shape of an input whose dimensions are all numbers or names.
fn input_fact(input: &ValueInfoProto, symbols: &SymbolScope) -> Option<TypedFact> {
    let type_proto::Value::TensorType(tensor) = input.r#type.as_ref()?.value.as_ref()?;
    let element = DatumType::try_from(DataType::try_from(tensor.elem_type).ok()?).ok()?;
    let dims = tensor
        .shape
        .as_ref()?
        .dim
        .iter()
        .map(|dim| match &dim.value {
            Some(DimValue::DimValue(size)) => usize::try_from(*size).ok().map(|size| size.to_dim()),
            Some(DimValue::DimParam(name)) => Some(symbols.sym(name).to_dim()),
            None => None,
        });
    let dims: TVec<TDim> = dims.collect::<Option<_>>()?;
    Some(element.fact(dims))
}
