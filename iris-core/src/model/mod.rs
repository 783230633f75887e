//! Loading a model and asking it.

pub(crate) mod answers;
pub(crate) mod batch;
pub(crate) mod loaded;
pub(crate) mod metadata;
pub(crate) mod missing;
pub(crate) mod outputs;
pub(crate) mod prediction;
pub(crate) mod roles;
pub(crate) mod rows;
pub(crate) mod samples;
pub(crate) mod scores;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use ndarray::{Array2, Axis};
use smallvec::smallvec;
use tract_onnx::prelude::{TValue, TVec, tvec};

use crate::error::{Error, ErrorKind, Result};
use crate::guard::panics::caught;
use crate::load;
use crate::load::options::LoadOptions;
use crate::model::answers::Score;
use crate::model::batch::Batch;
use crate::model::loaded::{Loaded, into_inputs};
use crate::model::metadata::Metadata;
use crate::model::outputs::{Output, Outputs};
use crate::model::prediction::Prediction;
use crate::model::roles::{Decision, Scores};
use crate::model::samples::{Bound, Samples};
use crate::onnx::signature::{Feeds, ValueInfo, names};
use crate::operator::steps::PerOutput;
use crate::plan::blocks;
use crate::plan::outputs::Answer;
use crate::value::Value;
use crate::value::element::ElementType;
use crate::value::feed::Feed;
use crate::value::labels::Labels;
use crate::value::owned::Filled;
use crate::value::slots::Slots;
use crate::value::view::TensorView;

static IRIS: &[u8] = include_bytes!("../../../models/iris.onnx");

/// An ONNX model, ready to run.
///
/// A model never changes once loaded: share it between threads by reference, or clone it, which costs no more than
/// counting the copies. No call waits for another.
///
/// ```
/// let model = iris_core::Model::iris()?;
/// assert_eq!(model.predict(&[[5.9, 3.0, 5.1, 2.3]])?, [2]);
/// # Ok::<(), iris_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Model {
    loaded: Arc<Loaded>,
}

impl Model {
    /// The embedded iris model: scikit-learn's `SVC(probability=True)` fitted on Fisher's iris data.
    ///
    /// Its input is `X` float `[n_samples, 4]` (sepal length, sepal width, petal length, petal width, in cm), its classes
    /// are 0 (setosa), 1 (versicolor) and 2 (virginica). It is loaded once in the life of the process.
    pub fn iris() -> Result<Self> {
        static MODEL: LazyLock<Result<Model>> = LazyLock::new(|| Model::from_bytes(IRIS));
        MODEL.clone()
    }

    /// Loads an ONNX file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the file cannot be read, and otherwise as [`from_bytes`](Self::from_bytes).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_path_with(path, &LoadOptions::default())
    }

    /// Loads an ONNX file, with options.
    pub fn from_path_with(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        let path = path.as_ref();
        load::read(path, options)
            .and_then(|bytes| loaded::load(&bytes, path.parent(), options))
            .map(|loaded| Self {
                loaded: Arc::new(loaded),
            })
            .map_err(|error| error.within(path.display()))
    }

    /// Loads a model from the bytes of an ONNX file.
    ///
    /// # Errors
    /// - [`ErrorKind::Parse`] if the bytes are not an ONNX model;
    /// - [`ErrorKind::InvalidModel`] or [`ErrorKind::InvalidAttribute`] if the model contradicts itself;
    /// - [`ErrorKind::UnsupportedOperator`] if it needs what this crate does not have;
    /// - [`ErrorKind::LimitExceeded`] if it exceeds the limits of the options.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_bytes_with(bytes, &LoadOptions::default())
    }

    /// Loads a model from the bytes of an ONNX file, with options.
    pub fn from_bytes_with(bytes: impl AsRef<[u8]>, options: &LoadOptions) -> Result<Self> {
        let loaded = Arc::new(loaded::load(bytes.as_ref(), None, options)?);
        Ok(Self { loaded })
    }

    /// What the model takes, in the graph's order.
    pub fn inputs(&self) -> &[ValueInfo] {
        &self.loaded.inputs
    }

    /// What the model gives, in the graph's order.
    pub fn outputs(&self) -> &[ValueInfo] {
        &self.loaded.outputs
    }

    /// A classifier's classes, in the order of the columns of [`predict_proba`](Self::predict_proba).
    pub fn classes(&self) -> Option<&Labels> {
        self.loaded.roles.classes.as_ref()
    }

    /// How many features a row of the model's only input has, if it has one 2-D input of fixed width.
    pub fn n_features(&self) -> Option<usize> {
        self.loaded.batch.as_ref().ok()?.n_features
    }

    /// What the file says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.loaded.metadata
    }

    /// Predicts for each sample: a classifier's or clusterer's label, an outlier detector's 1 or −1, a regressor's targets.
    ///
    /// Numbers of a batch `[n_samples, n_features]` are converted to the model's input type; a batch of no rows has no
    /// predictions. Scores are not computed.
    ///
    /// # Errors
    /// - [`ErrorKind::MissingOutput`] if the model gives neither labels nor targets;
    /// - [`ErrorKind::InvalidInput`] if it takes anything but one 2-D batch of numbers, if a row does not have
    ///   `n_features` numbers, or if a number is NaN or infinite (unless the model treats missing values); for named
    ///   values as [`run`](Self::run).
    pub fn predict(&self, samples: impl Samples) -> Result<Prediction> {
        let output = self.predicted()?;
        self.ask(samples, |Bound { feeds, n_samples }| {
            answers::prediction(self.run_single(output, feeds)?, n_samples)
        })
    }

    /// Whether [`predict`](Self::predict) takes rows of numbers, as far as the model's signature tells; nothing is computed.
    ///
    /// # Errors
    /// The errors of [`predict`](Self::predict) that do not depend on the rows:
    /// - [`ErrorKind::MissingOutput`] if the model gives neither labels nor targets;
    /// - [`ErrorKind::InvalidInput`] if it takes anything but one 2-D batch of numbers.
    ///
    /// ```
    /// assert!(iris_core::Model::iris()?.predicts_rows().is_ok());
    /// # Ok::<(), iris_core::Error>(())
    /// ```
    pub fn predicts_rows(&self) -> Result<()> {
        self.predicted()?;
        self.loaded.batch().map(|_| ())
    }

    /// Predicts the probability of each class for each sample, as `[n_samples, n_classes]`.
    ///
    /// Where a model's scores may be probabilities or not, which skl2onnx does not say, this gives the scores.
    ///
    /// # Errors
    /// [`ErrorKind::MissingOutput`] if the model gives no probabilities, or those of several outputs, and otherwise as
    /// [`predict`](Self::predict).
    pub fn predict_proba(&self, samples: impl Samples) -> Result<Array2<f32>> {
        let scores = self.probabilities()?;
        self.ask(samples, |Bound { feeds, .. }| self.scores_of(scores, feeds))
    }

    /// Gives what [`predict`](Self::predict) and [`predict_proba`](Self::predict_proba) give, of one run of the graph.
    ///
    /// # Errors
    /// As theirs.
    pub fn predict_with_proba(&self, samples: impl Samples) -> Result<(Prediction, Array2<f32>)> {
        let output = self.predicted()?;
        let scores = self.probabilities()?;
        self.ask(samples, |Bound { feeds, n_samples }| {
            let wanted: TVec<usize> = scores.iter().copied().chain([output]).collect();
            let mut answers = self.run_several(&wanted, feeds)?;
            let predicted = answers.pop().ok_or_else(no_output)?;
            let prediction = answers::prediction(predicted, n_samples)?;
            Ok((prediction, self.scores(scores, answers)?))
        })
    }

    /// Whether [`predict_proba_per_output`](Self::predict_proba_per_output) gives several matrices, and
    /// [`predict_proba`](Self::predict_proba) none.
    pub fn has_several_outputs(&self) -> bool {
        let probabilities = self.loaded.roles.probabilities.as_ref();
        matches!(probabilities, Some(Scores::PerOutput(_)))
    }

    /// Predicts the probabilities of an estimator of several outputs: for each of them `[n_samples, n_classes]`.
    ///
    /// For an estimator of one output this is what [`predict_proba`](Self::predict_proba) gives, alone in a list.
    ///
    /// # Errors
    /// As [`predict_proba`](Self::predict_proba).
    pub fn predict_proba_per_output(&self, samples: impl Samples) -> Result<Vec<Array2<f32>>> {
        let Some(Scores::PerOutput(output)) = self.loaded.roles.probabilities else {
            return Ok(vec![self.predict_proba(samples)?]);
        };
        self.ask(samples, |Bound { feeds, .. }| {
            let tensors = self.loaded.runner.run(into_inputs(feeds)?)?;
            answers::matrices(&tensors[self.loaded.tensors[output].clone()])
                .map_err(|e| self.unexpected(output, &e))
        })
    }

    /// Gives the decision scores of each sample: `[n_samples, n_classes]`, or `[n_samples, 1]` for two classes and for
    /// outlier detectors, where a positive score means the second class, and an inlier.
    ///
    /// # Errors
    /// [`ErrorKind::MissingOutput`] if the model gives no decision scores, and otherwise as [`predict`](Self::predict).
    pub fn decision_function(&self, samples: impl Samples) -> Result<Array2<f64>> {
        let Some(Decision { scores, positive }) = &self.loaded.roles.decision else {
            return Err(self.missing("decision scores"));
        };
        let scores: Array2<f64> = self.ask(samples, |Bound { feeds, .. }| {
            self.scores_of(scores.outputs(), feeds)
        })?;
        Ok(if scores.ncols() == 2 {
            scores.column(*positive).to_owned().insert_axis(Axis(1))
        } else {
            scores
        })
    }

    /// Transforms each sample, as a transformer does, or gives its distances to a clusterer's centres.
    ///
    /// # Errors
    /// [`ErrorKind::MissingOutput`] if the model transforms nothing, and otherwise as [`predict`](Self::predict).
    pub fn transform(&self, samples: impl Samples) -> Result<Value> {
        let Some(output) = self.loaded.roles.transformed else {
            return Err(self.missing("transformed samples"));
        };
        self.ask(samples, |Bound { feeds, .. }| {
            self.run_single(output, feeds)?.into_value()
        })
    }

    /// Runs the graph on named values and returns all its outputs with their names, in the graph's order.
    ///
    /// Values are taken as they are: types and shapes must be those of [`inputs`](Self::inputs), and NaN is a number
    /// like any other.
    ///
    /// # Errors
    /// - [`ErrorKind::InvalidInput`] if an input is missing, unknown, given twice, or has a wrong type or shape;
    /// - [`ErrorKind::Run`] if the model fails on these values.
    pub fn run<N: AsRef<str>>(
        &self,
        inputs: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<Vec<(String, Value)>> {
        let inputs = inputs
            .into_iter()
            .map(|(name, value)| (name, Feed::from(value)));
        let outputs = self.evaluate(inputs, &[] as &[&str])?;
        let named = |(info, output): (&ValueInfo, Result<Output<'_>>)| {
            Ok((info.name.clone(), output?.to_value()?))
        };
        outputs.iter().map(named).collect()
    }

    /// Runs the graph on named values and returns the outputs named in `outputs`, in that order.
    ///
    /// What only other outputs need may not be computed.
    ///
    /// # Errors
    /// [`ErrorKind::MissingOutput`] if the model has no output of a name, and otherwise as [`run`](Self::run).
    pub fn run_selected<N: AsRef<str>>(
        &self,
        outputs: &[impl AsRef<str>],
        inputs: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<Vec<Value>> {
        let inputs = inputs
            .into_iter()
            .map(|(name, value)| (name, Feed::from(value)));
        if outputs.is_empty() {
            self.loaded.in_order(inputs)?;
            return Ok(Vec::new());
        }
        let outputs = self.evaluate(inputs, outputs)?;
        outputs
            .iter()
            .map(|(_, output)| output?.to_value())
            .collect()
    }

    /// Runs the graph on named values or views of tensors for the outputs named in `outputs`, or for all of them if none is
    /// named, and leaves these where they are: what [`run`](Self::run) does, without a copy more than needed.
    ///
    /// # Errors
    /// As [`run_selected`](Self::run_selected).
    pub fn evaluate<'a, N: AsRef<str>, F: Into<Feed<'a>>>(
        &self,
        inputs: impl IntoIterator<Item = (N, F)>,
        outputs: &[impl AsRef<str>],
    ) -> Result<Outputs> {
        let inputs = inputs.into_iter().map(|(name, feed)| (name, feed.into()));
        let all = &self.loaded.outputs;
        let indices: TVec<usize> = match outputs {
            [] => (0..all.len()).collect(),
            names => names
                .iter()
                .map(|name| self.output_index(name.as_ref()))
                .collect::<Result<_>>()?,
        };
        // An output that is named again is not there again.
        let mut distinct: TVec<usize> = TVec::new();
        for &index in &indices {
            if !distinct.contains(&index) {
                distinct.push(index);
            }
        }
        let places = &self.loaded.tensors;
        let single = match *distinct {
            [index] if places[index].len() == 1 => Some(places[index].start),
            _ => None,
        };
        let feeds = self.loaded.in_order(inputs)?;
        of_call(caught(ErrorKind::Run, || {
            let mut answers = self.run_feeds(single, feeds)?;
            if single.is_none() && !outputs.is_empty() {
                answers = self.selected(&distinct, answers);
            }
            Outputs::new(&self.loaded, indices, distinct, answers)
        }))
    }

    /// Runs the graph for all its tensors, or for a `single` one; where it can, on the input where it lies.
    fn run_feeds(&self, single: Option<usize>, feeds: Feeds<'_>) -> Result<PerOutput<Answer>> {
        let runner = &self.loaded.runner;
        if let [feed] = &*feeds
            && let Some(batch) = feed.view()
        {
            if let Some(rows) = self.run_rows(single, &batch)? {
                return Ok(rows);
            }
            if let Some(outputs) = runner.run_view(single, &batch)? {
                return Ok(tensors(outputs));
            }
        }
        let inputs = into_inputs(feeds)?;
        Ok(tensors(match single {
            Some(index) => tvec![runner.run_single(index, inputs)?],
            None => runner.run(inputs)?,
        }))
    }

    /// The same where row `i` of each output is made of row `i` of `batch` alone: straight into the memory of the answers,
    /// block by block if there are many rows; `None` where that is not so.
    fn run_rows(
        &self,
        single: Option<usize>,
        batch: &TensorView<'_>,
    ) -> Result<Option<PerOutput<Answer>>> {
        let Loaded {
            runner, threads, ..
        } = &*self.loaded;
        let Some(outputs) = runner.row_outputs(single, batch.shape)? else {
            return Ok(None);
        };
        let mut rows: PerOutput<Filled> = outputs
            .into_iter()
            .map(|(element, shape)| Filled::empty(element, shape))
            .collect::<Result<_>>()?;
        let fill = |block: &TensorView<'_>, slots: &mut [Option<Slots<'_>>]| {
            runner.fill(single, block, slots)
        };
        if let Some(blocks) = blocks::split(batch) {
            blocks::evaluate(batch, &blocks, *threads, &mut rows, fill)?;
        } else {
            let mut slots: PerOutput<_> = rows.iter_mut().map(|rows| Some(rows.slots())).collect();
            fill(batch, &mut slots)?;
        }
        Ok(Some(rows.into_iter().map(Answer::Rows).collect()))
    }

    fn output_index(&self, name: &str) -> Result<usize> {
        self.loaded
            .outputs
            .iter()
            .position(|info| info.name == name)
            .ok_or_else(|| {
                let message = format!(
                    "output {name:?}: the model gives {}",
                    names(&self.loaded.outputs)
                );
                Error::new(ErrorKind::MissingOutput, message)
            })
    }

    fn ask<T>(
        &self,
        samples: impl Samples,
        answer: impl FnOnce(Bound<'_>) -> Result<T>,
    ) -> Result<T> {
        of_call(caught(ErrorKind::InvalidInput, || {
            samples.bind(&self.loaded, |bound| {
                caught(ErrorKind::Run, || answer(bound))
            })
        }))
    }

    /// Numbers of any shape as the values of one of several inputs: converted to its type, and refused, as
    /// [`predict`](Self::predict) converts and refuses those of a batch.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] if the model has no such input, if it does not take numbers, or if a number does not fit
    /// its type or is NaN or infinite, unless what comes of this input is for an operator that treats missing values.
    pub fn column(&self, input: &str, numbers: TensorView<'_>) -> Result<Value> {
        let infos = &self.loaded.inputs;
        let info = infos.iter().find(|info| info.name == input);
        let element = match info.and_then(ValueInfo::element_type) {
            Some(ElementType::Bool | ElementType::String) | None => None,
            element => element,
        };
        let (Some(info), Some(element)) = (info, element) else {
            let message = format!(
                "input {input:?}: takes no numbers; the model takes {}",
                names(infos)
            );
            return Err(Error::input(message));
        };
        Batch::column(info, element, &self.loaded.missing, numbers)
    }

    /// Runs the graph for the only tensor of `output`.
    fn run_single(&self, output: usize, feeds: Feeds<'_>) -> Result<Answer> {
        let place = self.loaded.tensors[output].start;
        let mut answers = self.run_feeds(Some(place), feeds)?;
        answers.pop().ok_or_else(no_output)
    }

    /// Runs the graph for several outputs.
    fn run_several(&self, outputs: &[usize], feeds: Feeds<'_>) -> Result<PerOutput<Answer>> {
        Ok(self.selected(outputs, self.run_feeds(None, feeds)?))
    }

    /// The tensors of `outputs`, no two of which are the same, out of the tensors of all outputs.
    fn selected(&self, outputs: &[usize], answers: PerOutput<Answer>) -> PerOutput<Answer> {
        let mut answers: PerOutput<Option<Answer>> = answers.into_iter().map(Some).collect();
        let places = outputs
            .iter()
            .flat_map(|&output| self.loaded.tensors[output].clone());
        places.filter_map(|place| answers[place].take()).collect()
    }

    /// The output that predictions are read from.
    fn predicted(&self) -> Result<usize> {
        let missing = || self.missing("labels or targets");
        self.loaded.roles.prediction.ok_or_else(missing)
    }

    /// The outputs that probabilities are read from: a matrix, or one for each of its columns.
    fn probabilities(&self) -> Result<&[usize]> {
        match &self.loaded.roles.probabilities {
            Some(Scores::PerOutput(_)) => Err(Error::new(
                ErrorKind::MissingOutput,
                "the model gives the probabilities of several outputs: ask for predict_proba_per_output",
            )),
            Some(scores) => Ok(scores.outputs()),
            None => Err(self.missing("probabilities")),
        }
    }

    /// Runs the graph for the matrix that is the only one of `outputs`, or whose columns they are.
    fn scores_of<S: Score>(&self, outputs: &[usize], feeds: Feeds<'_>) -> Result<Array2<S>> {
        let answers = match *outputs {
            [output] => smallvec![self.run_single(output, feeds)?],
            _ => self.run_several(outputs, feeds)?,
        };
        self.scores(outputs, answers)
    }

    /// The matrix that the answers of `outputs` are, or are the columns of.
    fn scores<S: Score>(
        &self,
        outputs: &[usize],
        mut answers: PerOutput<Answer>,
    ) -> Result<Array2<S>> {
        let scores = match (answers.pop(), answers.is_empty()) {
            (Some(matrix), true) => answers::matrix(matrix),
            (last, _) => answers::matrix_of_columns(answers.into_iter().chain(last)),
        };
        scores.map_err(|e| self.unexpected(outputs[0], &e))
    }

    fn missing(&self, what: &str) -> Error {
        let outputs = names(&self.loaded.outputs);
        Error::new(
            ErrorKind::MissingOutput,
            format!("the model gives {outputs}, none of them {what}"),
        )
    }

    fn unexpected(&self, output: usize, error: &Error) -> Error {
        let name = &self.loaded.outputs[output].name;
        Error::new(ErrorKind::Run, format!("output {name:?}: {error}"))
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("inputs", &self.inputs())
            .field("outputs", &self.outputs())
            .field("classes", &self.classes())
            .finish_non_exhaustive()
    }
}

/// What a call gives. A model that has been loaded runs on some inputs, so what an operator says against the model in a call it
/// says against these inputs: that they have another number of features than its weights, for instance.
fn of_call<T>(result: Result<T>) -> Result<T> {
    result.map_err(|error| match error.kind() {
        ErrorKind::InvalidModel => error.with_kind(ErrorKind::InvalidInput),
        _ => error,
    })
}

fn no_output() -> Error {
    Error::new(ErrorKind::Run, "the graph gave no output")
}

fn tensors(tensors: TVec<TValue>) -> PerOutput<Answer> {
    tensors.into_iter().map(Answer::Tensor).collect()
}
