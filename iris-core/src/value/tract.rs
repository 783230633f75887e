//! The one place where our values become tract's tensors and back.

use tract_onnx::pb::TensorProto;
use tract_onnx::prelude::{Datum, DatumType, TVec, Tensor, TractResult, tensor1};

use super::{ElementType, Value, with_array};
use crate::Labels;
use crate::error::{Error, ErrorKind, Result};

/// Adds `value` to the inputs of a graph: a tensor is one of them, a map is two, its keys and its values.
pub(crate) fn into_tract(value: Value, inputs: &mut TVec<Tensor>) {
    match value {
        Value::Map { keys, values } => {
            inputs.push(match keys {
                Labels::Int(keys) => tensor1(&keys),
                Labels::String(keys) => tensor1(&keys),
            });
            into_tract(*values, inputs);
        }
        Value::Sequence(values) => values
            .into_iter()
            .for_each(|value| into_tract(value, inputs)),
        tensor => inputs.push(with_array!(tensor, array => array.into(), _ => return)),
    }
}

/// The constant that `proto` holds; one that lies in another file is refused.
pub(crate) fn load_tensor(proto: &TensorProto) -> TractResult<Tensor> {
    let provider = tract_onnx::data_resolver::default();
    tract_onnx::tensor::load_tensor(&*provider, proto, None)
}

pub(crate) fn from_tract(tensor: &Tensor) -> Result<Value> {
    match tensor.datum_type() {
        DatumType::F32 => array::<f32>(tensor),
        DatumType::F64 => array::<f64>(tensor),
        DatumType::I32 => array::<i32>(tensor),
        DatumType::I64 => array::<i64>(tensor),
        DatumType::U32 => array::<u32>(tensor),
        DatumType::Bool => array::<bool>(tensor),
        DatumType::String => array::<String>(tensor),
        // tract counts in symbolic dimensions where ONNX says int64; at run time they are numbers.
        DatumType::TDim => array::<i64>(&*tensor.cast_to::<i64>().map_err(run_error)?),
        other => Err(Error::new(
            ErrorKind::Run,
            format!("outputs of type {other:?} are not supported"),
        )),
    }
}

/// The element type that [`from_tract`] gives tensors of this type.
pub(crate) fn element_of_tract(datum_type: DatumType) -> Option<ElementType> {
    match datum_type {
        DatumType::F32 => Some(ElementType::Float),
        DatumType::F64 => Some(ElementType::Double),
        DatumType::I32 => Some(ElementType::Int32),
        DatumType::I64 | DatumType::TDim => Some(ElementType::Int64),
        DatumType::U32 => Some(ElementType::UInt32),
        DatumType::Bool => Some(ElementType::Bool),
        DatumType::String => Some(ElementType::String),
        _ => None,
    }
}

fn array<T: Datum>(tensor: &Tensor) -> Result<Value>
where
    Value: From<ndarray::ArrayD<T>>,
{
    Ok(tensor
        .to_plain_array_view::<T>()
        .map_err(run_error)?
        .to_owned()
        .into())
}

fn run_error(error: tract_onnx::prelude::TractError) -> Error {
    Error::new(ErrorKind::Run, &error).with_source(error)
}
