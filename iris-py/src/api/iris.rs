//! The package's own functions, `iris_core.predict` and `predict_proba`, which ask the embedded iris model.

use numpy::{IntoPyArray, PyArray2};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::input::batch::{Batch, with_rows};
use crate::interpreter::error::to_python;
use crate::interpreter::interrupt::detached;
use crate::interpreter::numpy_api;
use crate::output::arrays::{self, SMALL};

/// The most rows that are answered without releasing the GIL. Measured with `timeit` on arrays of float32 (best of 60, AMD EPYC,
/// Python 3.11): one row takes 1.0 µs, 16 rows 2.8 µs, and 17 rows, for which the GIL is released, 3.2 µs. Releasing it
/// thus costs some 0.3 µs, a third of a call of one row, while nobody notices 3 µs: a thread that wants the GIL waits 5 ms
/// before it asks for it. A model of the caller's own may take any time for one row, so that
/// [`Model`](crate::api::model::Model) always releases the GIL.
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
        let array = arrays::vec_to_python(py, labels);
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

/// Asks the model about a batch, without the GIL if the batch has more than [`FEW_ROWS`].
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
