//! Runs a graph on tensors: by one plan for any number of rows, or by one plan for each shape where tract needs that.

use std::collections::BTreeMap;
use std::sync::Arc;

use tract_onnx::pb;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;
use tract_onnx::prelude::{TValue, TVec};

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget::Limits;
use crate::onnx::signature::{ValueType, fed_inputs};
use crate::operator::steps::RowOutputs;
use crate::plan::planned::Planned;
use crate::plan::recent::Recent;
use crate::value::slots::Slots;
use crate::value::view::TensorView;

/// What runs a graph.
pub(crate) enum Runner {
    /// One plan, whatever the shapes.
    Symbolic(Box<Planned>),
    /// One plan where dimensions of one name are of one size, as the rows of data frames are; else as [`Self::PerShape`].
    /// The names say what a file means, and nobody is held to them: onnxruntime runs whatever its operators take.
    WhereNamesHold(Box<Planned>, Vec<Named>, Box<PerShape>),
    /// tract has to know the shapes.
    PerShape(Box<PerShape>),
}

/// The dimensions of one name: an input and an axis of it each.
type Named = Vec<(usize, usize)>;

/// The plans of the shapes seen last.
pub(crate) struct PerShape {
    model: pb::ModelProto,
    limits: Limits,
    recent: Recent<Shapes, Planned>,
}

type Shapes = TVec<TVec<usize>>;

impl Runner {
    /// Plans `model`, all of whose dimensions are numbers or names.
    ///
    /// # Errors
    /// If it can be planned neither as it is nor for a batch of two rows.
    pub(crate) fn new(model: &pb::ModelProto, limits: &Limits) -> Result<Self> {
        let limits = &with_callers_rows(model, limits);
        let error = match Planned::new(model, limits) {
            Ok(planned) => {
                let shared = model.graph.as_ref().map(shared_names).unwrap_or_default();
                return Ok(if shared.is_empty() {
                    Self::Symbolic(Box::new(planned))
                } else {
                    Self::WhereNamesHold(
                        Box::new(planned),
                        shared,
                        Box::new(PerShape::new(model.clone(), limits)),
                    )
                });
            }
            Err(error) if error.kind() != ErrorKind::InvalidModel => return Err(error),
            Err(error) => error,
        };
        // Where not even the rank of an input is known there is nothing to try, and the first run will tell.
        if let Some(shapes) = example_shapes(model)? {
            Planned::new(&with_shapes(model, &shapes), limits).map_err(|_| error)?;
        }
        Ok(Self::PerShape(Box::new(PerShape::new(
            model.clone(),
            limits,
        ))))
    }

    /// Runs the graph on its inputs, in order, and returns its outputs, in order.
    pub(crate) fn run(&self, inputs: TVec<TValue>) -> Result<TVec<TValue>> {
        match self {
            Self::Symbolic(planned) => planned.run(inputs),
            Self::WhereNamesHold(planned, shared, _) if names_hold(shared, &inputs) => {
                planned.run(inputs)
            }
            Self::WhereNamesHold(_, _, per_shape) | Self::PerShape(per_shape) => {
                per_shape.planned(&inputs)?.run(inputs)
            }
        }
    }

    /// Runs the graph for its `index`th output, without what only other outputs need.
    pub(crate) fn run_single(&self, index: usize, inputs: TVec<TValue>) -> Result<TValue> {
        match self {
            Self::Symbolic(planned) => planned.run_single(index, inputs),
            Self::WhereNamesHold(planned, shared, _) if names_hold(shared, &inputs) => {
                planned.run_single(index, inputs)
            }
            Self::WhereNamesHold(_, _, per_shape) | Self::PerShape(per_shape) => {
                per_shape.planned(&inputs)?.run_single(index, inputs)
            }
        }
    }

    /// Runs the graph on a view of its only input, for all outputs or for the `index`th one, or gives `None` where it takes
    /// a tensor.
    pub(crate) fn run_view(
        &self,
        index: Option<usize>,
        input: &TensorView<'_>,
    ) -> Result<Option<TVec<TValue>>> {
        match self {
            Self::Symbolic(planned) => planned.run_view(index, input),
            Self::WhereNamesHold(..) | Self::PerShape(_) => Ok(None),
        }
    }

    /// The types and shapes of the outputs, or of the `index`th one, for a batch of this shape, if row `i` of each is made of
    /// row `i` of it alone.
    ///
    /// # Errors
    /// If they are larger than limits allow.
    pub(crate) fn row_outputs(
        &self,
        index: Option<usize>,
        batch: &[usize],
    ) -> Result<Option<RowOutputs>> {
        match self {
            Self::Symbolic(planned) => planned.row_outputs(index, batch),
            Self::WhereNamesHold(..) | Self::PerShape(_) => Ok(None),
        }
    }

    /// Puts what [`row_outputs`](Self::row_outputs) tells of into `slots`.
    pub(crate) fn fill(
        &self,
        index: Option<usize>,
        input: &TensorView<'_>,
        slots: &mut [Option<Slots<'_>>],
    ) -> Result<()> {
        match self {
            Self::Symbolic(planned) => planned.fill(index, input, slots),
            Self::WhereNamesHold(..) | Self::PerShape(_) => {
                Err(Error::new(ErrorKind::Run, "no plan for every shape"))
            }
        }
    }

    /// The type of the `index`th output, if it is known before the graph runs.
    pub(crate) fn output_type(&self, index: usize) -> Option<ValueType> {
        match self {
            Self::Symbolic(planned) | Self::WhereNamesHold(planned, ..) => {
                planned.output_type(index)
            }
            Self::PerShape(_) => None,
        }
    }

    /// How many columns the `index`th output has, if that does not depend on the input.
    pub(crate) fn n_columns(&self, index: usize) -> Option<usize> {
        match self {
            Self::Symbolic(planned) | Self::WhereNamesHold(planned, ..) => planned.n_columns(index),
            Self::PerShape(_) => None,
        }
    }
}

/// The limits where rows count only if it is the caller who says how many they are: a file that asks for a batch of its own
/// size gets no more than [`Limits::run_bytes`] for it.
fn with_callers_rows(model: &pb::ModelProto, limits: &Limits) -> Limits {
    let is_fixed = |input: &pb::ValueInfoProto| matches!(first_dim(input), Some(&DimValue::DimValue(size)) if size > 1);
    let mut limits = limits.clone();
    if model.graph.iter().flat_map(fed_inputs).any(is_fixed) {
        limits.row_bytes = 0;
    }
    limits
}

/// What the file says of the first dimension of an input.
fn first_dim(input: &pb::ValueInfoProto) -> Option<&DimValue> {
    let shape = tensor_type(input)?.shape.as_ref()?;
    shape.dim.first()?.value.as_ref()
}

/// The dimensions whose names several inputs have.
fn shared_names(graph: &pb::GraphProto) -> Vec<Named> {
    let mut by_name: BTreeMap<&str, Named> = BTreeMap::new();
    for (index, input) in fed_inputs(graph).enumerate() {
        let shape = tensor_type(input).and_then(|tensor| tensor.shape.as_ref());
        for (axis, dim) in shape.iter().flat_map(|shape| shape.dim.iter().enumerate()) {
            if let Some(DimValue::DimParam(name)) = &dim.value {
                by_name.entry(name).or_default().push((index, axis));
            }
        }
    }
    by_name.retain(|_, dims| dims.len() > 1);
    by_name.into_values().collect()
}

fn names_hold(shared: &[Named], inputs: &[TValue]) -> bool {
    shared.iter().all(|dims| {
        let mut sizes = dims
            .iter()
            .map(|&(index, axis)| inputs.get(index)?.shape().get(axis));
        let first = sizes.next();
        sizes.all(|size| Some(size) == first)
    })
}

impl PerShape {
    fn new(model: pb::ModelProto, limits: &Limits) -> Self {
        Self {
            model,
            limits: limits.clone(),
            recent: Recent::default(),
        }
    }

    fn planned(&self, inputs: &[TValue]) -> Result<Arc<Planned>> {
        let shapes: Shapes = inputs.iter().map(|input| input.shape().into()).collect();
        self.recent.planned(&shapes, || {
            let planned = Planned::new(&with_shapes(&self.model, &shapes), &self.limits);
            planned.map_err(|error| error.within(self.named(&shapes)))
        })
    }

    /// The inputs with their shapes, as messages name them.
    fn named(&self, shapes: &Shapes) -> String {
        let graph = self.model.graph.as_ref();
        let names = graph.into_iter().flat_map(fed_inputs);
        let named = names
            .zip(shapes)
            .map(|(input, shape)| format!("{:?} {shape:?}", input.name));
        format!("inputs {}", named.collect::<Vec<_>>().join(", "))
    }
}

/// The shapes of a batch of two rows, or `None` if an input has dimensions of which nothing is known.
fn example_shapes(model: &pb::ModelProto) -> Result<Option<Shapes>> {
    let graph = model.graph.as_ref();
    let mut shapes = Shapes::new();
    for input in graph.into_iter().flat_map(fed_inputs) {
        let Some(shape) = tensor_type(input).and_then(|tensor| tensor.shape.as_ref()) else {
            return Ok(None);
        };
        let mut dims = TVec::new();
        for (axis, dim) in shape.dim.iter().enumerate() {
            match &dim.value {
                Some(DimValue::DimValue(size)) => {
                    dims.push(usize::try_from(*size).map_err(|_| {
                        let message = format!("input {:?}: dimension {size}", input.name);
                        Error::new(ErrorKind::InvalidModel, message)
                    })?);
                }
                _ if axis == 0 => dims.push(2),
                _ => return Ok(None),
            }
        }
        shapes.push(dims);
    }
    Ok(Some(shapes))
}

/// The model with the dimensions of its inputs given.
fn with_shapes(model: &pb::ModelProto, shapes: &Shapes) -> pb::ModelProto {
    let mut model = model.clone();
    let graph = model.graph.get_or_insert_default();
    let fed: Vec<String> = fed_inputs(graph).map(|input| input.name.clone()).collect();
    for (name, shape) in fed.iter().zip(shapes) {
        let tensor = graph
            .input
            .iter_mut()
            .find(|input| input.name == *name)
            .and_then(|input| input.r#type.as_mut()?.value.as_mut());
        if let Some(pb::type_proto::Value::TensorType(tensor)) = tensor {
            let dim = |&size: &usize| Dimension {
                value: Some(DimValue::DimValue(size as i64)),
                ..Dimension::default()
            };
            tensor.shape = Some(pb::TensorShapeProto {
                dim: shape.iter().map(dim).collect(),
            });
        }
    }
    model
}

/// How many rows all inputs have, if the file says so of each of them.
pub(crate) fn fixed_rows(graph: &pb::GraphProto) -> Option<usize> {
    let mut rows = None;
    for input in fed_inputs(graph) {
        let Some(&DimValue::DimValue(size)) = first_dim(input) else {
            return None;
        };
        let size = usize::try_from(size).ok().filter(|&size| size > 0)?;
        if *rows.get_or_insert(size) != size {
            return None;
        }
    }
    rows
}

fn tensor_type(input: &pb::ValueInfoProto) -> Option<&pb::type_proto::Tensor> {
    let pb::type_proto::Value::TensorType(tensor) = input.r#type.as_ref()?.value.as_ref()?;
    Some(tensor)
}
