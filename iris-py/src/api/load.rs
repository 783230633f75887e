//! Loads a model from a path or bytes, with the options that both classes take.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;

use iris_core::{Limits, LoadOptions, Model};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyString};

use crate::interpreter::error;

/// Loads a model from a path (`str` or `os.PathLike`), or from the `bytes` of a file.
pub(crate) fn load(path_or_bytes: &Bound<'_, PyAny>, options: &LoadOptions) -> PyResult<Model> {
    let py = path_or_bytes.py();
    if let Ok(bytes) = path_or_bytes.cast::<PyBytes>() {
        let bytes = bytes.as_bytes();
        return py
            .detach(|| Model::from_bytes_with(bytes, options))
            .map_err(|e| error::to_python(&e));
    }
    if !path_or_bytes.is_instance_of::<PyString>() && !path_or_bytes.hasattr("__fspath__")? {
        let got = path_or_bytes.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "expected a model's path (str or os.PathLike) or its bytes, got {got}"
        )));
    }
    let path: PathBuf = path_or_bytes.extract()?;
    py.detach(|| Model::from_path_with(&path, options))
        .map_err(|e| error::loading(py, &e, &path))
}

/// The options for loading a model, from the arguments of the constructors. Large batches are answered on `threads` threads,
/// or on as many as there are processors.
pub(crate) fn options(
    threads: Option<usize>,
    limits: Option<&Bound<'_, PyDict>>,
    external_data: bool,
) -> PyResult<LoadOptions> {
    let mut options = LoadOptions::default();
    options.threads = match threads {
        Some(threads) => NonZero::new(threads)
            .ok_or_else(|| PyValueError::new_err("threads: expected 1 or more, got 0"))?,
        None => available_parallelism().unwrap_or(NonZero::<usize>::MIN),
    };
    options.external_data = external_data;
    // Reading a value may run code that changes the dictionary, so that all are taken out before.
    let limits: Vec<_> = limits.into_iter().flatten().collect();
    for (name, value) in &limits {
        set(&mut options.limits, name, value)?;
    }
    Ok(options)
}

/// Sets the limit called `name`.
fn set(limits: &mut Limits, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let text = name.cast::<PyString>().ok();
    let Some(text) = text
        .and_then(|name| name.to_str().ok())
        .filter(|name| Limits::names().contains(name))
    else {
        return Err(PyValueError::new_err(format!(
            "limits: {} is none: expected {}",
            name.repr()?,
            Limits::names().join(", ")
        )));
    };
    let number = number(text, value)?;
    limits
        .set(text, number)
        .map_err(|error| error::to_python(&error))
}

/// The value of the limit `name`: an integer of Python or NumPy, of 0 or more.
fn number(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u64> {
    let expected = || -> PyResult<String> {
        let got = value.repr()?;
        Ok(format!(
            "limits[{name:?}]: expected an integer of 0 or more, got {got}"
        ))
    };
    if value.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err(expected()?));
    }
    value.extract().map_err(|error: PyErr| {
        let py = value.py();
        let message = match expected() {
            Ok(message) => message,
            Err(error) => return error,
        };
        if error.is_instance_of::<PyOverflowError>(py) {
            PyValueError::new_err(message)
        } else {
            PyTypeError::new_err(message)
        }
    })
}
