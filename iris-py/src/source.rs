//! Where a model comes from: a path or bytes.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;

use iris_core::{LoadOptions, Model};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::error;

/// Loads a model from what Python gave: `str`, `os.PathLike` or `bytes`; large batches are answered on `threads` threads, or
/// as many as there are processors.
pub(crate) fn load(path_or_bytes: &Bound<'_, PyAny>, threads: Option<usize>) -> PyResult<Model> {
    let py = path_or_bytes.py();
    let mut options = LoadOptions::default();
    options.threads = match threads {
        Some(threads) => NonZero::new(threads)
            .ok_or_else(|| PyValueError::new_err("threads: expected 1 or more, got 0"))?,
        None => available_parallelism().unwrap_or(NonZero::<usize>::MIN),
    };
    if let Ok(bytes) = path_or_bytes.cast::<PyBytes>() {
        let bytes = bytes.as_bytes();
        return py
            .detach(|| Model::from_bytes_with(bytes, &options))
            .map_err(|e| error::to_python(&e));
    }
    if !path_or_bytes.is_instance_of::<PyString>() && !path_or_bytes.hasattr("__fspath__")? {
        let given = path_or_bytes.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "expected a model's path (str or os.PathLike) or its bytes, got {given}"
        )));
    }
    let path: PathBuf = path_or_bytes.extract()?;
    py.detach(|| Model::from_path_with(&path, &options))
        .map_err(|e| error::loading(py, &e, &path))
}
