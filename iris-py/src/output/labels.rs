//! NumPy's arrays of class labels, as scikit-learn's classifiers give them.

use iris_core::Labels;
use pyo3::intern;
use pyo3::prelude::*;

use crate::output::arrays;

/// The labels as an array of int64, or of `str`: of `<U…`, as wide as the longest of the labels and of the `classes`.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    labels: Labels,
    classes: Option<&Labels>,
) -> PyResult<Bound<'py, PyAny>> {
    let labels = match labels {
        Labels::Int(labels) => return Ok(arrays::vec_to_python(py, labels)),
        labels => labels,
    };
    let width = |labels: &Labels| {
        labels
            .as_strings()
            .and_then(|all| all.iter().map(|label| label.chars().count()).max())
    };
    let width = width(&labels)
        .max(classes.and_then(width))
        .unwrap_or(0)
        .max(1);
    let texts = labels.as_strings().unwrap_or_default();
    let texts = arrays::texts_to_python(py, &[texts.len()], texts.iter())?;
    texts.call_method1(intern!(py, "astype"), (format!("U{width}"),))
}
