//! Where a model comes from, a path or bytes, and how it is loaded.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;

use iris_core::{Limits, LoadOptions, Model};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyString};

use crate::error;

/// Loads a model from what Python gave: `str`, `os.PathLike` or `bytes`.
pub(crate) fn load(path_or_bytes: &Bound<'_, PyAny>, options: &LoadOptions) -> PyResult<Model> {
    let py = path_or_bytes.py();
    if let Ok(bytes) = path_or_bytes.cast::<PyBytes>() {
        let bytes = bytes.as_bytes();
        return py
            .detach(|| Model::from_bytes_with(bytes, options))
            .map_err(|e| error::to_python(&e));
    }
    if !path_or_bytes.is_instance_of::<PyString>() && !path_or_bytes.hasattr("__fspath__")? {
        let given = path_or_bytes.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "expected a model's path (str or os.PathLike) or its bytes, got {given}"
        )));
    }
    let path: PathBuf = path_or_bytes.extract()?;
    py.detach(|| Model::from_path_with(&path, options))
        .map_err(|e| error::loading(py, &e, &path))
}

/// How to load a model, from the arguments of the constructors: large batches are answered on `threads` threads, or as many
/// as there are processors.
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
    // What reads a value may change the dictionary, so all are taken out before.
    let limits: Vec<_> = limits.into_iter().flatten().collect();
    for (name, value) in &limits {
        set(&mut options.limits, name, value)?;
    }
    Ok(options)
}

macro_rules! limits {
    ($($name:ident),*) => {
        const LIMITS: &[&str] = &[$(stringify!($name)),*];

        /// Sets the limit that Python calls `name`.
        fn set(limits: &mut Limits, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
            let text = name.cast::<PyString>().ok();
            match text.and_then(|name| name.to_str().ok()) {
                $(Some(stringify!($name)) => limits.$name = number(stringify!($name), value)?,)*
                _ => {
                    return Err(PyValueError::new_err(format!(
                        "limits: {} is none: expected {}",
                        name.repr()?,
                        LIMITS.join(", ")
                    )));
                }
            }
            Ok(())
        }
    };
}

limits!(
    file_bytes,
    nodes,
    depth,
    attribute_len,
    tensor_bytes,
    constant_bytes,
    load_bytes,
    planning_steps,
    run_bytes,
    row_bytes,
    loop_trips
);

/// The value of a limit: an integer of Python or NumPy.
fn number<T>(name: &str, value: &Bound<'_, PyAny>) -> PyResult<T>
where
    T: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>,
{
    let expected = || -> PyResult<String> {
        let given = value.repr()?;
        Ok(format!(
            "limits[{name:?}]: expected an integer of 0 or more, got {given}"
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
