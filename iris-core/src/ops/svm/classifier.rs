//! [SVMClassifier](https://onnx.ai/onnx/operators/onnx_aionnxml_SVMClassifier.html), version 1.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double, int32 or int64 gives the labels
//! `[n_samples]` and the scores, float:
//! - with `prob_a` and `prob_b`, class probabilities `[n_samples, n_classes]`;
//! - without them and two classes, `[n_samples, 2]`;
//! - without them and more classes, the decision value of each pair of classes `[n_samples, n_pairs]`;
//! - without support vectors (the linear mode), one score a class `[n_samples, n_classes]`.
//!
//! Labels are those of libsvm and onnxruntime: each pair's decision is a vote, and the first class with the most votes
//! wins, whatever the probabilities say.
//!
//! The specification leaves open what a machine of two classes scores and how the linear mode chooses between two; the
//! [ONNX reference](https://github.com/onnx/onnx/blob/main/onnx/reference/ops/aionnxml/op_svm_classifier.py) and
//! [onnxruntime](https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/providers/cpu/ml/svmclassifier.cc)
//! differ there. This follows onnxruntime, whose behaviour `tests/data/svm` records case by case, except that
//! - double and integer input is not rounded to float first;
//! - `kernel_params` may be absent, as the specification says;
//! - scores that onnxruntime leaves unwritten (those of a single class, and the second PROBIT score of two) are 0.

#![allow(
    clippy::inline_always,
    reason = "code is compiled for a level of instructions only where it is inlined"
)]

use pulp::{Arch, NullaryFnOnce};
use tract_onnx::tract_hir::internal::*;

use super::coupling;
use super::kernel::{Kernel, SupportVectors};
use crate::error::Result;
use crate::ops::attributes::Attributes;
use crate::ops::class_labels::ClassLabels;
use crate::ops::linear::{dot, first_max};
use crate::ops::operator::{Operator, node_operator};
use crate::ops::post_transform::{PostTransform, logistic, probit};
use crate::ops::tensors::{self, with_f64s};

/// The attributes, checked: every length and index in them fits the others.
#[derive(Debug)]
struct SVMClassifier {
    machine: Machine,
    n_features: usize,
    labels: ClassLabels,
    post_transform: PostTransform,
}

#[derive(Debug)]
enum Machine {
    Pairwise(Pairwise),
    Linear(Linear),
}

/// One classifier for each pair of classes, over shared support vectors.
#[derive(Debug)]
struct Pairwise {
    vectors: SupportVectors,
    /// Where the support vectors of each class begin, and where those of the last one end.
    starts: Vec<usize>,
    /// `[n_classes - 1, n_vectors]`: row `j - 1` holds the part of class i < j in the pair (i, j), row `i` that of j.
    coefficients: Vec<f32>,
    /// One for each pair.
    rho: Vec<f32>,
    /// `(prob_a, prob_b)` of each pair, if the model gives probabilities.
    platt: Option<Vec<(f32, f32)>>,
}

/// One linear function for each class.
#[derive(Debug)]
struct Linear {
    /// `[n_classes, n_features]`
    coefficients: Vec<f32>,
    rho: f32,
    /// Whether `prob_a` and `prob_b` are there; they are not used, but change how the label is chosen.
    has_probabilities: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Box<dyn InferenceOp>> {
    let classifier = SVMClassifier::from_attributes(attributes)?;
    Ok(node_operator(attributes, classifier))
}

impl SVMClassifier {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let labels = ClassLabels::from_attributes(attributes, "classlabels_ints")?;
        let post_transform = PostTransform::from_attributes(attributes)?;
        let kernel = Kernel::from_attributes(attributes)?;
        let vectors_per_class = attributes.ints("vectors_per_class")?;
        let is_linear = vectors_per_class.iter().all(|&count| count == 0);
        let (machine, n_features) = if is_linear {
            let (linear, n_features) = Linear::from_attributes(attributes, labels.len())?;
            (Machine::Linear(linear), n_features)
        } else {
            let (pairwise, n_features) =
                Pairwise::from_attributes(attributes, labels.len(), kernel, vectors_per_class)?;
            (Machine::Pairwise(pairwise), n_features)
        };
        Ok(Self {
            machine,
            n_features,
            labels,
            post_transform,
        })
    }

    fn n_scores(&self) -> usize {
        match &self.machine {
            Machine::Pairwise(Pairwise {
                platt: None, rho, ..
            }) => rho.len().max(2),
            _ => self.labels.len(),
        }
    }

    /// Classifies `x` `[n_samples, n_features]`: calls `label` with the class of each sample, and fills `scores`
    /// `[n_samples, n_scores]` if there are any to fill.
    fn classify(
        &self,
        x: impl Iterator<Item = f64>,
        n_samples: usize,
        mut label: impl FnMut(usize),
        mut scores: Option<&mut [f32]>,
    ) {
        let mut x = x;
        let n_classes = self.labels.len();
        let (n_vectors, n_pairs, coupling_len) = match &self.machine {
            Machine::Pairwise(m) => (
                m.vectors.n_vectors(),
                m.rho.len(),
                coupling::scratch_len(n_classes),
            ),
            Machine::Linear(_) => (0, 0, 0),
        };
        // One allocation for all of it: for a single small sample, allocating is a good part of the work.
        let lengths = [
            self.n_features,
            self.n_scores(),
            n_vectors,
            n_pairs,
            n_classes,
        ];
        let mut buffer = vec![0.0; lengths.iter().sum::<usize>() + coupling_len];
        let (sample, rest) = buffer.split_at_mut(self.n_features);
        let (row, rest) = rest.split_at_mut(self.n_scores());
        let (kernel_row, rest) = rest.split_at_mut(n_vectors);
        let (decisions, rest) = rest.split_at_mut(n_pairs);
        let (votes, coupling) = rest.split_at_mut(n_classes);
        let mut scratch = Scratch {
            kernel_row,
            decisions,
            votes,
            coupling,
        };
        for index in 0..n_samples {
            sample
                .iter_mut()
                .zip(&mut x)
                .for_each(|(slot, value)| *slot = value);
            let wanted = scores.as_deref_mut().map(|scores| {
                let start = index * row.len();
                &mut scores[start..start + row.len()]
            });
            let class = match &self.machine {
                Machine::Pairwise(machine) => {
                    let class = machine.decide(sample, &mut scratch);
                    if wanted.is_some() {
                        machine.scores(&mut scratch, self.post_transform, row);
                    }
                    class
                }
                Machine::Linear(machine) => {
                    machine.scores(sample, row);
                    let class = machine.decide(row);
                    self.post_transform.apply_to_several(row);
                    class
                }
            };
            label(class);
            if let Some(wanted) = wanted {
                wanted
                    .iter_mut()
                    .zip(&*row)
                    .for_each(|(score, &value)| *score = value as f32);
            }
        }
    }
}

/// What a pairwise machine computes of one sample before its scores.
struct Scratch<'a> {
    kernel_row: &'a mut [f64],
    decisions: &'a mut [f64],
    votes: &'a mut [f64],
    coupling: &'a mut [f64],
}

impl Pairwise {
    fn from_attributes(
        attributes: &mut Attributes<'_>,
        n_classes: usize,
        kernel: Kernel,
        vectors_per_class: &[i64],
    ) -> Result<(Self, usize)> {
        attributes.check_len("vectors_per_class", vectors_per_class.len(), n_classes)?;
        let mut starts = vec![0_usize];
        let mut n_vectors = 0_usize;
        for &count in vectors_per_class {
            n_vectors = usize::try_from(count)
                .ok()
                .and_then(|count| n_vectors.checked_add(count))
                .ok_or_else(|| {
                    attributes.invalid("vectors_per_class", format!("{count} vectors"))
                })?;
            starts.push(n_vectors);
        }
        let vectors = attributes.floats("support_vectors")?;
        if vectors.is_empty() || vectors.len() % n_vectors != 0 {
            let what = format!("{} values do not make {n_vectors} vectors", vectors.len());
            return Err(attributes.invalid("support_vectors", what));
        }
        let coefficients = attributes.floats("coefficients")?;
        let expected = (n_classes - 1).saturating_mul(n_vectors);
        attributes.check_len("coefficients", coefficients.len(), expected)?;

        let n_pairs = n_classes * (n_classes - 1) / 2;
        let rho = attributes.floats("rho")?;
        attributes.check_len("rho", rho.len(), n_pairs)?;
        let prob_a = attributes.floats("prob_a")?;
        let prob_b = attributes.floats("prob_b")?;
        let platt = if prob_a.is_empty() && prob_b.is_empty() {
            None
        } else {
            attributes.check_len("prob_a", prob_a.len(), n_pairs)?;
            attributes.check_len("prob_b", prob_b.len(), n_pairs)?;
            Some(prob_a.iter().copied().zip(prob_b.iter().copied()).collect())
        };
        let machine = Self {
            vectors: SupportVectors::new(kernel, vectors, n_vectors),
            starts,
            coefficients: coefficients.to_vec(),
            rho: rho.to_vec(),
            platt,
        };
        Ok((machine, vectors.len() / n_vectors))
    }

    /// Computes the decision value of each pair, and the class that wins the vote.
    fn decide(&self, sample: &[f64], scratch: &mut Scratch<'_>) -> usize {
        let Scratch {
            kernel_row,
            decisions,
            votes,
            ..
        } = scratch;
        Arch::new().dispatch(Decide {
            machine: self,
            sample,
            kernel_row,
            decisions,
        });
        votes.fill(0.0);
        let n_classes = votes.len();
        let mut pairs = decisions.iter();
        for i in 0..n_classes {
            for (j, decision) in (i + 1..n_classes).zip(&mut pairs) {
                votes[if *decision > 0.0 { i } else { j }] += 1.0;
            }
        }
        first_max(votes)
    }

    /// The part of `class`'s own support vectors in a pair's decision value, weighted with row `row` of the coefficients.
    #[inline(always)]
    fn half(&self, class: usize, row: usize, kernel_row: &[f64]) -> f64 {
        let vectors = self.starts[class]..self.starts[class + 1];
        let weights = &self.coefficients[row * kernel_row.len()..][vectors.clone()];
        dot(weights, &kernel_row[vectors])
    }

    /// Turns the decision values in `scratch` into the row of scores that is output.
    fn scores(&self, scratch: &mut Scratch<'_>, post_transform: PostTransform, row: &mut [f64]) {
        let Scratch {
            decisions,
            coupling,
            ..
        } = scratch;
        if let Some(platt) = &self.platt {
            for (decision, &(a, b)) in decisions.iter_mut().zip(platt) {
                *decision = coupling::pairwise_probability(*decision, a, b);
            }
            coupling::couple(decisions, row, coupling);
            post_transform.apply(row);
        } else if let [decision] = **decisions {
            row.copy_from_slice(&binary_scores(decision, post_transform));
        } else if decisions.is_empty() {
            row.fill(0.0);
        } else {
            row.copy_from_slice(decisions);
            post_transform.apply(row);
        }
    }
}

/// The decision values of a sample, as what [`Arch::dispatch`] compiles for each level of vector instructions.
///
/// No level contracts a product and a sum into one operation, so that all give the same bits.
struct Decide<'a> {
    machine: &'a Pairwise,
    sample: &'a [f64],
    kernel_row: &'a mut [f64],
    decisions: &'a mut [f64],
}

impl NullaryFnOnce for Decide<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            machine,
            sample,
            kernel_row,
            decisions,
        } = self;
        machine.vectors.kernel_row(sample, kernel_row);
        let n_classes = machine.starts.len() - 1;
        let mut pairs = machine.rho.iter().zip(decisions);
        for i in 0..n_classes {
            for (j, (&rho, decision)) in (i + 1..n_classes).zip(&mut pairs) {
                let of_i = machine.half(i, j - 1, kernel_row);
                let of_j = machine.half(j, i, kernel_row);
                *decision = of_i + of_j + f64::from(rho);
            }
        }
    }
}

/// The two scores that onnxruntime makes of the one decision value of a binary machine without probabilities.
fn binary_scores(decision: f64, post_transform: PostTransform) -> [f64; 2] {
    match post_transform {
        PostTransform::None => [-decision, decision],
        PostTransform::Logistic => [logistic(-decision), logistic(decision)],
        PostTransform::Softmax | PostTransform::SoftmaxZero => [1.0 - decision, decision],
        PostTransform::Probit => [probit(decision), 0.0],
    }
}

impl Linear {
    fn from_attributes(attributes: &mut Attributes<'_>, n_classes: usize) -> Result<(Self, usize)> {
        let coefficients = attributes.floats("coefficients")?;
        if coefficients.is_empty() || coefficients.len() % n_classes != 0 {
            let what = format!(
                "{} values do not make {n_classes} classes",
                coefficients.len()
            );
            return Err(attributes.invalid("coefficients", what));
        }
        let rho = attributes.floats("rho")?;
        let Some(&rho) = rho.first() else {
            return Err(attributes.invalid("rho", "expected 1 value or more, got 0"));
        };
        let prob_a = attributes.floats("prob_a")?;
        let prob_b = attributes.floats("prob_b")?;
        attributes.check_len("prob_b", prob_b.len(), prob_a.len())?;
        let vectors = attributes.floats("support_vectors")?;
        attributes.check_len("support_vectors", vectors.len(), 0)?;
        let machine = Self {
            coefficients: coefficients.to_vec(),
            rho,
            has_probabilities: !prob_a.is_empty(),
        };
        Ok((machine, coefficients.len() / n_classes))
    }

    fn scores(&self, sample: &[f64], row: &mut [f64]) {
        for (score, weights) in row
            .iter_mut()
            .zip(self.coefficients.chunks_exact(sample.len()))
        {
            *score = dot(weights, sample) + f64::from(self.rho);
        }
    }

    /// The class of a sample, given its scores.
    ///
    /// A binary machine answers its second class whenever a score is positive (at least one half if no coefficient is
    /// negative), even if the first class scores higher.
    fn decide(&self, row: &[f64]) -> usize {
        let best = first_max(row);
        let binary_rule = row.len() == 2 && !self.has_probabilities;
        let is_second = if self.coefficients.iter().all(|&c| c >= 0.0) {
            row[best] >= 0.5
        } else {
            row[best] > 0.0
        };
        if binary_rule && is_second { 1 } else { best }
    }
}

impl Operator for SVMClassifier {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = tensors::inputs(inputs)?;
        tensors::check_numeric("X", x)?;
        let (n_samples, n_features) = tensors::samples("X", &x.shape)?;
        tensors::check_features("X", &n_features, self.n_features)?;
        let labels = self.labels.datum_type().fact([n_samples.clone()]);
        let scores = f32::datum_type().fact([n_samples, self.n_scores().to_dim()]);
        Ok(tvec![labels, scores])
    }

    fn maps_rows(&self, rank: usize) -> bool {
        rank > 1
    }

    fn eval(&self, inputs: &[TValue], wanted: &[usize]) -> TractResult<TVec<TValue>> {
        let (n_samples, n_features) = tensors::samples("X", inputs[0].shape())?;
        tensors::check_features("X", &n_features.to_dim(), self.n_features)?;
        let mut classes = Vec::with_capacity(n_samples);
        let mut scores = wanted
            .contains(&1)
            .then(|| Tensor::zero_aligned::<f32>(&[n_samples, self.n_scores()], 16))
            .transpose()?;
        let mut view = scores
            .as_mut()
            .map(Tensor::try_as_plain_ram_mut)
            .transpose()?;
        let rows = view
            .as_mut()
            .map(|view| view.as_slice_mut::<f32>())
            .transpose()?;
        with_f64s!(inputs[0], x => {
            self.classify(x, n_samples, |class| classes.push(class), rows);
        });
        let mut labels = Some(self.labels.pick(&classes)?);
        wanted
            .iter()
            .map(|slot| {
                let output = if *slot == 0 {
                    labels.take()
                } else {
                    scores.take()
                };
                Ok(output
                    .context("SVMClassifier has two outputs, each wanted once")?
                    .into_tvalue())
            })
            .collect()
    }
}
