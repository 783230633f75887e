//! A model that has been loaded.

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::ops::Range;
use std::path::Path;

use smallvec::SmallVec;
use tract_onnx::pb;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as DimValue;
use tract_onnx::prelude::{TValue, TVec};

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget;
use crate::guard::panics::caught;
use crate::kernels::simd;
use crate::load::options::LoadOptions;
use crate::load::{check, decode, external, types, wire};
use crate::model::batch::Batch;
use crate::model::metadata::Metadata;
use crate::model::missing::Missing;
use crate::model::roles::Roles;
use crate::onnx::signature::{
    Feeds, N_SAMPLES, Outputs, Types, ValueInfo, ValueType, fed_inputs, names,
};
use crate::plan::runner::Runner;
use crate::rewrite::conditions::Truths;
use crate::rewrite::{conditions, inline, maps, neighbors, normalize, presentation};
use crate::value::feed::Feed;
use crate::value::tract::into_tract;

/// Loads a model from the bytes of a file that lies in `folder`.
pub(crate) fn load(bytes: &[u8], folder: Option<&Path>, options: &LoadOptions) -> Result<Loaded> {
    simd::check()?;
    caught(ErrorKind::InvalidModel, || loaded(bytes, folder, options))
}

fn loaded(bytes: &[u8], folder: Option<&Path>, options: &LoadOptions) -> Result<Loaded> {
    let mut model = parse(bytes, options)?;
    check::check_depth(&model, &options.limits)?;
    if options.external_data {
        external::read(&mut model, folder, &options.limits)?;
    }
    inline::inline(&mut model, &options.limits)?;
    normalize::normalize(&mut model, &options.limits)?;
    let graph = model.graph.get_or_insert_default();
    let types = types::read(bytes, graph)?;
    let mut outputs = presentation::outputs(graph, &types)?;
    let inputs = inputs(graph, &types)?;
    maps::split(graph, &inputs)?;
    check::check(&model, &options.limits)?;
    let graph = model.graph.get_or_insert_default();
    name_dimensions(graph);
    conditions::assume(graph, &Truths::new());
    let rewritten = neighbors::rewrite(&model);
    let runner = Runner::new(rewritten.as_ref().unwrap_or(&model), &options.limits)?;
    type_outputs(&mut outputs, &runner)?;
    check_output_types(&outputs, &runner)?;
    check_zip_maps(&outputs, &runner)?;
    let graph = model.graph.get_or_insert_default();
    let roles = Roles::of(graph, &outputs);
    let missing = Missing::new(&inputs, graph);
    let batch = Batch::new(&inputs, &missing);
    let graph = std::mem::take(graph);
    let metadata = Metadata::from_onnx(&model, &graph);
    Ok(Loaded {
        inputs,
        outputs: outputs.infos,
        tensors: outputs.tensors,
        metadata,
        roles,
        missing,
        batch,
        runner,
        threads: options.threads,
    })
}

/// Gives the outputs that the file gives no type that of the graph's tensor.
fn type_outputs(outputs: &mut Outputs, runner: &Runner) -> Result<()> {
    for &index in &outputs.untyped {
        let info = &mut outputs.infos[index];
        info.value_type = runner
            .output_type(outputs.tensors[index].start)
            .ok_or_else(|| {
                let message = format!(
                    "output {:?}: has no type, and none can be inferred",
                    info.name
                );
                Error::new(ErrorKind::InvalidModel, message)
            })?;
    }
    Ok(())
}

/// Checks that the outputs that the file gives a type are of that type.
fn check_output_types(outputs: &Outputs, runner: &Runner) -> Result<()> {
    for (info, tensors) in outputs.infos.iter().zip(&outputs.tensors) {
        let element = |value_type: &ValueType| match value_type {
            ValueType::Tensor { element, .. } => Some(*element),
            _ => None,
        };
        let made = runner.output_type(tensors.start);
        if let (Some(declared), Some(made)) =
            (element(&info.value_type), made.as_ref().and_then(element))
            && declared != made
        {
            let message = format!(
                "output {:?}: declared as tensor({declared}), the graph makes tensor({made})",
                info.name
            );
            return Err(Error::new(ErrorKind::InvalidModel, message));
        }
    }
    Ok(())
}

fn parse(bytes: &[u8], options: &LoadOptions) -> Result<pb::ModelProto> {
    let not_onnx = |what: &str| Error::new(ErrorKind::Parse, format!("not an ONNX model: {what}"));
    let limit = options.limits.file_bytes;
    if bytes.len() > limit {
        return Err(budget::exceeded("file_bytes", limit, "the file is larger"));
    }
    if bytes.is_empty() {
        return Err(not_onnx("the file is empty"));
    }
    wire::check(bytes, &options.limits)?;
    let model = decode::model(bytes).map_err(|e| not_onnx(&e.to_string()).with_source(e))?;
    if model.graph.is_none() {
        return Err(not_onnx("it holds no graph"));
    }
    if model.opset_import.is_empty() {
        return Err(not_onnx("it imports no operator set"));
    }
    Ok(model)
}

fn inputs(graph: &pb::GraphProto, types: &Types) -> Result<Vec<ValueInfo>> {
    fed_inputs(graph)
        .map(|input| ValueInfo::from_onnx(input, types, "input"))
        .collect()
}

/// Gives every dimension that is not a number a name that means the same to tract as to us.
///
/// skl2onnx leaves the number of rows unnamed; it is the same for all inputs, so that they can be joined. Names that a
/// file does give are replaced, since tract would parse them as expressions. A name that an input has twice says nothing:
/// onnxmltools calls each of its dimensions `None`, and onnxruntime takes any sizes for them.
fn name_dimensions(graph: &mut pb::GraphProto) {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut unnamed = 0;
    for input in &mut graph.input {
        let Some(pb::type_proto::Value::TensorType(tensor)) =
            input.r#type.as_mut().and_then(|t| t.value.as_mut())
        else {
            continue;
        };
        let mut of_input: HashSet<String> = HashSet::new();
        for (axis, dim) in tensor
            .shape
            .iter_mut()
            .flat_map(|shape| &mut shape.dim)
            .enumerate()
        {
            let name = match &dim.value {
                Some(DimValue::DimValue(_)) => continue,
                Some(DimValue::DimParam(name))
                    if !name.is_empty() && of_input.insert(name.clone()) =>
                {
                    let next = known.len();
                    format!("dim_{}", *known.entry(name.clone()).or_insert(next))
                }
                _ if axis == 0 => N_SAMPLES.into(),
                _ => {
                    unnamed += 1;
                    format!("unnamed_{unnamed}")
                }
            };
            dim.value = Some(DimValue::DimParam(name));
        }
    }
}

/// Checks that ZipMap's labels are as many as the columns it names.
fn check_zip_maps(outputs: &Outputs, runner: &Runner) -> Result<()> {
    for (output, tensors) in outputs.infos.iter().zip(&outputs.tensors) {
        if let (Some(classes), Some(n_columns)) =
            (output.zip_map_classes(), runner.n_columns(tensors.start))
            && classes.len() != n_columns
        {
            let message = format!(
                "output {:?}: ZipMap has {} class labels for {n_columns} columns",
                output.name,
                classes.len()
            );
            return Err(Error::new(ErrorKind::InvalidModel, message));
        }
    }
    Ok(())
}

/// A model's graph, ready to run, and what is known of its inputs and outputs.
pub struct Loaded {
    pub(crate) inputs: Vec<ValueInfo>,
    pub(crate) outputs: Vec<ValueInfo>,
    /// For each output the graph's outputs that hold it: one, or as many as a sequence is long.
    pub(crate) tensors: Vec<Range<usize>>,
    pub(crate) metadata: Metadata,
    pub(crate) roles: Roles,
    pub(crate) missing: Missing,
    pub(crate) batch: Result<Batch>,
    pub(crate) runner: Runner,
    pub(crate) threads: NonZero<usize>,
}

impl Loaded {
    /// Puts named values in the graph's order, checked against its signature.
    pub(crate) fn in_order<'a, N: AsRef<str>>(
        &self,
        feeds: impl IntoIterator<Item = (N, Feed<'a>)>,
    ) -> Result<Feeds<'a>> {
        let infos = &self.inputs;
        let mut bound: SmallVec<[Option<Feed<'a>>; 1]> = infos.iter().map(|_| None).collect();
        for (name, feed) in feeds {
            let name = name.as_ref();
            let Some(index) = infos.iter().position(|info| info.name == name) else {
                let message = format!("input {name:?}: the model takes {}", names(infos));
                return Err(Error::input(message));
            };
            if bound[index].is_some() {
                return Err(Error::input(format!("input {name:?}: given twice")));
            }
            infos[index].check(&feed)?;
            bound[index] = Some(feed);
        }
        let missing = |info: &ValueInfo| {
            let message = format!(
                "input {:?}: missing; the model takes {}",
                info.name,
                names(infos)
            );
            Error::input(message)
        };
        let feeds = infos.iter().zip(bound);
        feeds
            .map(|(info, feed)| feed.ok_or_else(|| missing(info)))
            .collect()
    }

    /// What turns a batch of rows into the model's only input.
    pub(crate) fn batch(&self) -> Result<&Batch> {
        self.batch.as_ref().map_err(Clone::clone)
    }
}

pub(crate) fn into_inputs(feeds: Feeds<'_>) -> Result<TVec<TValue>> {
    let mut inputs = TVec::with_capacity(feeds.len());
    for feed in feeds {
        into_tract(feed, &mut inputs)?;
    }
    Ok(inputs)
}
