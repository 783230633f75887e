//! Rewrites what tract reads in one spelling only into that: sparse constants, `Reshape` as it was before version 5, and nodes of
//! one name.

use std::collections::HashSet;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto,
};

use crate::error::{Result, invalid};
use crate::guard::budget;
use crate::guard::budget::Limits;
use crate::onnx::constants::check_tensor;
use crate::onnx::domains::{ONNX_DOMAIN, imported_version, is_operator, node_name};
use crate::value::tract::load_tensor;

/// The version of ai.onnx in which the shape of Reshape became an input.
const RESHAPE_BY_INPUT: i64 = 5;

/// Rewrites all graphs of `model`.
pub(crate) fn normalize(model: &mut ModelProto, limits: &Limits) -> Result<()> {
    let mut normalizer = Normalizer {
        version: imported_version(model, ONNX_DOMAIN).unwrap_or_default(),
        limit: limits.load_bytes,
        bytes_left: limits.load_bytes,
    };
    normalizer.graph(model.graph.get_or_insert_default())
}

/// Names a node by its first output, which no other node gives, where another node before it has its name. Files may repeat
/// the names of nodes, and tract may not.
fn name_nodes_apart(nodes: &mut [NodeProto]) {
    let mut names: HashSet<String> = HashSet::with_capacity(nodes.len());
    for node in nodes {
        if node.name.is_empty() || names.insert(node.name.clone()) {
            continue;
        }
        let output = node.output.first().cloned().unwrap_or_default();
        node.name = if names.insert(output.clone()) {
            output
        } else {
            String::new()
        };
    }
}

struct Normalizer {
    version: i64,
    limit: usize,
    /// How large all sparse constants may be when they are not.
    bytes_left: usize,
}

impl Normalizer {
    fn graph(&mut self, graph: &mut GraphProto) -> Result<()> {
        for sparse in std::mem::take(&mut graph.sparse_initializer) {
            let name = sparse.values.as_ref().map(|v| v.name.clone());
            let name = name.unwrap_or_default();
            let dense = self
                .dense(&sparse)
                .map_err(|e| e.within(format!("initializer {name:?}")))?;
            graph.initializer.push(TensorProto { name, ..dense });
        }
        name_nodes_apart(&mut graph.node);
        for mut node in std::mem::take(&mut graph.node) {
            for attribute in &mut node.attribute {
                for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
                    self.graph(graph)?;
                }
            }
            if is_operator(&node, ONNX_DOMAIN, "Constant") {
                self.constant(&mut node)
                    .map_err(|e| e.within(node_name(&node)))?;
            }
            if is_operator(&node, ONNX_DOMAIN, "Reshape") && self.version < RESHAPE_BY_INPUT {
                graph.node.extend(take_shape(&mut node));
            }
            graph.node.push(node);
        }
        Ok(())
    }

    fn constant(&mut self, node: &mut NodeProto) -> Result<()> {
        for attribute in &mut node.attribute {
            if attribute.name == "sparse_value"
                && let Some(sparse) = &attribute.sparse_tensor
            {
                let dense = self
                    .dense(sparse)
                    .map_err(|e| e.within("attribute sparse_value"))?;
                *attribute = tensor_attribute(dense);
            }
        }
        Ok(())
    }

    /// The tensor that `sparse` stands for.
    fn dense(&mut self, sparse: &SparseTensorProto) -> Result<TensorProto> {
        let missing = |what: &str| invalid(format!("a sparse tensor without {what}"));
        let values = sparse.values.as_ref().ok_or_else(|| missing("values"))?;
        let indices = sparse.indices.as_ref().ok_or_else(|| missing("indices"))?;
        for tensor in [values, indices] {
            check_tensor(tensor)?;
        }
        let dims: Vec<usize> = sparse
            .dims
            .iter()
            .map(|&dim| usize::try_from(dim).ok())
            .collect::<Option<_>>()
            .ok_or_else(|| invalid(format!("dimensions {:?} are not possible", sparse.dims)))?;
        if values.data_type == i32::from(DataType::String) {
            return Err(invalid("a sparse tensor of strings is not supported"));
        }
        let values_type = values.data_type;
        let load = |tensor| load_tensor(tensor).map_err(|error| invalid(error.to_string()));
        let (values, indices) = (load(values)?, load(indices)?);
        let element = values.datum_type().size_of();
        let n_bytes = dims
            .iter()
            .try_fold(element, |bytes, &dim| bytes.checked_mul(dim))
            .filter(|&bytes| bytes <= self.bytes_left)
            .ok_or_else(|| {
                let what = format!("a sparse tensor of shape {dims:?} is larger");
                budget::exceeded("load_bytes", self.limit, what)
            })?;
        self.bytes_left -= n_bytes;
        let plain = |error: tract_onnx::prelude::TractError| invalid(error.to_string());
        let places = indices.try_as_plain_ram().map_err(plain)?;
        let places = places.as_slice::<i64>().map_err(plain)?;
        // An index a value: its place, or one place for each dimension.
        let width = match indices.shape() {
            [n] if *n == values.len() => 1,
            [n, rank] if *n == values.len() && *rank == dims.len() => *rank,
            shape => {
                let n = values.len();
                return Err(invalid(format!(
                    "{n} values with indices of shape {shape:?}"
                )));
            }
        };
        let mut raw_data = vec![0; n_bytes];
        let values = values.try_as_plain_ram().map_err(plain)?;
        let elements = values.as_bytes().chunks_exact(element);
        for (nth, value) in elements.enumerate() {
            let index = &places[nth * width..][..width];
            let slot = if width == 1 {
                usize::try_from(index[0]).ok()
            } else {
                place(index, &dims)
            };
            let slot = slot
                .and_then(|slot| slot.checked_mul(element))
                .and_then(|start| raw_data.get_mut(start..start.checked_add(element)?))
                .ok_or_else(|| invalid(format!("index {index:?} is not in shape {dims:?}")))?;
            slot.copy_from_slice(value);
        }
        Ok(TensorProto {
            dims: sparse.dims.clone(),
            data_type: values_type,
            raw_data,
            ..TensorProto::default()
        })
    }
}

/// Where the element at `index` of a tensor of dimensions `dims` is.
fn place(index: &[i64], dims: &[usize]) -> Option<usize> {
    index
        .iter()
        .zip(dims)
        .try_fold(0_usize, |place, (&at, &dim)| {
            let at = usize::try_from(at).ok().filter(|&at| at < dim)?;
            place.checked_mul(dim)?.checked_add(at)
        })
}

/// Makes the attribute `shape` of a Reshape its second input, and returns the node that gives it.
fn take_shape(reshape: &mut NodeProto) -> Option<NodeProto> {
    let index = reshape.attribute.iter().position(|a| a.name == "shape")?;
    let shape = reshape.attribute.remove(index).ints;
    let name = format!("{} (shape)", reshape.output.first()?);
    reshape.input.push(name.clone());
    let tensor = TensorProto {
        dims: vec![i64::try_from(shape.len()).ok()?],
        data_type: DataType::Int64.into(),
        int64_data: shape,
        ..TensorProto::default()
    };
    Some(NodeProto {
        name: format!("{} (shape)", reshape.name),
        op_type: "Constant".into(),
        output: vec![name],
        attribute: vec![tensor_attribute(tensor)],
        ..NodeProto::default()
    })
}

/// The attribute `value` of a Constant.
fn tensor_attribute(tensor: TensorProto) -> AttributeProto {
    AttributeProto {
        name: "value".into(),
        r#type: AttributeType::Tensor.into(),
        t: Some(tensor),
        ..AttributeProto::default()
    }
}
