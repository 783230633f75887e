//! [TreeEnsembleClassifier](https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html), versions 1 and 3.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double, int32 or int64 gives the labels
//! `[n_samples]` and the scores `[n_samples, n_classes]`, float. Attributes named `.._as_tensor` may be float, double
//! or float16.
//!
//! With three classes or more, the label is that of the first class with the largest score among those that any leaf
//! on the way, or a base value, speaks for. With two, the specification leaves the rules open; these are onnxruntime's:
//! - where all votes are for one class (what scikit-learn converters write) their sum is the second class's score, and
//!   the label is the second where the sum is above 0.5, or above 0 if there is a negative weight. The scores are
//!   `[1 - s, s]`, or `[-s, s]` if there is a negative weight, or a logistic function of the latter;
//! - where there are votes for both classes, the label is the second where its score is above 0.
//!
//! It differs from onnxruntime in that
//! - votes are added up in double and the label is found from the float that the sum rounds to, so that votes of 1/3
//!   tie as in scikit-learn;
//! - with LOGISTIC the label is the second where its score is above a half, as in scikit-learn; onnxruntime asks for a
//!   sum above 0.5 if there is no negative weight;
//! - labels are the model's: onnxruntime answers 0 and 1 if there is one integer label, or votes for both of two;
//! - double attributes go with any input, and are not rounded;
//! - scores that onnxruntime leaves unwritten (the second PROBIT score of two) are 0.
//!
//! Not supported: base values for two classes, save one where all votes are for the first. onnxruntime's answers do not
//! depend on all votes and base values then.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::post_transform::{PostTransform, logistic, probit};
use crate::onnx::attributes::Attributes;
use crate::operator::batch::Batch;
use crate::operator::class_labels::{ClassLabels, labels_and_scores};
use crate::operator::{Built, Filling, Layout, facts};
use crate::ops::ml::tree_ensemble::nodes::{VoteList, VoteNames};
use crate::ops::ml::tree_ensemble::{Aggregate, Ensemble, Stored, Voted, nodes};
use crate::value::slots::Slots;
use crate::value::view::TensorView;

const VOTES: VoteNames = VoteNames {
    targets: "class_ids",
    trees: "class_treeids",
    nodes: "class_nodeids",
    weights: "class_weights",
    weights_as_tensor: "class_weights_as_tensor",
};

/// The attributes, checked: every length and index in them fits the others.
#[derive(Debug)]
struct TreeEnsembleClassifier {
    ensemble: Ensemble,
    labels: ClassLabels,
    /// None, one, or one for each class.
    base_values: Vec<f64>,
    rule: Rule,
}

/// What becomes of the votes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rule {
    post_transform: PostTransform,
    /// Of two classes, whether all votes are for one of them.
    is_for_one_class: bool,
    has_negative_weight: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let classifier = TreeEnsembleClassifier::from_attributes(attributes)?;
    Ok(Built::operator(classifier))
}

impl TreeEnsembleClassifier {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let labels = ClassLabels::from_attributes(attributes, "classlabels_int64s")?;
        let n_classes = labels.len();
        let votes = VoteList::from_attributes(attributes, &VOTES)?;
        let rule = Rule {
            post_transform: PostTransform::from_attributes(attributes)?,
            is_for_one_class: votes.only_target().is_some(),
            has_negative_weight: votes.has_negative_weight(),
        };
        let base_values = Stored::either(attributes, "base_values", "base_values_as_tensor")?;
        if base_values.len() > 0 {
            let expected = match n_classes {
                2 if votes.only_target() == Some(0) => 1,
                2 => 0,
                n => n,
            };
            attributes.check_len("base_values", base_values.len(), expected)?;
        }
        Ok(Self {
            ensemble: nodes::ensemble(attributes, &votes, n_classes, Aggregate::Sum)?,
            labels,
            base_values: base_values.into_f64s(),
            rule,
        })
    }
}

impl Rule {
    /// Turns the sums of one sample's votes, `[n_classes]`, into its scores, and gives its class.
    ///
    /// `voted` says which classes had a vote.
    fn decide(self, scores: &mut [f64], voted: &[bool]) -> usize {
        match (scores, voted) {
            ([score], _) => {
                if self.post_transform == PostTransform::Probit {
                    *score = probit(*score);
                }
                0
            }
            ([first, second], &[_, second_voted]) => {
                let sum = if second_voted { *second } else { *first };
                let is_probability = self.is_for_one_class && !self.has_negative_weight;
                let threshold = if is_probability && self.post_transform != PostTransform::Logistic
                {
                    0.5
                } else {
                    0.0
                };
                let class = usize::from(sum as f32 > threshold);
                if second_voted {
                    let mut both = [*first, *second];
                    self.post_transform.apply(&mut both);
                    [*first, *second] = both;
                } else {
                    [*first, *second] = match self.post_transform {
                        PostTransform::Logistic => [logistic(-sum), logistic(sum)],
                        PostTransform::Probit => [probit(sum), 0.0],
                        _ if is_probability => [1.0 - sum, sum],
                        _ => [-sum, sum],
                    };
                }
                class
            }
            (scores, voted) => {
                let class = first_max(scores, voted);
                self.post_transform.apply(scores);
                class
            }
        }
    }
}

/// The first class with the largest score, as a float, among those with a vote; 0 if there are none.
fn first_max(scores: &[f64], voted: &[bool]) -> usize {
    let (mut best, mut most, mut found) = (0, 0.0, false);
    for (class, (&score, &voted)) in scores.iter().zip(voted).enumerate() {
        let score = score as f32;
        if voted && (!found || score > most) {
            (best, most, found) = (class, score, true);
        }
    }
    best
}

/// The first class with the largest score of one or more.
fn first_max_of_all(scores: &[f32]) -> usize {
    let (mut best, mut most) = (0, scores[0]);
    for (class, &score) in scores.iter().enumerate() {
        // Without a branch: which class wins cannot be predicted.
        best = if score > most { class } else { best };
        most = if score > most { score } else { most };
    }
    best
}

impl Filling for TreeEnsembleClassifier {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        let n_samples = self.ensemble.check_input(x)?;
        let labels = self.labels.datum_type().fact([n_samples.clone()]);
        let scores = f32::datum_type().fact([n_samples, self.labels.len().to_dim()]);
        Ok(tvec![labels, scores])
    }

    fn n_outputs(&self) -> usize {
        2
    }

    fn layout(&self, inputs: &[TensorView<'_>], output: usize) -> TractResult<Layout> {
        let x = Batch::only(inputs)?;
        self.labels.layout(output, [x.n_samples, self.labels.len()])
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let x = Batch::only(inputs)?;
        let (labels, y) = labels_and_scores(outputs)?;
        let n_classes = self.labels.len();
        let mut classes = Vec::with_capacity(x.n_samples);
        let has_base_values = !self.base_values.is_empty();
        let every_class = vec![true; if has_base_values { n_classes } else { 0 }];
        // Scores are compared as the floats they become.
        let mut unwanted = vec![
            0.0;
            if y.is_none() {
                x.n_samples * n_classes
            } else {
                0
            }
        ];
        let y = y.unwrap_or(&mut unwanted);
        self.ensemble.evaluate(x, &mut |first, scores, voted| {
            let voted = if n_classes > 2 && has_base_values {
                Voted::Same(&every_class)
            } else {
                voted
            };
            let y = &mut y[first * n_classes..][..scores.len()];
            let is_first_max = n_classes > 2
                && self.rule.post_transform == PostTransform::None
                && !has_base_values
                && voted.are_all();
            if !is_first_max {
                for (sample, scores) in scores.chunks_exact_mut(n_classes).enumerate() {
                    for (score, base) in scores.iter_mut().zip(&self.base_values) {
                        *score += base;
                    }
                    classes.push(self.rule.decide(scores, voted.of(sample, n_classes)));
                }
            }
            y.iter_mut()
                .zip(scores)
                .for_each(|(slot, score)| *slot = *score as f32);
            if is_first_max {
                classes.extend(y.chunks_exact(n_classes).map(first_max_of_all));
            }
        })?;
        self.labels.put(&classes, labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::post_transform::PostTransform::{Logistic, None, Probit, Softmax};

    /// A sum of votes of 1/30, each of them rounded.
    const HALF: f64 = 0.5 + 1e-9;

    struct Case {
        /// Whether votes are for one class, and whether a weight is negative.
        rule: (PostTransform, bool, bool),
        scores: &'static [f64],
        voted: &'static [bool],
        class: usize,
        expected: &'static [f64],
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "a table")]
    fn decides() {
        let case = |rule, scores, voted, class, expected| Case {
            rule,
            scores,
            voted,
            class,
            expected,
        };
        let first: &[bool] = &[true, false];
        let cases = [
            // One class.
            case((None, true, false), &[0.25], &[true], 0, &[0.25]),
            case((Logistic, true, false), &[0.25], &[true], 0, &[0.25]),
            case((Probit, true, false), &[0.5], &[true], 0, &[0.0]),
            // Two, all votes for the first: its sum is the second's score.
            case((None, true, false), &[0.25, 0.0], first, 0, &[0.75, 0.25]),
            case((None, true, false), &[0.75, 0.0], first, 1, &[0.25, 0.75]),
            case(
                (Softmax, true, false),
                &[0.75, 0.0],
                first,
                1,
                &[0.25, 0.75],
            ),
            case((None, true, false), &[HALF, 0.0], first, 0, &[0.5, 0.5]),
            case((None, true, true), &[0.25, 0.0], first, 1, &[-0.25, 0.25]),
            case((None, true, true), &[0.0, 0.0], first, 0, &[0.0, 0.0]),
            case((Logistic, true, false), &[0.0, 0.0], first, 0, &[0.5, 0.5]),
            case(
                (Logistic, true, false),
                &[0.1, 0.0],
                first,
                1,
                &[0.475_020_8, 0.524_979_2],
            ),
            case((Probit, true, false), &[0.5, 0.0], first, 0, &[0.0, 0.0]),
            // Two, all votes for the second.
            case(
                (None, true, false),
                &[0.0, 0.5],
                &[false, true],
                0,
                &[0.0, 0.5],
            ),
            case(
                (None, true, false),
                &[0.0, 0.75],
                &[false, true],
                1,
                &[0.0, 0.75],
            ),
            case(
                (None, true, true),
                &[0.0, -0.5],
                &[false, true],
                0,
                &[0.0, -0.5],
            ),
            // Two, votes for both.
            case(
                (None, false, false),
                &[0.75, 0.25],
                &[true, true],
                1,
                &[0.75, 0.25],
            ),
            case((None, false, false), &[0.75, 0.0], first, 1, &[-0.75, 0.75]),
            case(
                (Softmax, false, true),
                &[1.0, 1.0],
                &[true, true],
                1,
                &[0.5, 0.5],
            ),
            // More: the first of the largest, of those voted for.
            case(
                (None, false, true),
                &[-1.0, 0.0, -1.0],
                &[true, false, true],
                0,
                &[-1.0, 0.0, -1.0],
            ),
            case(
                (None, false, false),
                &[0.25, 0.5, HALF],
                &[true; 3],
                1,
                &[0.25, 0.5, 0.5],
            ),
            case(
                (Softmax, false, false),
                &[0.0, 0.0, 0.0],
                &[false; 3],
                0,
                &[1.0 / 3.0; 3],
            ),
        ];
        for Case {
            rule: (post_transform, is_for_one_class, has_negative_weight),
            scores,
            voted,
            class,
            expected,
        } in cases
        {
            let rule = Rule {
                post_transform,
                is_for_one_class,
                has_negative_weight,
            };
            let mut got = scores.to_vec();
            assert_eq!(rule.decide(&mut got, voted), class, "{rule:?} {scores:?}");
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() < 1e-7, "{rule:?} {scores:?}: {got}");
            }
        }
    }
}
