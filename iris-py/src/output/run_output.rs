//! The outputs of `InferenceSession.run`: arrays, lists of arrays, and for ZipMap a list of dictionaries.

use iris_core::{Elements, Labels, Output, TensorView, ValueInfo};
use numpy::PyArray;
use pyo3::IntoPyObjectExt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyList};

use crate::interpreter::error::ModelError;
use crate::output::arrays;

/// The output `info` as `InferenceSession.run` answers it: an array, or a list of arrays or dictionaries.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    info: &ValueInfo,
    output: &Output<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    match (output, info.zip_map_classes()) {
        (Output::Tensor(view), None) => arrays::view_to_python(py, view),
        (Output::Tensor(view), Some(classes)) => zip_map(py, info, classes, view),
        (Output::Sequence(views), _) => {
            let list = PyList::empty(py);
            for view in views {
                list.append(arrays::view_to_python(py, view)?)?;
            }
            Ok(list.into_any())
        }
        _ => Err(ModelError::new_err(format!(
            "output {:?}: of no known kind",
            info.name()
        ))),
    }
}

/// How many rows of scores become floats by one call of NumPy: enough that the call is little beside the dictionaries, and few
/// enough that the list of floats is small beside them.
const ROWS_AT_ONCE: usize = 64;

/// One dictionary for each row, from class label to score: what ZipMap makes of scores.
fn zip_map<'py>(
    py: Python<'py>,
    info: &ValueInfo,
    classes: &Labels,
    view: &TensorView<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let keys: Vec<Bound<'py, PyAny>> = match classes {
        Labels::Int(labels) => labels
            .iter()
            .map(|label| label.into_bound_py_any(py))
            .collect::<PyResult<_>>()?,
        Labels::String(labels) => labels
            .iter()
            .map(|label| label.into_bound_py_any(py))
            .collect::<PyResult<_>>()?,
        _ => Vec::new(),
    };
    let Elements::Float(scores) = view.elements else {
        return Err(ModelError::new_err(format!(
            "output {:?}: unexpected tensor({})",
            info.name(),
            view.elements.element_type()
        )));
    };
    let n_columns = view.shape.last().copied().unwrap_or(1).max(1);
    let maps = PyList::empty(py);
    // Dictionaries are copies of one, and floats come from NumPy's `tolist`: pyo3 panics where it cannot make either for want
    // of memory.
    let template = keys.iter().map(|key| (key, 0.0)).into_py_dict(py)?;
    for rows in scores.chunks(ROWS_AT_ONCE * n_columns) {
        let scores = PyArray::from_slice(py, rows).call_method0(intern!(py, "tolist"))?;
        let mut scores = scores.cast_into::<PyList>()?.into_iter();
        for _ in rows.chunks_exact(n_columns) {
            let map = template.copy()?;
            for (index, score) in scores.by_ref().take(n_columns).enumerate() {
                if let Some(key) = keys.get(index) {
                    map.set_item(key, score)?;
                }
            }
            maps.append(map)?;
        }
    }
    Ok(maps.into_any())
}
