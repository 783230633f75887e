//! A graph made ready to run, by tract.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};

use crossbeam_queue::ArrayQueue;
use tract_onnx::pb;
use tract_onnx::prelude::{
    OutletId, TDim, TValue, TVec, TractResult, TypedModel, TypedSimplePlan, TypedSimpleState,
};
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_hir::infer::InferenceModelExt;

use super::check::constant_bytes;
use super::conditions::{Truths, assume, has_conditions};
use super::guard::{guarded, recovered};
use super::limits;
use super::options::Limits;
use super::recent::Recent;
use super::signature::{Dimension, ValueType};
use super::sizes::Sizes;
use super::steps::{RowOutputs, Steps};
use crate::error::{Error, ErrorKind, Result};
use crate::ops::{self, Surprise, bounded};
use crate::value::{Slots, TensorView, element_of_tract};

/// A graph whose types and shapes tract knows, and the plans made of it.
pub(crate) struct Planned {
    graph: TypedModel,
    /// Whether the graph is made of our operators alone, which nothing has to be inferred or simplified for.
    is_all_ours: bool,
    sizes: Sizes,
    all: OnceLock<Plan>,
    /// For each output a plan that computes it alone, made when first asked for.
    single: Vec<OnceLock<Plan>>,
    alternatives: Option<Box<Alternatives>>,
}

/// Plans of the same model that assume something else of its conditions.
struct Alternatives {
    model: pb::ModelProto,
    limits: Limits,
    recent: Recent<Truths>,
}

/// A graph with the order in which to compute its nodes.
enum Plan {
    Steps(Box<Steps>),
    Tract(Box<TractPlan>),
}

struct TractPlan {
    steps: Option<Steps>,
    plan: Arc<TypedSimplePlan>,
    /// States of runs that have ended well, for the next runs to start from: making one costs as much as a small model.
    idle: ArrayQueue<Box<TypedSimpleState>>,
}

/// How many threads may run a plan at once before some have to make their states anew.
const IDLE_STATES: usize = 16;

impl Planned {
    /// Gives `model` to tract, which infers the type and shape of everything in it, and plans all outputs.
    ///
    /// Where a run shows that the plan assumes wrongly of a condition, another plan is made.
    pub(crate) fn new(model: &pb::ModelProto, limits: &Limits) -> Result<Self> {
        let mut planned = Self::as_assumed(model, limits)?;
        if model.graph.as_ref().is_some_and(has_conditions) {
            planned.alternatives = Some(Box::new(Alternatives {
                model: model.clone(),
                limits: limits.clone(),
                recent: Recent::default(),
            }));
        }
        Ok(planned)
    }

    fn as_assumed(model: &pb::ModelProto, limits: &Limits) -> Result<Self> {
        limits::planning(limits, constant_bytes(model), || {
            Self::within_limits(model, limits)
        })
    }

    fn within_limits(model: &pb::ModelProto, limits: &Limits) -> Result<Self> {
        // What is wrong with a model is for tract to tell.
        let direct = guarded(ErrorKind::InvalidModel, || ops::typed_graph(model));
        match direct {
            Ok(Some(graph)) => return Ok(Self::of_graph(graph, true, limits)),
            Err(error) if error.kind() == ErrorKind::LimitExceeded => return Err(error),
            _ => {}
        }
        guarded(ErrorKind::InvalidModel, || {
            let parsed = ops::FRAMEWORK.parse(model, None)?;
            let graph = bounded::declutter(ops::in_numbers(parsed.model.into_typed()?)?)?;
            let graph = ops::with_kernels(graph)?;
            let all = Plan::of_tract(&graph, &graph.outputs)?;
            let planned = Self::of_graph(graph, false, limits);
            let _ = planned.all.set(all);
            Ok(planned)
        })
    }

    fn of_graph(graph: TypedModel, is_all_ours: bool, limits: &Limits) -> Self {
        Self {
            single: graph.outputs.iter().map(|_| OnceLock::new()).collect(),
            all: OnceLock::new(),
            sizes: Sizes::of(&graph, limits),
            graph,
            is_all_ours,
            alternatives: None,
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
        let outputs = self
            .steps(index)?
            .and_then(|steps| steps.row_outputs(batch));
        if outputs.is_some() {
            self.sizes.check(&[batch])?;
        }
        Ok(outputs)
    }

    /// The steps to all outputs, or to the `index`th one, unless it takes more to run the graph.
    fn steps(&self, index: Option<usize>) -> Result<Option<&Steps>> {
        if self.alternatives.is_some() {
            return Ok(None);
        }
        let plan = index.map_or_else(|| self.all(), |index| self.single(index))?;
        Ok(plan.steps())
    }

    /// Runs the graph on its inputs, in order, and returns its outputs, in order.
    pub(crate) fn run(&self, inputs: TVec<TValue>) -> Result<TVec<TValue>> {
        self.follow(inputs, |planned, inputs| planned.all()?.run(inputs))
    }

    /// Runs the graph for its `index`th output, without what only other outputs need.
    pub(crate) fn run_single(&self, index: usize, inputs: TVec<TValue>) -> Result<TValue> {
        let mut outputs =
            self.follow(inputs, |planned, inputs| planned.single(index)?.run(inputs))?;
        outputs
            .pop()
            .ok_or_else(|| Error::new(ErrorKind::Run, "the plan gave no output"))
    }

    /// Runs the graph on a view of its only input, for all outputs or for the `index`th one, or gives `None` where it takes
    /// a tensor.
    pub(crate) fn run_view(
        &self,
        index: Option<usize>,
        input: &TensorView<'_>,
    ) -> Result<Option<TVec<TValue>>> {
        let Some(steps) = self.steps(index)? else {
            return Ok(None);
        };
        let bytes = self.sizes.check(&[input.shape])?;
        limits::running(bytes, || recovered(ErrorKind::Run, steps.run_view(input)))
    }

    /// Puts what [`row_outputs`](Self::row_outputs) tells of into `slots`.
    pub(crate) fn fill(
        &self,
        index: Option<usize>,
        input: &TensorView<'_>,
        slots: &mut [Option<Slots<'_>>],
    ) -> Result<()> {
        let steps = self
            .steps(index)?
            .ok_or_else(|| Error::new(ErrorKind::Run, "there are no slots without steps"))?;
        let bytes = self.sizes.check(&[input.shape])?;
        limits::running(bytes, || {
            recovered(ErrorKind::Run, steps.fill(input, slots))
        })
    }

    /// Runs the plan that assumes of all conditions what they turn out to be.
    fn follow<T>(
        &self,
        inputs: TVec<TValue>,
        run: impl Fn(&Self, TVec<TValue>) -> Result<T>,
    ) -> Result<T> {
        let run = |planned: &Self, inputs: TVec<TValue>| {
            let bytes = {
                let shapes: TVec<&[usize]> = inputs.iter().map(|input| input.shape()).collect();
                planned.sizes.check(&shapes)?
            };
            limits::running(bytes, || run(planned, inputs))
        };
        let Some(alternatives) = &self.alternatives else {
            return run(self, inputs);
        };
        let mut truths = Truths::new();
        let mut result = run(self, inputs.clone());
        while let Err(error) = &result
            && let Some(surprise) = error.source().and_then(|s| s.downcast_ref::<Surprise>())
            && truths.insert(surprise.number, surprise.truth).is_none()
        {
            result = run(&*alternatives.planned(&truths)?, inputs.clone());
        }
        result
    }

    fn all(&self) -> Result<&Plan> {
        self.made(&self.all, &self.graph.outputs)
    }

    fn single(&self, index: usize) -> Result<&Plan> {
        if self.graph.outputs.len() == 1 {
            return self.all();
        }
        self.made(&self.single[index], &self.graph.outputs[index..=index])
    }

    fn made<'a>(&'a self, plan: &'a OnceLock<Plan>, outputs: &[OutletId]) -> Result<&'a Plan> {
        if let Some(plan) = plan.get() {
            return Ok(plan);
        }
        let steps = self
            .is_all_ours
            .then(|| Steps::of_graph(&self.graph, outputs));
        let made = match steps.flatten() {
            Some(steps) => Plan::Steps(Box::new(steps)),
            None => guarded(ErrorKind::InvalidModel, || {
                Plan::of_tract(&self.graph, outputs)
            })?,
        };
        Ok(plan.get_or_init(|| made))
    }

    /// The type of the `index`th output.
    pub(crate) fn output_type(&self, index: usize) -> Option<ValueType> {
        let fact = self.graph.outlet_fact(self.graph.outputs[index]).ok()?;
        let dimension = |dim: &TDim| match dim.to_usize() {
            Ok(size) => Dimension::Fixed(size),
            Err(_) => Dimension::Unknown,
        };
        let shape = Some(fact.shape.iter().map(dimension).collect());
        Some(ValueType::Tensor {
            element: element_of_tract(fact.datum_type)?,
            shape,
        })
    }

    /// How many columns the `index`th output has, if that does not depend on the input.
    pub(crate) fn n_columns(&self, index: usize) -> Option<usize> {
        let fact = self.graph.outlet_fact(self.graph.outputs[index]).ok()?;
        usize::try_from(fact.shape.last()?.to_i64().ok()?).ok()
    }
}

impl Alternatives {
    fn planned(&self, truths: &Truths) -> Result<Arc<Planned>> {
        self.recent.planned(truths, || {
            let mut model = self.model.clone();
            assume(model.graph.get_or_insert_default(), truths);
            Planned::as_assumed(&model, &self.limits)
        })
    }
}

impl Plan {
    fn of_tract(graph: &TypedModel, outputs: &[OutletId]) -> TractResult<Self> {
        let mut graph = graph.clone();
        graph.select_output_outlets(outputs)?;
        let plan = TypedSimplePlan::new(bounded::optimize(graph)?)?;
        Ok(Self::Tract(Box::new(TractPlan {
            steps: Steps::of_plan(&plan),
            plan,
            idle: ArrayQueue::new(IDLE_STATES),
        })))
    }

    fn steps(&self) -> Option<&Steps> {
        match self {
            Self::Steps(steps) => Some(steps),
            Self::Tract(plan) => plan.steps.as_ref(),
        }
    }

    fn run(&self, inputs: TVec<TValue>) -> Result<TVec<TValue>> {
        match self {
            Self::Steps(steps) => recovered(ErrorKind::Run, steps.run(&inputs))?.ok_or_else(|| {
                let shapes: Vec<_> = inputs.iter().map(|input| input.shape()).collect();
                let message = format!("inputs of shapes {shapes:?} do not go together");
                Error::new(ErrorKind::InvalidInput, message)
            }),
            Self::Tract(plan) => recovered(ErrorKind::Run, plan.run(inputs)),
        }
    }
}

impl TractPlan {
    fn run(&self, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        if let Some(steps) = &self.steps
            && let Some(outputs) = steps.run(&inputs)?
        {
            return Ok(outputs);
        }
        let mut state = match self.idle.pop() {
            Some(state) => state,
            None => Box::new(self.plan.spawn()?),
        };
        let outputs = bounded::run(&mut state, inputs)?;
        // Where all places are taken the state is dropped, which is all that is left to do with it.
        drop(self.idle.push(state));
        Ok(outputs)
    }
}
