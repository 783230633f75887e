//! Keeps what tract does with operators inside the limits: each is asked what it will give before it is evaluated.
//!
//! tract evaluates a node whose inputs are constants first, and looks at the size of what came of it then.

use std::fmt::Debug;

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::TypedSimpleState;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::tract_core;
use tract_onnx::tract_hir::tract_core::ops::array::{
    DynTile, MultiBroadcastTo, Range, Slice, Tile,
};
use tract_onnx::tract_hir::tract_core::ops::dummy::Dummy;
use tract_onnx::tract_hir::tract_core::ops::konst::Const;
use tract_onnx::tract_hir::tract_core::optim::change_axes::ChangeAxes;
use tract_onnx::tract_hir::tract_core::optim::{Optimizer, OptimizerSession, TypedPass};

use super::operator::mapped;
use super::{dimensions, stock, tensors};
use crate::error::{Error, ErrorKind};
use crate::model::{interrupt, limits, memory, node_name};

/// Builds a node of one of tract's operators.
pub(super) fn build(
    context: &ParsingContext<'_>,
    node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let builder = stock::find(&node.op_type).ok_or_else(|| {
        let message = format!("operator {} is not in the table", node.op_type);
        Error::new(ErrorKind::UnsupportedOperator, message)
    })?;
    check_attributes(node)?;
    let (op, outer_inputs) = builder(context, node)?;
    Ok((bounded(node, op), outer_inputs))
}

/// `op`, of `node`, that is not evaluated for more than may be made.
pub(super) fn bounded(node: &NodeProto, op: Box<dyn InferenceOp>) -> Box<dyn InferenceOp> {
    Box::new(Bounded {
        op_type: node.op_type.clone(),
        op,
        is_folded: false,
    })
}

/// More than any axis, or number of axes, is.
const MAX_RANK: i64 = limits::MAX_RANK as i64;
/// More than any other whole number that is an attribute is.
const MAX_INT: i64 = 1 << 24;

/// Checks the whole numbers among the attributes, which tract goes through one by one, or makes lists of, before it looks at
/// what they count.
fn check_attributes(node: &NodeProto) -> crate::Result<()> {
    if node.op_type == "Constant" {
        return Ok(());
    }
    let invalid = |name: &str, what: String| {
        let message = format!("{}: attribute {name}: {what}", node_name(node));
        Err(Error::new(ErrorKind::InvalidAttribute, message))
    };
    for attribute in &node.attribute {
        let name = attribute.name.as_str();
        let most = match name {
            "axis" | "axes" | "perm" | "batch_dims" => MAX_RANK,
            _ if name.ends_with("_axes") => MAX_RANK,
            "num_scan_inputs" | "num_outputs" => (node.input.len() + node.output.len()) as i64,
            _ => MAX_INT,
        };
        let mut values = attribute.ints.iter().chain([&attribute.i]);
        if let Some(value) = values.find(|value| value.unsigned_abs() > most.unsigned_abs()) {
            return invalid(name, format!("{value} is not between {} and {most}", -most));
        }
        if matches!(name, "axes" | "perm") && attribute.ints.len() > MAX_RANK as usize {
            return invalid(name, format!("{} axes", attribute.ints.len()));
        }
        if name == "perm" {
            // tract goes from axis to axis until it is back at the first, which it may never be.
            let mut axes = 0..attribute.ints.len() as i64;
            if !axes.all(|axis| attribute.ints.contains(&axis)) {
                return invalid(name, format!("{:?} is no permutation", attribute.ints));
            }
        }
    }
    Ok(())
}

/// An operator whose steps are counted, and which is not evaluated for more than may be made.
#[derive(Clone, Debug)]
struct Bounded {
    op_type: String,
    op: Box<dyn InferenceOp>,
    /// Whether what it makes of constants has been counted.
    is_folded: bool,
}

impl PartialEq for Bounded {
    fn eq(&self, _other: &Self) -> bool {
        false
    }
}

impl Eq for Bounded {}

impl Op for Bounded {
    fn name(&self) -> StaticName {
        self.op.name()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        self.op.info()
    }

    fn validation(&self) -> Validation {
        self.op.validation()
    }

    fn mints_runtime_symbols(&self) -> bool {
        self.op.mints_runtime_symbols()
    }

    not_a_typed_op!();
}

impl EvalOp for Bounded {
    fn eval(&self, ctx: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.op.eval(ctx, inputs)
    }

    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        self.op.eval_out_of_plan(inputs)
    }

    fn state(&self, ctx: &EvalContext<'_>) -> TractResult<Option<Box<dyn OpState>>> {
        self.op.state(ctx)
    }
}

type Facts = TVec<InferenceFact>;

impl InferenceOp for Bounded {
    fn infer(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(Facts, Facts, Facts)> {
        limits::step(1)?;
        self.check_operands(&inputs)?;
        self.check_values(inputs.iter().copied())?;
        if self.op_type == "EyeLike" {
            // Inference makes what follows from the shape of the input alone.
            let mut output = inputs.first().copied().cloned().unwrap_or_default();
            output.datum_type = DatumType::I64.into();
            self.fold(&[output])?;
        } else if inputs.iter().all(|input| input.value.is_concrete()) {
            // What follows evaluates the node.
            let (inputs, outputs, observed) = self.op.infer_facts(inputs, outputs, observed)?;
            self.fold(&outputs)?;
            check_repeated(&inputs, &outputs)?;
            return self.op.infer(
                inputs.iter().collect(),
                outputs.iter().collect(),
                observed.iter().collect(),
            );
        }
        let facts = self.op.infer(inputs, outputs, observed)?;
        for output in &facts.1 {
            check_fact(output)?;
            if let Some(constant) = output.value.concretize() {
                dimensions::check_elements(&constant)?;
            }
        }
        Ok(facts)
    }

    fn infer_facts(
        &mut self,
        inputs: TVec<&InferenceFact>,
        outputs: TVec<&InferenceFact>,
        observed: TVec<&InferenceFact>,
    ) -> TractResult<(Facts, Facts, Facts)> {
        self.op.infer_facts(inputs, outputs, observed)
    }

    fn observe_outlets(
        &self,
        model: &InferenceModel,
        node: &InferenceNode,
    ) -> TractResult<Vec<OutletId>> {
        self.op.observe_outlets(model, node)
    }

    fn incorporate(
        &self,
        model: &InferenceModel,
        node: &InferenceNode,
    ) -> TractResult<Option<InferenceModelPatch>> {
        self.op.incorporate(model, node)
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.op.nboutputs()
    }

    fn to_typed(
        &self,
        source: &InferenceModel,
        node: &InferenceNode,
        target: &mut TypedModel,
        mapping: &HashMap<OutletId, OutletId>,
    ) -> TractResult<TVec<OutletId>> {
        let first_new = target.nodes.len();
        // Each name is looked for among those that there are.
        limits::step(1 + first_new / 64)?;
        let inputs = mapped(mapping, &node.inputs)?
            .into_iter()
            .map(|input| Ok(InferenceFact::from(target.outlet_fact(input)?)))
            .collect::<TractResult<Vec<_>>>()?;
        self.check_values(inputs.iter())?;
        let outlets = self.op.to_typed(source, node, target, mapping)?;
        for node in &mut target.nodes[first_new..] {
            for output in &node.outputs {
                check_shape(&output.fact.shape, output.fact.datum_type)?;
                if let Some(constant) = &output.fact.konst {
                    dimensions::check_elements(constant)?;
                }
            }
            let repeats = node.op_is::<MultiBroadcastTo>() || node.op_is::<Tile>();
            let is_text = |output: &Outlet<TypedFact>| output.fact.datum_type == DatumType::String;
            let repeats_text = repeats && node.outputs.iter().any(is_text);
            if node.op_is::<Range>() || node.op_is::<DynTile>() || repeats_text {
                node.op = guarded_op(node.op.clone());
            }
        }
        Ok(outlets)
    }

    as_op!();
}

/// Checks what is known of the size of a tensor, and gives it.
fn check_fact(fact: &InferenceFact) -> TractResult<usize> {
    let element = fact
        .datum_type
        .concretize()
        .map_or(1, |datum_type| datum_type.size_of());
    let dims = fact.shape.dims().filter_map(Factoid::concretize);
    check_dims(dims, element)
}

fn check_shape(shape: &ShapeFact, datum_type: DatumType) -> TractResult<usize> {
    check_dims(shape.iter().cloned(), datum_type.size_of())
}

/// Checks each dimension, and the product of those that are numbers, and gives it, in bytes.
fn check_dims(dims: impl Iterator<Item = TDim>, element: usize) -> TractResult<usize> {
    let mut sizes: TVec<i64> = tvec![];
    for dim in dims {
        dimensions::check(&dim)?;
        sizes.extend(dim.to_i64().ok());
    }
    Ok(limits::check_tensor(sizes, element)?)
}

/// Checks how much text there will be where a constant is made of a constant that is repeated.
fn check_repeated(inputs: &[InferenceFact], outputs: &[InferenceFact]) -> TractResult<()> {
    let constants = inputs.iter().filter_map(|input| input.value.concretize());
    for (constant, output) in constants.zip(outputs) {
        if let Some(texts) = memory::texts(&constant) {
            let n_texts = check_fact(output)? / size_of::<String>();
            memory::ask_for_broadcast(texts, n_texts)?;
        }
    }
    Ok(())
}

impl Bounded {
    /// Takes what these outputs, made of constants, are from what may be made, once for all times the node is inferred.
    fn fold(&mut self, outputs: &[InferenceFact]) -> TractResult<()> {
        let mut bytes = 0_usize;
        for output in outputs {
            bytes = bytes.saturating_add(check_fact(output)?);
        }
        if !std::mem::replace(&mut self.is_folded, true) {
            limits::fold(bytes)?;
        }
        Ok(())
    }

    /// Checks what inference says too little about: how long a range is, how often something is repeated, and sizes that 32
    /// bits do not hold, which it cuts off.
    fn check_operands(&self, inputs: &[&InferenceFact]) -> TractResult<()> {
        let value = |input: &&InferenceFact| input.value.concretize();
        let sizes = match self.op_type.as_str() {
            "ConstantOfShape" => 0,
            "Expand" | "Tile" => 1,
            "Reshape" => {
                let shape = inputs.get(1).and_then(value);
                return shape.map_or(Ok(()), |shape| check_volume(&shape));
            }
            "Range" => {
                let values = inputs.iter().map(|input| Some(value(input)?.into_tvalue()));
                let values: Option<TVec<TValue>> = values.collect();
                let symbols = SymbolValues::default();
                return values.map_or(Ok(()), |values| check_range(&values, &symbols));
            }
            _ => return Ok(()),
        };
        let sizes = inputs.get(sizes).and_then(value);
        sizes.map_or(Ok(()), |sizes| check_sizes(&sizes))
    }

    /// From which input on an operator takes single values, which tract reads without looking whether there are any.
    fn first_value(&self) -> Option<usize> {
        Some(match self.op_type.as_str() {
            "Range" => 0,
            "Clip" | "CumSum" => 1,
            _ => return None,
        })
    }

    fn check_values<'a>(&self, facts: impl Iterator<Item = &'a InferenceFact>) -> TractResult<()> {
        let Some(first) = self.first_value() else {
            return Ok(());
        };
        for (input, fact) in facts.enumerate().skip(first) {
            if fact.shape.rank().concretize().is_some() {
                let dims: Vec<_> = fact.shape.dims().map(Factoid::concretize).collect();
                check_value(input, &dims)?;
            }
        }
        Ok(())
    }
}

/// Checks that there is a value where one is read. `shape` has the dimensions that are known, be it as another number.
fn check_value(input: usize, shape: &[Option<TDim>]) -> TractResult<()> {
    let mut known = shape.iter().flatten();
    if known.any(|dim| dim.to_i64().map_or(true, |size| size == 0)) {
        let message = format!("input {input}: expected a value, there may be none");
        return Err(tensors::invalid(message).into());
    }
    Ok(())
}

/// Checks that a size fits into 32 bits: tract cuts others off.
fn check_size(size: i64) -> crate::Result<()> {
    if i32::try_from(size).is_err() {
        let message = format!("a dimension of {size} is not possible");
        return Err(tensors::invalid(message));
    }
    Ok(())
}

/// Checks how many elements a shape has, beside what 0 and -1 stand for in it.
fn check_volume(shape: &Tensor) -> TractResult<()> {
    if shape.datum_type() == DatumType::I64 {
        let sizes = shape.try_as_plain_ram()?;
        let sizes = sizes.as_slice::<i64>()?.iter().copied();
        limits::check_tensor(sizes.clone().filter(|size| !(-1..=0).contains(size)), 1)?;
        sizes.clone().try_for_each(check_size)?;
    }
    Ok(())
}

/// Checks each of some sizes.
fn check_sizes(sizes: &Tensor) -> TractResult<()> {
    if sizes.datum_type() == DatumType::I64 {
        for &size in sizes.try_as_plain_ram()?.as_slice::<i64>()? {
            limits::check_tensor([size.saturating_abs()], 1)?;
            check_size(size)?;
        }
    }
    Ok(())
}

/// Checks how many numbers there are from the first of the inputs to the second, in steps of the third.
fn check_range(inputs: &[TValue], symbols: &SymbolValues) -> TractResult<()> {
    let [start, limit, step] = inputs else {
        return Ok(());
    };
    let number = |tensor: &Tensor| -> TractResult<Option<f64>> {
        if tensor.len() != 1 {
            bail!("Range: {:?} is no scalar", tensor.shape());
        }
        if tensor.datum_type() == DatumType::TDim {
            let plain = tensor.try_as_plain_ram()?;
            let dim = plain.as_slice::<TDim>()?[0].eval(symbols);
            return Ok(dim.to_i64().ok().map(|size| size as f64));
        }
        Ok(Some(tensor.cast_to_scalar::<f64>()?))
    };
    let (Some(start_at), Some(limit), Some(step)) = (number(start)?, number(limit)?, number(step)?)
    else {
        return Ok(());
    };
    let len = ((limit - start_at) / step).abs().ceil();
    // Counted in 64 bits, one step beyond the last.
    let is_within = !start.datum_type().is_integer() || (limit + step).abs() < i64::MAX as f64;
    if !len.is_finite() || !is_within {
        bail!("Range: from {start_at} to {limit} in steps of {step}");
    }
    limits::check_tensor([len as usize], start.datum_type().size_of())?;
    Ok(())
}

/// Checks the shape of the first of the inputs times the second.
fn check_tile(inputs: &[TValue], symbols: &SymbolValues) -> TractResult<()> {
    let [tensor, repeats] = inputs else {
        return Ok(());
    };
    let repeats = dimensions::of_tensor(repeats)?;
    let repeats = repeats.try_as_plain_ram()?;
    let repeats = repeats.as_slice::<TDim>()?;
    if repeats.len() != tensor.rank() {
        bail!(
            "Tile: {} repeats of a tensor of shape {:?}",
            repeats.len(),
            tensor.shape()
        );
    }
    let mut sizes: TVec<i64> = tvec![];
    for (&dim, times) in tensor.shape().iter().zip(repeats) {
        let Ok(times) = times.eval(symbols).to_i64() else {
            return Ok(());
        };
        if times < 0 {
            bail!("Tile: {times} repeats");
        }
        // A product over i64 is over any limit.
        sizes.push(i64::try_from(dim)?.saturating_mul(times));
    }
    limits::check_tensor(sizes, tensor.datum_type().size_of())?;
    Ok(())
}

/// An operator whose output's size only its inputs tell, checked before it is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Guarded {
    op: Box<dyn TypedOp>,
}

/// `op`, which is asked what it will give before it is evaluated.
pub(super) fn guarded(op: impl TypedOp) -> Box<dyn TypedOp> {
    guarded_op(Box::new(op))
}

fn guarded_op(op: Box<dyn TypedOp>) -> Box<dyn TypedOp> {
    Box::new(Guarded { op })
}

/// Checks that there is as much of `data` as a slice asks for.
fn check_slice(slice: &Slice, data: &Tensor, symbols: &SymbolValues) -> crate::Result<()> {
    let limit = |dim: &TDim| dimensions::size(dim, symbols);
    let len = data.shape().get(slice.axis).copied().unwrap_or_default();
    if let (Some(start), Some(end)) = (limit(&slice.start)?, limit(&slice.end)?)
        && !(0 <= start && start <= end && end <= len as i64)
    {
        let axis = slice.axis;
        let message = format!("a slice from {start} to {end} of {len} elements along axis {axis}");
        return Err(Error::input(message));
    }
    Ok(())
}

impl Op for Guarded {
    fn name(&self) -> StaticName {
        self.op.name()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        self.op.info()
    }

    fn mints_runtime_symbols(&self) -> bool {
        self.op.mints_runtime_symbols()
    }

    op_as_typed_op!();
}

impl Guarded {
    /// How many elements the output has for `inputs`.
    fn n_outputs(&self, inputs: &[TValue], symbols: &SymbolValues) -> TractResult<usize> {
        let facts = inputs.iter().map(|input| {
            let constant = input.clone().into_arc_tensor();
            TypedFact::try_from(constant)
        });
        let facts: TVec<TypedFact> = facts.collect::<TractResult<_>>()?;
        let facts: TVec<&TypedFact> = facts.iter().collect();
        let outputs = self.op.output_facts(&facts)?;
        let dims = outputs.iter().flat_map(|output| output.shape.iter());
        let sizes = dims.filter_map(|dim| dimensions::size(dim, symbols).transpose());
        let sizes: TVec<i64> = sizes.collect::<crate::Result<_>>()?;
        Ok(limits::check_tensor(sizes, 1)?)
    }
}

impl EvalOp for Guarded {
    op_out_of_plan!();

    fn eval(&self, ctx: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        if self.op.is::<Range>() {
            check_range(&inputs, ctx.symbols)?;
        } else if self.op.is::<DynTile>() {
            check_tile(&inputs, ctx.symbols)?;
        } else if let (Some(slice), [data]) = (self.op.downcast_ref::<Slice>(), &*inputs) {
            check_slice(slice, data, ctx.symbols)?;
            return self.op.eval(ctx, inputs);
        }
        if let Some(texts) = inputs.first().and_then(|input| memory::texts(input)) {
            let n_texts = self.n_outputs(&inputs, ctx.symbols)?;
            memory::ask_for_broadcast(texts, n_texts)?;
        }
        self.op.eval(ctx, inputs)
    }
}

impl TypedOp for Guarded {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        self.op.output_facts(inputs)
    }

    fn declutter(
        &self,
        model: &TypedModel,
        node: &TypedNode,
    ) -> TractResult<Option<TypedModelPatch>> {
        let mut patch = self.op.declutter(model, node)?;
        // A tile of one element becomes a broadcast, which repeats text as well.
        for node in patch.iter_mut().flat_map(|patch| &mut patch.model.nodes) {
            if node.op_is::<MultiBroadcastTo>() {
                node.op = guarded_op(node.op.clone());
            }
        }
        Ok(patch)
    }

    as_op!();
}

/// Runs what `state` is of, where each node is asked what it will give before it is evaluated.
pub(crate) fn run(state: &mut TypedSimpleState, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
    state.run_plan_with_eval(inputs, |ctx, state, node: &TypedNode, inputs| {
        interrupt::check()?;
        for output in &node.outputs {
            let dims = output.fact.shape.iter();
            let sizes = dims.filter_map(|dim| dimensions::size(dim, ctx.symbols).transpose());
            let sizes: TVec<i64> = sizes.collect::<crate::Result<_>>()?;
            limits::check_tensor(sizes, output.fact.datum_type.size_of())?;
        }
        memory::ask_for_inputs(&inputs)?;
        tract_core::plan::eval(ctx, state, node, inputs)
    })
}

/// Takes what the optimizer will make of the nodes of `graph` whose inputs are constants from what may be made.
fn fold(graph: &TypedModel) -> TractResult<()> {
    let mut is_constant = vec![false; graph.nodes.len()];
    for id in graph.eval_order()? {
        let node = &graph.nodes[id];
        is_constant[id] = if node.inputs.is_empty() {
            node.op_is::<Const>()
        } else {
            node.inputs.iter().all(|input| is_constant[input.node])
        };
        if is_constant[id] && !node.op_is::<Const>() {
            for output in &node.outputs {
                limits::fold(check_shape(&output.fact.shape, output.fact.datum_type)?)?;
            }
        }
    }
    Ok(())
}

/// `graph` with less in it, made in a limited number of steps, none of which makes more than may be made.
pub(crate) fn declutter(mut graph: TypedModel) -> TractResult<TypedModel> {
    fold(&graph)?;
    let passes: [Box<dyn TypedPass>; 2] = [
        Box::new(Nodes::new(|op, session, graph, node| {
            op.declutter_with_session(session, graph, node)
        })),
        Box::<ChangeAxes>::default(),
    ];
    optimizer(passes).session().optimize(&mut graph)?;
    Ok(graph)
}

/// `graph` as it is to run, made in a limited number of steps.
pub(crate) fn optimize(graph: TypedModel) -> TractResult<TypedModel> {
    let mut graph = declutter(graph)?;
    let passes: [Box<dyn TypedPass>; 3] = [
        Box::new(Nodes::new(|op, _, graph, node| op.codegen(graph, node))),
        Box::new(Nodes::new(|op, session, graph, node| {
            op.declutter_with_session(session, graph, node)
        })),
        Box::new(Nodes::new(|op, _, graph, node| op.fuse(graph, node))),
    ];
    graph.optimize_with_session(&mut optimizer(passes).session())?;
    Ok(graph)
}

/// What folds constants and does `passes`, whose steps are counted. tract's own lists of passes have some that know what no
/// operator here is, and bring the operators they make.
fn optimizer<const N: usize>(passes: [Box<dyn TypedPass>; N]) -> Optimizer {
    let mut optimizer = Optimizer::prop_consts();
    optimizer.passes.extend(passes);
    let passes = optimizer.passes.into_iter();
    optimizer.passes = passes
        .map(|pass| Box::new(Counted { pass }) as Box<dyn TypedPass>)
        .collect();
    optimizer
}

/// What an operator says is to become of its node, if anything is.
type Change = fn(
    &dyn TypedOp,
    &mut OptimizerSession<'_>,
    &TypedModel,
    &TypedNode,
) -> TractResult<Option<TypedModelPatch>>;

/// A pass over the nodes, one after the other.
#[derive(Clone, Debug)]
struct Nodes {
    change: Change,
    next: usize,
}

impl Nodes {
    fn new(change: Change) -> Self {
        Self { change, next: 0 }
    }
}

impl TypedPass for Nodes {
    fn reset(&mut self) -> TractResult<()> {
        self.next = 0;
        Ok(())
    }

    fn next(
        &mut self,
        session: &mut OptimizerSession<'_>,
        graph: &TypedModel,
    ) -> TractResult<Option<TypedModelPatch>> {
        while let Some(node) = graph.nodes.get(self.next) {
            if !node.op_is::<Dummy>()
                && let Some(patch) = (self.change)(&*node.op, session, graph, node)?
            {
                self.next += usize::from(patch.dont_apply_twice.is_some());
                return Ok(Some(patch));
            }
            self.next += 1;
        }
        Ok(None)
    }
}

/// A pass whose steps are counted.
#[derive(Clone, Debug)]
struct Counted {
    pass: Box<dyn TypedPass>,
}

impl TypedPass for Counted {
    fn reset(&mut self) -> TractResult<()> {
        self.pass.reset()
    }

    fn next(
        &mut self,
        session: &mut OptimizerSession<'_>,
        model: &TypedModel,
    ) -> TractResult<Option<TypedModelPatch>> {
        limits::step(model.nodes.len())?;
        self.pass.next(session, model)
    }

    fn run_direct(&mut self, model: &mut TypedModel) -> TractResult<bool> {
        limits::step(model.nodes.len())?;
        self.pass.run_direct(model)
    }
}
