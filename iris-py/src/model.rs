//! `iris_core.Model`: a model with scikit-learn's methods.

use std::fmt::Write as _;

use iris_core::{Dimension, ValueInfo};
use numpy::{IntoPyArray, PyArray2, get_array_module};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::batch::{Batch, with_rows};
use crate::error::to_python;
use crate::{labels, source};

/// An ONNX model with the methods of the scikit-learn estimator it came from.
///
/// `Model(path_or_bytes)` loads a file (`str` or `os.PathLike`) or the bytes of one. A model never changes: any number of
/// threads may use one at once, and calls release the GIL.
#[pyclass(module = "iris_core", frozen)]
pub(crate) struct Model {
    model: iris_core::Model,
}

#[pymethods]
impl Model {
    #[new]
    fn new(path_or_bytes: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            model: source::load(path_or_bytes)?,
        })
    }

    /// The embedded iris model, which `iris_core.predict` asks.
    #[staticmethod]
    fn iris() -> PyResult<Self> {
        Ok(Self {
            model: iris_core::Model::iris().map_err(|e| to_python(&e))?,
        })
    }

    /// The label of each row of a batch `[n_samples, n_features]`: int64, or str where the classes are.
    #[allow(
        non_snake_case,
        reason = "scikit-learn's name for it, which callers may spell out"
    )]
    fn predict<'py>(&self, X: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = X.py();
        let batch = Batch::from_python(X)?;
        let labels = with_rows!(&batch, rows => py.detach(|| self.model.predict(rows)));
        labels::to_python(
            py,
            &labels.map_err(|e| to_python(&e))?,
            self.model.classes(),
        )
    }

    /// The score of each class for each row of a batch `[n_samples, n_features]`: float32 `[n_samples, n_classes]`.
    #[allow(
        non_snake_case,
        reason = "scikit-learn's name for it, which callers may spell out"
    )]
    fn predict_proba<'py>(&self, X: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let py = X.py();
        let batch = Batch::from_python(X)?;
        let scores = with_rows!(&batch, rows => py.detach(|| self.model.predict_proba(rows)));
        Ok(scores.map_err(|e| to_python(&e))?.into_pyarray(py))
    }

    /// A classifier's classes, in the order of `predict_proba`'s columns.
    #[getter]
    fn classes_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.model.classes() {
            Some(classes) => labels::to_python(py, classes, None),
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

/// The names of `inputs` if each is one column of a table.
fn columns(inputs: &[ValueInfo]) -> Option<Vec<&str>> {
    let is_column = |info: &ValueInfo| matches!(info.shape(), Some([_, Dimension::Fixed(1)]));
    (inputs.len() > 1 && inputs.iter().all(is_column))
        .then(|| inputs.iter().map(ValueInfo::name).collect())
}
