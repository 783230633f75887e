//! A graph made ready to run.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};

use tract_onnx::pb;
use tract_onnx::prelude::{OutletId, Symbol, SymbolValues, TDim, TValue, TVec, TypedModel};
use tract_onnx::tract_core::internal::DimLike;

use crate::control::if_::Surprise;
use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget;
use crate::guard::budget::Limits;
use crate::guard::panics::{guarded, recovered};
use crate::onnx::constants::constant_bytes;
use crate::onnx::signature::{Dimension, ValueType};
use crate::operator::steps::{RowOutputs, Steps};
use crate::plan::recent::Recent;
use crate::plan::sizes::Sizes;
use crate::plan::{runner, wiring};
use crate::rewrite::conditions::{Truths, assume, has_conditions};
use crate::value::slots::Slots;
use crate::value::tract::element_of_tract;
use crate::value::view::TensorView;

/// A graph whose types and shapes are known, and the plans made of it.
pub(crate) struct Planned {
    graph: TypedModel,
    /// How many rows the file says that all inputs have, and the symbol that is in the place of this number.
    fixed_rows: Option<(Symbol, usize)>,
    sizes: Sizes,
    all: OnceLock<Steps>,
    /// For each output a plan that computes it alone, made when first asked for.
    single: Vec<OnceLock<Steps>>,
    alternatives: Option<Box<Alternatives>>,
}

/// Plans of the same model that assume something else of its conditions.
struct Alternatives {
    model: pb::ModelProto,
    limits: Limits,
    recent: Recent<Truths, Planned>,
}

impl Planned {
    /// Makes a graph of `model` in which the type and shape of everything is known, and plans all outputs.
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

    /// The plan of a graph that says how many rows its inputs have is that of one which does not, wherever there is one, so
    /// that both give the same bits.
    fn as_assumed(model: &pb::ModelProto, limits: &Limits) -> Result<Self> {
        let planned = |n_rows: Option<usize>| {
            budget::planning(limits, constant_bytes(model), || {
                guarded(ErrorKind::InvalidModel, || {
                    let (graph, rows) = wiring::typed_graph(model, n_rows.is_some())?;
                    let sizes = Sizes::of(&graph, limits);
                    Ok(Self {
                        single: graph.outputs.iter().map(|_| OnceLock::new()).collect(),
                        all: OnceLock::from(Steps::of_graph(&graph, &graph.outputs)?),
                        sizes,
                        graph,
                        fixed_rows: rows.zip(n_rows),
                        alternatives: None,
                    })
                })
            })
        };
        if let Some(rows) = model.graph.as_ref().and_then(runner::fixed_rows)
            && let Ok(planned) = planned(Some(rows))
        {
            return Ok(planned);
        }
        planned(None)
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

    /// The steps to all outputs, or to the `index`th one, unless they depend on what is assumed of conditions.
    fn steps(&self, index: Option<usize>) -> Result<Option<&Steps>> {
        if self.alternatives.is_some() {
            return Ok(None);
        }
        index
            .map_or_else(|| self.all(), |index| self.single(index))
            .map(Some)
    }

    /// Runs the graph on its inputs, in order, and returns its outputs, in order.
    pub(crate) fn run(&self, inputs: TVec<TValue>) -> Result<TVec<TValue>> {
        self.follow(inputs, |planned, inputs| run(planned.all()?, &inputs))
    }

    /// Runs the graph for its `index`th output, without what only other outputs need.
    pub(crate) fn run_single(&self, index: usize, inputs: TVec<TValue>) -> Result<TValue> {
        let mut outputs = self.follow(inputs, |planned, inputs| {
            run(planned.single(index)?, &inputs)
        })?;
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
        let outputs = budget::running(bytes, || recovered(ErrorKind::Run, steps.run_view(input)));
        outputs.map(Some)
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
        budget::running(bytes, || {
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
            budget::running(bytes, || run(planned, inputs))
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

    fn all(&self) -> Result<&Steps> {
        self.made(&self.all, &self.graph.outputs)
    }

    fn single(&self, index: usize) -> Result<&Steps> {
        if self.graph.outputs.len() == 1 {
            return self.all();
        }
        self.made(&self.single[index], &self.graph.outputs[index..=index])
    }

    fn made<'a>(&'a self, steps: &'a OnceLock<Steps>, outputs: &[OutletId]) -> Result<&'a Steps> {
        if let Some(steps) = steps.get() {
            return Ok(steps);
        }
        let made = recovered(
            ErrorKind::InvalidModel,
            Steps::of_graph(&self.graph, outputs),
        )?;
        Ok(steps.get_or_init(|| made))
    }

    /// The type of the `index`th output.
    pub(crate) fn output_type(&self, index: usize) -> Option<ValueType> {
        let fact = self.graph.outlet_fact(self.graph.outputs[index]).ok()?;
        let dimension = |dim: &TDim| match self.with_fixed_rows(dim).to_usize() {
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
        let n_columns = self.with_fixed_rows(fact.shape.last()?);
        usize::try_from(n_columns.to_i64().ok()?).ok()
    }

    /// A dimension, with the number of rows in it if the file says how many there are.
    fn with_fixed_rows(&self, dim: &TDim) -> TDim {
        let Some((symbol, rows)) = &self.fixed_rows else {
            return dim.clone();
        };
        let mut symbols = SymbolValues::default();
        symbols.set(symbol, *rows as i64);
        dim.eval(&symbols)
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

fn run(steps: &Steps, inputs: &[TValue]) -> Result<TVec<TValue>> {
    recovered(ErrorKind::Run, steps.run(inputs))
}
