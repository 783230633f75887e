//! The constants of a graph, and how large they are.

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use crate::error::{Result, invalid};
use crate::guard::budget::MAX_RANK;
use crate::onnx::graphs::graphs;

/// How many bytes the constants of a checked model take.
pub(crate) fn constant_bytes(model: &pb::ModelProto) -> usize {
    model.graph.as_ref().map_or(0, constant_bytes_of)
}

fn constant_bytes_of(graph: &pb::GraphProto) -> usize {
    let attributes = graph.node.iter().flat_map(|node| &node.attribute);
    let tensors = attributes.flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors));
    let bytes = |tensor: &pb::TensorProto| {
        let typed = 4 * (tensor.float_data.len() + tensor.int32_data.len())
            + 8 * (tensor.double_data.len() + tensor.int64_data.len() + tensor.uint64_data.len())
            + tensor.string_data.iter().map(Vec::len).sum::<usize>();
        tensor.raw_data.len() + typed
    };
    let here: usize = graph.initializer.iter().chain(tensors).map(bytes).sum();
    let nested = graph.node.iter().flat_map(graphs).map(constant_bytes_of);
    here + nested.sum::<usize>()
}

/// Checks that a constant's data is here, and is what its type and dimensions say. Gives its size in bytes, for which
/// dimensions of 0 count as 1: what has no elements can still take long to go through.
pub(crate) fn check_tensor(tensor: &pb::TensorProto) -> Result<usize> {
    if tensor.data_location == Some(DataLocation::External as i32) {
        return Err(invalid(
            "its data lies in another file, which is not allowed",
        ));
    }
    if tensor.segment.is_some() {
        return Err(invalid("segmented tensors are not supported"));
    }
    if tensor.dims.len() > MAX_RANK {
        return Err(invalid(format!(
            "{} dimensions are not possible",
            tensor.dims.len()
        )));
    }
    let data_type = DataType::try_from(tensor.data_type)
        .map_err(|_| invalid(format!("unknown element type {}", tensor.data_type)))?;
    let volume = tensor.dims.iter().try_fold(1_usize, |volume, &dim| {
        volume.checked_mul(usize::try_from(dim).ok()?)
    });
    let volume =
        volume.ok_or_else(|| invalid(format!("dimensions {:?} are not possible", tensor.dims)))?;

    let (typed_len, size) = match data_type {
        DataType::Float => (tensor.float_data.len(), 4),
        DataType::Double => (tensor.double_data.len(), 8),
        DataType::Int64 => (tensor.int64_data.len(), 8),
        DataType::Int32 => (tensor.int32_data.len(), 4),
        DataType::Int16 | DataType::Uint16 | DataType::Float16 => (tensor.int32_data.len(), 2),
        DataType::Int8 | DataType::Uint8 | DataType::Bool => (tensor.int32_data.len(), 1),
        DataType::String => (tensor.string_data.len(), 0),
        other => {
            return Err(invalid(format!(
                "element type {} is not supported",
                other.as_str_name()
            )));
        }
    };
    let expected = |got: usize, what: &str, wanted: usize| {
        invalid(format!(
            "dimensions {:?} need {wanted} {what}, but it holds {got}",
            tensor.dims
        ))
    };
    if tensor.raw_data.is_empty() {
        if typed_len != volume {
            return Err(expected(typed_len, "elements", volume));
        }
    } else if size == 0 {
        return Err(invalid("strings cannot be raw data"));
    } else if volume.checked_mul(size) != Some(tensor.raw_data.len()) {
        return Err(expected(
            tensor.raw_data.len(),
            "bytes",
            volume.saturating_mul(size),
        ));
    }
    let extent = tensor.dims.iter().fold(size.max(1), |extent, &dim| {
        extent.saturating_mul(usize::try_from(dim).unwrap_or(usize::MAX).max(1))
    });
    Ok(extent)
}
