//! The package's own functions: the embedded iris model.

use numpy::{IntoPyArray, PyArray2};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::batch::{Batch, with_rows};
use crate::error::to_python;
use crate::interrupt::detached;
use crate::value::SMALL;
use crate::{numpy_api, value};

/// Batches up to this size are answered without releasing the GIL: they take less than 20 µs, and releasing it adds 0.12 µs
/// to the 1.5 µs of one row. A model of the caller's own may take any time for one row, so [`Model`](crate::model::Model)
/// always releases it.
const FEW_ROWS: usize = 16;

/// Predicts the iris class of each row of a batch `[n_samples, 4]`: 0 (setosa), 1 (versicolor) or 2 (virginica).
#[pyfunction]
#[allow(
    non_snake_case,
    reason = "scikit-learn's name for it, which callers may spell out"
)]
pub(crate) fn predict<'py>(X: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = X.py();
    let batch = Batch::from_python(X)?;
    let labels =
        with_rows!(&batch, rows => detach_for_many(py, &batch, || iris_core::predict(rows)));
    let labels = labels?;
    if labels.len() > SMALL {
        numpy_api::load(py)?;
        let array = value::vec_to_python(py, labels);
        return Ok(array.call_method0(intern!(py, "tolist"))?.cast_into()?);
    }
    PyList::new(py, labels)
}

/// Predicts the probabilities of the three iris classes for each row of a batch `[n_samples, 4]`: float32 `[n_samples, 3]`.
#[pyfunction]
#[allow(
    non_snake_case,
    reason = "scikit-learn's name for it, which callers may spell out"
)]
pub(crate) fn predict_proba<'py>(X: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let py = X.py();
    numpy_api::load(py)?;
    let batch = Batch::from_python(X)?;
    let scores =
        with_rows!(&batch, rows => detach_for_many(py, &batch, || iris_core::predict_proba(rows)));
    Ok(scores?.into_pyarray(py))
}

fn detach_for_many<T: Send>(
    py: Python<'_>,
    batch: &Batch<'_>,
    answer: impl FnOnce() -> iris_core::Result<T> + Send,
) -> PyResult<T> {
    if batch.n_samples() <= FEW_ROWS {
        answer().map_err(|e| to_python(&e))
    } else {
        detached(py, answer)
    }
}
