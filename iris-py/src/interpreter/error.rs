//! The exceptions that Python sees, and which of them each error of iris-core becomes.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use iris_core::{Error, ErrorKind};
use pyo3::create_exception;
use pyo3::exceptions::{PyAttributeError, PyException, PyMemoryError, PyOSError, PyValueError};
use pyo3::prelude::*;

create_exception!(
    iris_core,
    ModelError,
    PyException,
    "The model cannot be used: its file is not an ONNX model, contradicts itself, needs an operator that iris_core does \
     not have, exceeds a limit, or fails while it runs. The message names the culprit."
);
create_exception!(
    iris_core,
    InputError,
    PyValueError,
    "The input does not fit the model. The message names the input, row or column, and what was expected."
);

/// The exception for an error of iris-core.
pub(crate) fn to_python(error: &Error) -> PyErr {
    let message = error.to_string();
    match error.kind() {
        ErrorKind::InvalidInput => InputError::new_err(message),
        // scikit-learn's estimators raise AttributeError for a method that they do not have.
        ErrorKind::MissingOutput => PyAttributeError::new_err(message),
        ErrorKind::Io => PyOSError::new_err(message),
        ErrorKind::OutOfMemory => PyMemoryError::new_err(message),
        _ => ModelError::new_err(message),
    }
}

/// The exception for an error of loading `path`: for a missing file, the `FileNotFoundError` that `open` raises.
pub(crate) fn loading(py: Python<'_>, error: &Error, path: &Path) -> PyErr {
    let Some(errno) = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error)
    else {
        return to_python(error);
    };
    match py
        .import("os")
        .and_then(|os| os.call_method1("strerror", (errno,)))
    {
        Ok(text) => PyOSError::new_err((errno, text.unbind(), path.as_os_str().to_owned())),
        Err(error) => error,
    }
}
