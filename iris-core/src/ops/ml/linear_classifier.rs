//! [LinearClassifier](https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html), version 1.
//!
//! `X` `[n_samples, n_features]` (or `[n_features]`, one sample) of float, double, int32 or int64 gives the labels
//! `[n_samples]` and the scores, float:
//! - with a row of coefficients for each class, the transformed scores `[n_samples, n_classes]`; the label is that of
//!   the first largest score before the transform;
//! - with one row and two classes, `[n_samples, 2]`; the label is the second if the value of the row is positive;
//! - with one row and no labels, `[n_samples, 1]`; the label is 1 or 0 by the same rule.
//!
//! The number of rows is that of the intercepts. Where they are absent (onnxruntime refuses that, the specification
//! does not) there is a row for each label.
//!
//! What one row makes of two classes the specification leaves open, and the
//! [ONNX reference](https://github.com/onnx/onnx/blob/main/onnx/reference/ops/aionnxml/op_linear_classifier.py) and
//! [onnxruntime](https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/providers/cpu/ml/linearclassifier.cc)
//! differ. This follows onnxruntime: of the value `s` the scores are `1 - s` and `s`, both softmaxes do nothing, and
//! `LOGISTIC` makes them `logistic(-s)` and `logistic(s)`. For `PROBIT` onnxruntime leaves a part of them unwritten;
//! here they are `probit(1 - s)` and `probit(s)`. `LOGISTIC` and both softmaxes do nothing to a single score.
//!
//! Double and integer input is not rounded to float, as it is by onnxruntime. `multi_class` changes nothing, there as
//! here: which scores a model makes is in its coefficients and its `post_transform`.

use tract_onnx::tract_hir::internal::*;

use crate::error::Result;
use crate::kernels::linear::LinearFunctions;
use crate::kernels::linear_scores::LinearScores;
use crate::kernels::normalize::Norm;
use crate::kernels::post_transform::PostTransform;
use crate::onnx::attributes::Attributes;
use crate::operator::batch::Batch;
use crate::operator::class_labels::{ClassLabels, labels_and_scores};
use crate::operator::{Built, Filling, Layout, facts};
use crate::value::slots::Slots;
use crate::value::view::TensorView;

/// The attributes, checked: there is a label for every class that a sample can get.
#[derive(Clone, Debug)]
pub(crate) struct LinearClassifier {
    functions: LinearFunctions,
    labels: ClassLabels,
    n_scores: usize,
    post_transform: PostTransform,
    /// The norm of a Normalizer that comes after the scores, if one does.
    norm: Option<Norm>,
}

pub(crate) fn build(attributes: &mut Attributes<'_>) -> Result<Built> {
    let classifier = LinearClassifier::from_attributes(attributes)?;
    Ok(Built::operator(classifier))
}

impl LinearClassifier {
    fn from_attributes(attributes: &mut Attributes<'_>) -> Result<Self> {
        let labels = labels(attributes)?;
        attributes.int("multi_class")?;
        let post_transform = PostTransform::from_attributes(attributes)?;
        let n_labels = labels.as_ref().map(ClassLabels::len);
        let intercepts = attributes.floats("intercepts")?;
        let n_functions = match intercepts.len() {
            0 => n_labels.unwrap_or(1),
            n_functions => n_functions,
        };
        let functions = LinearFunctions::from_attributes(attributes, n_functions, intercepts)?;
        let n_scores = match (n_functions, n_labels) {
            (1, None) => 1,
            (1, Some(2)) => 2,
            (1, Some(got)) => {
                let what = format!("expected 2 values for one row of coefficients, got {got}");
                return Err(attributes.invalid("classlabels_ints or classlabels_strings", what));
            }
            (_, n_labels) => {
                let got = n_labels.unwrap_or(0);
                attributes.check_len(
                    "classlabels_ints or classlabels_strings",
                    got,
                    n_functions,
                )?;
                n_functions
            }
        };
        Ok(Self {
            functions,
            labels: labels.unwrap_or(ClassLabels::Int(vec![0, 1])),
            n_scores,
            post_transform,
            norm: None,
        })
    }

    /// The same classifier of what a Scaler with these factors makes of samples, if it can be one for their features.
    pub(crate) fn of_scaled(&self, factors: &[(f64, f64)]) -> Option<Self> {
        Some(Self {
            functions: self.functions.of_scaled(factors)?,
            ..self.clone()
        })
    }

    /// The same classifier, whose scores a Normalizer takes, unless one does already.
    pub(crate) fn normalized(&self, norm: Norm) -> Option<Self> {
        self.norm.is_none().then(|| Self {
            norm: Some(norm),
            ..self.clone()
        })
    }
}

/// The labels, if there are any; unlike other classifiers this one refuses labels of both kinds, as onnxruntime does.
fn labels(attributes: &mut Attributes<'_>) -> Result<Option<ClassLabels>> {
    let strings = attributes.strings("classlabels_strings")?;
    let integers = attributes.ints("classlabels_ints")?;
    match (integers, &*strings) {
        ([], []) => Ok(None),
        ([], _) => {
            let strings = strings.into_iter().map(String::from).collect();
            Ok(Some(ClassLabels::String(strings)))
        }
        (_, []) => Ok(Some(ClassLabels::Int(integers.to_vec()))),
        _ => {
            let what = "there are both integers and strings";
            Err(attributes.invalid("classlabels_ints", what))
        }
    }
}

impl Filling for LinearClassifier {
    fn output_facts(&self, inputs: &[&TypedFact]) -> Result<TVec<TypedFact>> {
        let [x] = facts::inputs(inputs)?;
        facts::check_numeric("X", x)?;
        let (n_samples, n_features) = facts::samples("X", &x.shape)?;
        facts::check_features("X", &n_features, self.functions.n_features())?;
        let labels = self.labels.datum_type().fact([n_samples.clone()]);
        let scores = f32::datum_type().fact([n_samples, self.n_scores.to_dim()]);
        Ok(tvec![labels, scores])
    }

    fn n_outputs(&self) -> usize {
        2
    }

    fn layout(&self, inputs: &[TensorView<'_>], output: usize) -> TractResult<Layout> {
        let x = Batch::of(inputs, self.functions.n_features())?;
        self.labels.layout(output, [x.n_samples, self.n_scores])
    }

    fn fill(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut [Option<Slots<'_>>],
    ) -> TractResult<()> {
        let x = Batch::of(inputs, self.functions.n_features())?;
        let (labels, scores) = labels_and_scores(outputs)?;
        let mut classes = vec![0; x.n_samples];
        let results = LinearScores {
            n_scores: self.n_scores,
            post_transform: self.post_transform,
            norm: self.norm,
            classes: Some(&mut classes),
            scores,
        };
        self.functions.evaluate(x.numbers, x.n_samples, results);
        self.labels.put(&classes, labels)
    }
}
