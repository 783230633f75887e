//! Class labels as NumPy arrays.

use iris_core::Labels;
use numpy::{PyArray1, get_array_module};
use pyo3::prelude::*;
use pyo3::types::PyList;

/// The labels as scikit-learn gives them: int64, or str (`<U…`, as wide as the longest of `classes`).
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    labels: &Labels,
    classes: Option<&Labels>,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(labels) = labels.as_ints() {
        return Ok(PyArray1::from_slice(py, labels).into_any());
    }
    let width = |labels: &Labels| {
        labels
            .as_strings()
            .and_then(|all| all.iter().map(|label| label.chars().count()).max())
    };
    let width = width(labels)
        .max(classes.and_then(width))
        .unwrap_or(0)
        .max(1);
    let labels = PyList::new(py, labels.as_strings().unwrap_or_default())?;
    get_array_module(py)?.call_method1("array", (labels, format!("U{width}")))
}
