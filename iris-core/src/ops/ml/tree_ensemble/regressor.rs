//! [TreeEnsembleRegressor](https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html), versions 1 and 3.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double, int32 or int64 gives `Y`
//! `[n_samples, n_targets]`, float. Attributes named `.._as_tensor` may be float, double or float16.
//!
//! The specification leaves open what happens to a single target after aggregation; as in onnxruntime, of the
//! transforms only PROBIT applies to it. Of several votes of one leaf for a single target the first counts, as in
//! onnxruntime, which the exports of decision paths rely on; the specification adds them up. Otherwise this follows
//! onnxruntime, save that
//! - votes are added up in double, whatever the type of the weights;
//! - a target that no leaf on the way votes for still gets its base value, which onnxruntime drops;
//! - double attributes go with any input, and are not rounded;
//! - each node of a chain of equalities minds its own flag for missing values, of which onnxruntime keeps the first.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::post_transform::PostTransform;
use crate::onnx::attributes::Attributes;
use crate::operator;
use crate::operator::batch::Batch;
use crate::operator::{Built, Filling, Layout, facts};
use crate::ops::ml::tree_ensemble::nodes::{VoteList, VoteNames};
use crate::ops::ml::tree_ensemble::{Aggregate, Ensemble, Stored, check_n_targets, nodes};
use crate::value::slots::Slots;
use crate::value::view::TensorView;

const VOTES: VoteNames = VoteNames {
    targets: "target_ids",
    trees: "target_treeids",
    nodes: "target_nodeids",
    weights: "target_weights",
    weights_as_tensor: "target_weights_as_tensor",
};

/// The attributes, checked: every length and index in them fits the others.
#[derive(Debug)]
struct TreeEnsembleRegressor {
    ensemble: Ensemble,
    /// One for each target, or none.
    base_values: Vec<f64>,
    post_transform: PostTransform,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let regressor = TreeEnsembleRegressor::from_attributes(attributes)?;
    Ok(Built::operator(regressor))
}

impl TreeEnsembleRegressor {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let post_transform = PostTransform::from_attributes(attributes)?;
        let aggregate = match attributes.string("aggregate_function")?.unwrap_or("SUM") {
            "SUM" => Aggregate::Sum,
            "AVERAGE" => Aggregate::Average,
            "MIN" => Aggregate::Min,
            "MAX" => Aggregate::Max,
            other => {
                let what = format!("unknown value {other:?}");
                return Err(attributes.invalid("aggregate_function", what));
            }
        };
        let votes = VoteList::from_attributes(attributes, &VOTES)?;
        let n_targets = attributes.int("n_targets")?.unwrap_or(0);
        let n_targets = check_n_targets(attributes, n_targets, votes.len())?;
        let base_values = Stored::either(attributes, "base_values", "base_values_as_tensor")?;
        if base_values.len() > 0 {
            attributes.check_len("base_values", base_values.len(), n_targets)?;
        }
        Ok(Self {
            ensemble: nodes::ensemble(attributes, &votes, n_targets, aggregate)?,
            base_values: base_values.into_f64s(),
            post_transform,
        })
    }
}

impl Filling for TreeEnsembleRegressor {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        let n_samples = self.ensemble.check_input(x)?;
        let shape = [n_samples, self.ensemble.n_targets.to_dim()];
        Ok(tvec![f32::datum_type().fact(shape)])
    }

    fn layout(&self, inputs: &[TensorView<'_>], _output: usize) -> TractResult<Layout> {
        let x = Batch::only(inputs)?;
        Ok(Layout::new::<f32>(&[x.n_samples, self.ensemble.n_targets]))
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let x = Batch::only(inputs)?;
        let y = operator::only::<f32>(outputs)?;
        let n_targets = self.ensemble.n_targets;
        self.ensemble.evaluate(x, &mut |first, scores, _| {
            for scores in scores.chunks_exact_mut(n_targets) {
                for (score, base) in scores.iter_mut().zip(&self.base_values) {
                    *score += base;
                }
                self.post_transform.apply_to_several(scores);
            }
            let slots = y[first * n_targets..].iter_mut();
            slots
                .zip(scores)
                .for_each(|(slot, score)| *slot = *score as f32);
        })
    }
}
