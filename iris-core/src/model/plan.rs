//! A graph made ready to run, by tract.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_queue::ArrayQueue;
use tract_onnx::pb;
use tract_onnx::prelude::{
    IntoTValue, OutletId, TValue, TVec, Tensor, TractError, TractResult, TypedModel,
    TypedSimplePlan, TypedSimpleState,
};
use tract_onnx::tract_hir::infer::InferenceModelExt;

use crate::error::{Error, ErrorKind, Result};
use crate::ops;

/// What tract knows of a graph: enough to make plans for it.
pub(crate) struct Graph(TypedModel);

/// A graph with the order in which to compute its nodes.
pub(crate) struct Plan {
    plan: Arc<TypedSimplePlan>,
    /// States of runs that have ended well, for the next runs to start from: making one costs as much as a small model.
    idle: ArrayQueue<Box<TypedSimpleState>>,
}

/// How many threads may run a plan at once before some have to make their states anew.
const IDLE_STATES: usize = 16;

impl Graph {
    /// Gives `model` to tract, which infers the type and shape of everything in it.
    pub(crate) fn new(model: &pb::ModelProto) -> Result<Self> {
        guarded(ErrorKind::InvalidModel, || {
            let parsed = ops::FRAMEWORK.parse(model, None)?;
            Ok(Self(parsed.model.into_typed()?.into_decluttered()?))
        })
    }

    /// A plan that computes all outputs.
    pub(crate) fn plan(&self) -> Result<Plan> {
        self.plan_for(&self.0.outputs)
    }

    /// A plan that computes the `index`th output, and nothing that only other outputs need.
    pub(crate) fn plan_for_output(&self, index: usize) -> Result<Plan> {
        self.plan_for(&self.0.outputs[index..=index])
    }

    fn plan_for(&self, outputs: &[OutletId]) -> Result<Plan> {
        guarded(ErrorKind::InvalidModel, || {
            let mut model = self.0.clone();
            model.select_output_outlets(outputs)?;
            let plan = TypedSimplePlan::new(model.into_optimized()?)?;
            Ok(Plan {
                plan,
                idle: ArrayQueue::new(IDLE_STATES),
            })
        })
    }

    /// How many columns the `index`th output has, if that does not depend on the input.
    pub(crate) fn n_columns(&self, index: usize) -> Option<usize> {
        let fact = self.0.outlet_fact(self.0.outputs[index]).ok()?;
        usize::try_from(fact.shape.last()?.to_i64().ok()?).ok()
    }
}

impl Plan {
    /// Runs the plan on the model's inputs, in order, and returns what it computes, in order.
    pub(crate) fn run(&self, inputs: TVec<Tensor>) -> Result<TVec<TValue>> {
        guarded(ErrorKind::Run, || {
            let mut state = match self.idle.pop() {
                Some(state) => state,
                None => Box::new(self.plan.spawn()?),
            };
            let outputs = state.run(inputs.into_iter().map(IntoTValue::into_tvalue).collect())?;
            // Where all places are taken the state is dropped, which is all that is left to do with it.
            drop(self.idle.push(state));
            Ok(outputs)
        })
    }
}

/// Calls into tract: what comes back is our own error if the cause was ours, and otherwise one of `kind`.
///
/// A panic in tract is an error, too. Nothing it could leave half-done outlives the call: graphs and plans are changed
/// by no one once they are made.
fn guarded<T>(kind: ErrorKind, call: impl FnOnce() -> TractResult<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(recover(kind, error)),
        Err(panic) => {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            let summary = message.lines().next().unwrap_or_default();
            Err(Error::new(kind, format!("tract panicked: {summary}")))
        }
    }
}

fn recover(kind: ErrorKind, error: TractError) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(theirs) => Error::new(kind, theirs.root_cause().to_string()).with_source(theirs),
    }
}
