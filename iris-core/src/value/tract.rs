//! The one place where our values become tract's tensors and back.

use ndarray::ArrayD;
use tract_onnx::pb::TensorProto;
use tract_onnx::prelude::{Datum, DatumType, IntoTValue, TValue, TVec, Tensor, TractResult};

use crate::error::{Error, ErrorKind, Result};
use crate::guard::memory;
use crate::value::element::ElementType;
use crate::value::feed::Feed;
use crate::value::labels::Labels;
use crate::value::tensors::from_vec;
use crate::value::view::{Elements, TensorView, with_elements};
use crate::value::{Value, into_vec, with_array};

/// What any allocation has anyway: asking for more takes longer, and small tensors gain nothing by it.
const ALIGNMENT: usize = 16;

/// Adds `feed` to the inputs of a graph: a tensor is one of them, a map is two, its keys and its values.
pub(crate) fn into_tract(feed: Feed<'_>, inputs: &mut TVec<TValue>) -> Result<()> {
    match feed {
        Feed::Value(Value::Map { keys, values }) => {
            let keys = match keys {
                Labels::Int(keys) => from_vec(&[keys.len()], keys),
                Labels::String(keys) => from_vec(&[keys.len()], keys),
            };
            inputs.push(keys.map_err(run_error)?.into_tvalue());
            into_tract(Feed::Value(*values), inputs)?;
        }
        Feed::Value(Value::Sequence(values)) => {
            for value in values {
                into_tract(Feed::Value(value), inputs)?;
            }
        }
        Feed::Value(tensor) => {
            let shape: TVec<usize> = tensor.shape().into();
            let tensor =
                with_array!(tensor, array => from_vec(&shape, into_vec(array)), _ => return Ok(()));
            inputs.push(tensor.map_err(run_error)?.into_tvalue());
        }
        Feed::View(view) => inputs.push(copied(&view)?.into_tvalue()),
    }
    Ok(())
}

/// A copy of `view`, for a graph to take.
pub(crate) fn copied(view: &TensorView<'_>) -> Result<Tensor> {
    fn plain<T: Datum + Copy>(shape: &[usize], elements: &[T]) -> TractResult<Tensor> {
        memory::ask(size_of_val(elements))?;
        Tensor::from_shape_align(shape, elements, ALIGNMENT)
    }
    let shape = view.shape;
    match view.elements {
        Elements::Float(elements) => plain(shape, elements),
        Elements::Double(elements) => plain(shape, elements),
        Elements::Int32(elements) => plain(shape, elements),
        Elements::Int64(elements) => plain(shape, elements),
        Elements::Int16(elements) => plain(shape, elements),
        Elements::UInt32(elements) => plain(shape, elements),
        Elements::Bool(elements) => plain(shape, elements),
        Elements::String(elements) => {
            memory::ask_for_copies(elements)?;
            from_vec(shape, elements.to_vec())
        }
    }
    .map_err(run_error)
}

/// `tensor` where it lies.
pub(crate) fn view(tensor: &Tensor) -> Result<TensorView<'_>> {
    fn slice<T: Datum>(tensor: &Tensor) -> Result<&[T]> {
        tensor
            .try_as_plain_ram()
            .and_then(|plain| plain.as_slice())
            .map_err(run_error)
    }
    let elements = match tensor.datum_type() {
        DatumType::F32 => Elements::Float(slice(tensor)?),
        DatumType::F64 => Elements::Double(slice(tensor)?),
        DatumType::I32 => Elements::Int32(slice(tensor)?),
        DatumType::I64 => Elements::Int64(slice(tensor)?),
        DatumType::I16 => Elements::Int16(slice(tensor)?),
        DatumType::U32 => Elements::UInt32(slice(tensor)?),
        DatumType::Bool => Elements::Bool(slice(tensor)?),
        DatumType::String => Elements::String(slice(tensor)?),
        other => {
            return Err(Error::new(
                ErrorKind::Run,
                format!("outputs of type {other:?} are not supported"),
            ));
        }
    };
    Ok(TensorView {
        shape: tensor.shape(),
        elements,
    })
}

/// A copy of `view`.
pub(crate) fn to_value(view: &TensorView<'_>) -> Result<Value> {
    if let Elements::String(texts) = view.elements {
        memory::ask_for_copies(texts)?;
    }
    with_elements!(view.elements, elements => {
        ArrayD::from_shape_vec(view.shape, memory::copied(elements)?)
            .map(Value::from)
            .map_err(|e| Error::new(ErrorKind::Run, e))
    })
}

/// The constant that `proto` holds; one that lies in another file is refused.
pub(crate) fn load_tensor(proto: &TensorProto) -> TractResult<Tensor> {
    let provider = tract_onnx::data_resolver::default();
    tract_onnx::tensor::load_tensor(&*provider, proto, None)
}

/// A copy of `tensor`.
pub(crate) fn from_tract(tensor: &Tensor) -> Result<Value> {
    to_value(&view(tensor)?)
}

/// The element type that [`from_tract`] gives tensors of this type.
pub(crate) fn element_of_tract(datum_type: DatumType) -> Option<ElementType> {
    match datum_type {
        DatumType::F32 => Some(ElementType::Float),
        DatumType::F64 => Some(ElementType::Double),
        DatumType::I32 => Some(ElementType::Int32),
        DatumType::I64 | DatumType::TDim => Some(ElementType::Int64),
        DatumType::I16 => Some(ElementType::Int16),
        DatumType::U32 => Some(ElementType::UInt32),
        DatumType::Bool => Some(ElementType::Bool),
        DatumType::String => Some(ElementType::String),
        _ => None,
    }
}

fn run_error(error: tract_onnx::prelude::TractError) -> Error {
    Error::new(ErrorKind::Run, &error).with_source(error)
}
