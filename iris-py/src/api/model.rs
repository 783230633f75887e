//! `iris_core.Model`: a model with scikit-learn's methods.

use std::fmt::Write as _;

use iris_core::{Dimension, Prediction, ValueInfo};
use ndarray::Axis;
use numpy::{IntoPyArray, get_array_module};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::api::load;
use crate::input::samples::{Samples, with_samples};
use crate::interpreter::error::{ModelError, to_python};
use crate::interpreter::interrupt::detached;
use crate::interpreter::numpy_api;
use crate::output::{arrays, labels};

/// An ONNX model with the methods of the scikit-learn estimator it came from.
///
/// `Model(path_or_bytes)` loads a file (`str` or `os.PathLike`) or the bytes of one. A model never changes: any number of
/// threads may use one at once, and calls release the GIL. `threads` is how many may answer one large batch: as many as there
/// are processors, unless it is set. `limits` replaces limits on a file and a call by their names, which docs/security.md lists,
/// as `limits={"file_bytes": 1 << 20}` does. `external_data` allows constants in other files of the model's folder.
///
/// A model that takes one input a column finds the columns of a frame or dictionary by name. A model that takes all features
/// as one input does not know their names, and takes columns in their order.
#[pyclass(module = "iris_core", frozen)]
pub(crate) struct Model {
    model: iris_core::Model,
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (path_or_bytes, *, threads=None, limits=None, external_data=false))]
    fn new(
        path_or_bytes: &Bound<'_, PyAny>,
        threads: Option<usize>,
        limits: Option<&Bound<'_, PyDict>>,
        external_data: bool,
    ) -> PyResult<Self> {
        let options = load::options(threads, limits, external_data)?;
        Ok(Self {
            model: load::load(path_or_bytes, &options)?,
        })
    }

    /// The embedded iris model, which `iris_core.predict` asks.
    #[staticmethod]
    fn iris() -> PyResult<Self> {
        Ok(Self {
            model: iris_core::Model::iris().map_err(|e| to_python(&e))?,
        })
    }

    /// The answer of scikit-learn's `predict`: labels (int64, or str where the classes are), clusters, 1 and -1 for
    /// inliers and outliers, or targets `[n_samples]`; of several outputs, `[n_samples, n_outputs]`.
    #[allow(
        non_snake_case,
        reason = "scikit-learn's name for it, which callers may spell out"
    )]
    fn predict<'py>(&self, X: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = X.py();
        let prediction = self.ask(
            X,
            |samples| with_samples!(samples, samples => detached(py, || self.model.predict(samples))),
        )?;
        match prediction {
            Prediction::Labels(labels) => labels::to_python(py, labels, self.model.classes()),
            Prediction::Values(values) => arrays::tensor_to_python(py, values),
            other => Err(ModelError::new_err(format!("no known type: {other:?}"))),
        }
    }

    /// The probability of each class for each sample: float32 `[n_samples, n_classes]`; of an estimator of several
    /// outputs, a list of such arrays.
    #[allow(
        non_snake_case,
        reason = "scikit-learn's name for it, which callers may spell out"
    )]
    fn predict_proba<'py>(&self, X: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = X.py();
        if self.model.has_several_outputs() {
            let scores = self.ask(X, |samples| {
                with_samples!(samples, samples => detached(py, || self.model.predict_proba_per_output(samples)))
            })?;
            let scores = scores.into_iter().map(|scores| scores.into_pyarray(py));
            return Ok(PyList::new(py, scores)?.into_any());
        }
        let scores = self.ask(X, |samples| {
            with_samples!(samples, samples => detached(py, || self.model.predict_proba(samples)))
        })?;
        Ok(scores.into_pyarray(py).into_any())
    }

    /// The decision scores of each sample: float64 `[n_samples, n_classes]`, or `[n_samples]` for two classes and for
    /// outlier detectors.
    #[allow(
        non_snake_case,
        reason = "scikit-learn's name for it, which callers may spell out"
    )]
    fn decision_function<'py>(&self, X: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = X.py();
        let scores = self.ask(X, |samples| {
            with_samples!(samples, samples => detached(py, || self.model.decision_function(samples)))
        })?;
        Ok(if scores.ncols() == 1 {
            scores
                .index_axis_move(Axis(1), 0)
                .into_pyarray(py)
                .into_any()
        } else {
            scores.into_pyarray(py).into_any()
        })
    }

    /// Each sample as a transformer transforms it, or its distances to a clusterer's centres.
    #[allow(
        non_snake_case,
        reason = "scikit-learn's name for it, which callers may spell out"
    )]
    fn transform<'py>(&self, X: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = X.py();
        let values = self.ask(X, |samples| {
            with_samples!(samples, samples => detached(py, || self.model.transform(samples)))
        })?;
        arrays::tensor_to_python(py, values)
    }

    /// A classifier's classes, in the order of `predict_proba`'s columns.
    #[getter]
    fn classes_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        numpy_api::load(py)?;
        match self.model.classes() {
            Some(classes) => labels::to_python(py, classes.clone(), None),
            None => Err(PyAttributeError::new_err(
                "classes_: the model is not a classifier that lists its classes",
            )),
        }
    }

    /// How many features a row has.
    #[getter]
    fn n_features_in_(&self) -> PyResult<usize> {
        let columns = || columns(self.model.inputs()).map(|names| names.len());
        self.model.n_features().or_else(columns).ok_or_else(|| {
            PyAttributeError::new_err(
                "n_features_in_: the model does not say how many features a row has",
            )
        })
    }

    /// The names of the columns of a model that takes one input a column.
    #[getter]
    fn feature_names_in_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let Some(names) = columns(self.model.inputs()) else {
            return Err(PyAttributeError::new_err(
                "feature_names_in_: the model takes all features as one input, which does not name them",
            ));
        };
        get_array_module(py)?.call_method1("array", (PyList::new(py, names)?, "object"))
    }

    fn __repr__(&self) -> String {
        let mut text = String::from("<iris_core.Model");
        for (start, infos) in [(" ", self.model.inputs()), (" -> ", self.model.outputs())] {
            for (index, info) in infos.iter().enumerate() {
                let separator = if index == 0 { start } else { ", " };
                let _ = write!(text, "{separator}{}: {}", info.name(), info.value_type());
                if let Some(shape) = info.shape() {
                    let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
                    let _ = write!(text, " [{}]", shape.join(", "));
                }
            }
        }
        text + ">"
    }
}

impl Model {
    /// Reads samples from Python and asks the model about them.
    fn ask<'py, T>(
        &self,
        x: &Bound<'py, PyAny>,
        method: impl FnOnce(Samples<'py>) -> PyResult<T>,
    ) -> PyResult<T> {
        method(Samples::from_python(&self.model, x)?)
    }
}

/// The names of `inputs` if each is one column of a table.
fn columns(inputs: &[ValueInfo]) -> Option<Vec<&str>> {
    let is_column = |info: &ValueInfo| matches!(info.shape(), Some([_, Dimension::Fixed(1)]));
    (inputs.len() > 1 && inputs.iter().all(is_column))
        .then(|| inputs.iter().map(ValueInfo::name).collect())
}
