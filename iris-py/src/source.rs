//! Where a model comes from: a path or bytes.

use std::path::PathBuf;

use iris_core::Model;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::error;

/// Loads a model from what Python gave: `str`, `os.PathLike` or `bytes`.
pub(crate) fn load(path_or_bytes: &Bound<'_, PyAny>) -> PyResult<Model> {
    let py = path_or_bytes.py();
    if let Ok(bytes) = path_or_bytes.cast::<PyBytes>() {
        let bytes = bytes.as_bytes();
        return py
            .detach(|| Model::from_bytes(bytes))
            .map_err(|e| error::to_python(&e));
    }
    if !path_or_bytes.is_instance_of::<PyString>() && !path_or_bytes.hasattr("__fspath__")? {
        let given = path_or_bytes.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "expected a model's path (str or os.PathLike) or its bytes, got {given}"
        )));
    }
    let path: PathBuf = path_or_bytes.extract()?;
    py.detach(|| Model::from_path(&path))
        .map_err(|e| error::loading(py, &e, &path))
}
