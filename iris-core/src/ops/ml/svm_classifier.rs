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

use pulp::{Simd, WithSimd};
use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::array::each;
use crate::kernels::lanes::{Blocks, Numbers, Scratch, dot, first_max, for_each_block, store};
use crate::kernels::post_transform::{PostTransform, logistic, probit};
use crate::kernels::simd;
use crate::kernels::svm::coupling;
use crate::kernels::svm::kernel::{Kernel, SupportVectors};
use crate::onnx::attributes::Attributes;
use crate::operator::batch::Batch;
use crate::operator::class_labels::{ClassLabels, labels_and_scores};
use crate::operator::{Built, Filling, Layout, facts};
use crate::value::slots::Slots;
use crate::value::view::TensorView;

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
    coefficients: Vec<f64>,
    /// One for each pair.
    rho: Vec<f32>,
    /// `(prob_a, prob_b)` of each pair, if the model gives probabilities.
    platt: Option<Vec<(f32, f32)>>,
}

/// One linear function for each class.
#[derive(Debug)]
struct Linear {
    /// `[n_classes, n_features]`
    coefficients: Vec<f64>,
    rho: f32,
    /// Whether `prob_a` and `prob_b` are there; they are not used, but change how the label is chosen.
    has_probabilities: bool,
    /// Whether no coefficient is negative.
    is_positive: bool,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let classifier = SVMClassifier::from_attributes(attributes)?;
    Ok(Built::operator(classifier))
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

    /// Classifies `x` `[n_samples, n_features]`: fills `classes` `[n_samples]`, and `scores` `[n_samples, n_scores]` if
    /// there are any to fill.
    fn classify(&self, x: Numbers<'_>, classes: &mut [usize], scores: Option<&mut [f32]>) {
        let n_classes = self.labels.len();
        let (n_vectors, n_pairs, coupling) = match &self.machine {
            Machine::Pairwise(m) => (
                m.vectors.n_vectors(),
                m.rho.len(),
                coupling::scratch_len(n_classes),
            ),
            Machine::Linear(_) => (0, 0, 0),
        };
        let parts = Parts {
            columns: self.n_features,
            row: self.n_scores(),
            kernel: n_vectors,
            decisions: n_pairs,
            votes: n_classes,
            coupling,
        };
        simd::dispatch(Classify {
            classifier: self,
            x,
            scratch: Scratch::new(parts.len(), classes.len()),
            parts,
            classes,
            scores,
        });
    }
}

/// How many numbers of each kind there are of a sample.
struct Parts {
    columns: usize,
    row: usize,
    kernel: usize,
    decisions: usize,
    votes: usize,
    coupling: usize,
}

impl Parts {
    fn len(&self) -> usize {
        self.columns + self.row + self.kernel + self.decisions + self.votes + self.coupling
    }

    #[inline(always)]
    fn of<'a, const L: usize>(&self, scratch: &'a mut [[f64; L]]) -> Block<'a, L> {
        let (columns, rest) = scratch.split_at_mut(self.columns);
        let (row, rest) = rest.split_at_mut(self.row);
        let (kernel, rest) = rest.split_at_mut(self.kernel);
        let (decisions, rest) = rest.split_at_mut(self.decisions);
        let (votes, rest) = rest.split_at_mut(self.votes);
        Block {
            columns,
            row,
            kernel,
            decisions,
            votes,
            coupling: &mut rest[..self.coupling],
        }
    }
}

/// What is computed of a block of samples, the scores that are output in `row`.
struct Block<'a, const L: usize> {
    columns: &'a mut [[f64; L]],
    row: &'a mut [[f64; L]],
    kernel: &'a mut [[f64; L]],
    decisions: &'a mut [[f64; L]],
    votes: &'a mut [[f64; L]],
    coupling: &'a mut [[f64; L]],
}

/// A batch to classify, as what is compiled for each level of vector instructions.
///
/// No level contracts a product and a sum into one operation, so that all give the same bits.
struct Classify<'a> {
    classifier: &'a SVMClassifier,
    x: Numbers<'a>,
    scratch: Scratch,
    parts: Parts,
    classes: &'a mut [usize],
    scores: Option<&'a mut [f32]>,
}

impl WithSimd for Classify<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for_each_block(simd, self.classes.len(), &mut self);
    }
}

impl Blocks for Classify<'_> {
    #[inline(always)]
    fn block<S: Simd, const L: usize>(&mut self, simd: S, first: usize, n: usize) {
        let mut block = self.parts.of(self.scratch.lanes::<L>());
        let block = &mut block;
        self.x.load(simd, first, n, block.columns);
        let post_transform = self.classifier.post_transform;
        let (classes, is_transformed) = match &self.classifier.machine {
            Machine::Pairwise(machine) => {
                machine.decide(simd, block);
                let is_transformed = self.scores.is_some() && machine.scores(block, post_transform);
                (first_max(block.votes), is_transformed)
            }
            Machine::Linear(machine) => {
                machine.scores(block);
                let is_transformed = post_transform.changes(block.row.len());
                (machine.decide(block.row), is_transformed)
            }
        };
        self.classes[first..first + n].copy_from_slice(&classes[..n]);
        if let Some(scores) = &mut self.scores {
            if is_transformed {
                post_transform.transform(simd, block.row);
            }
            store(simd, block.row, scores, first, n);
        }
    }
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
            coefficients: coefficients.iter().copied().map(f64::from).collect(),
            rho: rho.to_vec(),
            platt,
        };
        Ok((machine, vectors.len() / n_vectors))
    }

    /// Computes the decision value of each pair, and the votes for each class.
    #[inline(always)]
    fn decide<S: Simd, const L: usize>(&self, simd: S, block: &mut Block<'_, L>) {
        self.vectors.kernel_rows(simd, block.columns, block.kernel);
        block.votes.fill([0.0; L]);
        let n_classes = block.votes.len();
        let mut pairs = self.rho.iter().zip(&mut *block.decisions);
        for i in 0..n_classes {
            for (j, (&rho, decision)) in (i + 1..n_classes).zip(&mut pairs) {
                let of_i = self.half(i, j - 1, block.kernel);
                let of_j = self.half(j, i, block.kernel);
                *decision = each(|lane| of_i[lane] + of_j[lane] + f64::from(rho));
                let for_i: [f64; L] = each(|lane| if decision[lane] > 0.0 { 1.0 } else { 0.0 });
                let votes = &mut *block.votes;
                votes[i] = each(|lane| votes[i][lane] + for_i[lane]);
                votes[j] = each(|lane| votes[j][lane] + (1.0 - for_i[lane]));
            }
        }
    }

    /// The part of `class`'s own support vectors in a pair's decision value, weighted with row `row` of the coefficients.
    #[inline(always)]
    fn half<const L: usize>(&self, class: usize, row: usize, kernel: &[[f64; L]]) -> [f64; L] {
        let vectors = self.starts[class]..self.starts[class + 1];
        let weights = &self.coefficients[row * kernel.len()..][vectors.clone()];
        dot::<_, true>(weights, &kernel[vectors])
    }

    /// Turns the decision values into the scores that are output, and tells whether they are to be transformed yet.
    #[inline(always)]
    fn scores<const L: usize>(
        &self,
        block: &mut Block<'_, L>,
        post_transform: PostTransform,
    ) -> bool {
        if let Some(platt) = &self.platt {
            for (decision, &(a, b)) in block.decisions.iter_mut().zip(platt) {
                *decision = each(|lane| coupling::pairwise_probability(decision[lane], a, b));
            }
            coupling::couple(block.decisions, block.row, block.coupling);
            true
        } else if let ([decision], [first, second]) = (&*block.decisions, &mut *block.row) {
            for lane in 0..L {
                [first[lane], second[lane]] = binary_scores(decision[lane], post_transform);
            }
            false
        } else if block.decisions.is_empty() {
            block.row.fill([0.0; L]);
            false
        } else {
            block.row.copy_from_slice(block.decisions);
            true
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
            coefficients: coefficients.iter().copied().map(f64::from).collect(),
            rho,
            has_probabilities: !prob_a.is_empty(),
            is_positive: coefficients.iter().all(|&c| c >= 0.0),
        };
        Ok((machine, coefficients.len() / n_classes))
    }

    #[inline(always)]
    fn scores<const L: usize>(&self, block: &mut Block<'_, L>) {
        let weights = self.coefficients.chunks_exact(block.columns.len());
        for (score, weights) in block.row.iter_mut().zip(weights) {
            let sums = dot::<_, true>(weights, &*block.columns);
            *score = each(|lane| sums[lane] + f64::from(self.rho));
        }
    }

    /// The classes of samples, given their scores.
    ///
    /// A binary machine answers its second class whenever a score is positive (at least one half if no coefficient is
    /// negative), even if the first class scores higher.
    #[inline(always)]
    fn decide<const L: usize>(&self, row: &[[f64; L]]) -> [usize; L] {
        let mut classes = first_max(row);
        let binary_rule = row.len() == 2 && !self.has_probabilities;
        if binary_rule {
            for (lane, class) in classes.iter_mut().enumerate() {
                let largest = row[*class][lane];
                let is_second = if self.is_positive {
                    largest >= 0.5
                } else {
                    largest > 0.0
                };
                *class = if is_second { 1 } else { *class };
            }
        }
        classes
    }
}

impl Filling for SVMClassifier {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        let (n_samples, n_features) = facts::samples("X", &x.shape)?;
        facts::check_features("X", &n_features, self.n_features)?;
        let labels = self.labels.datum_type().fact([n_samples.clone()]);
        let scores = f32::datum_type().fact([n_samples, self.n_scores().to_dim()]);
        Ok(tvec![labels, scores])
    }

    fn n_outputs(&self) -> usize {
        2
    }

    fn layout(&self, inputs: &[TensorView<'_>], output: usize) -> TractResult<Layout> {
        let x = Batch::of(inputs, self.n_features)?;
        self.labels.layout(output, [x.n_samples, self.n_scores()])
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let x = Batch::of(inputs, self.n_features)?;
        let (labels, scores) = labels_and_scores(outputs)?;
        let mut classes = vec![0; x.n_samples];
        self.classify(x.numbers, &mut classes, scores);
        self.labels.put(&classes, labels)
    }
}
