//! Loads NumPy's C interface, before rust-numpy would do so at its first use and panic where it cannot.

use numpy::{PyArray1, PyArrayMethods, get_array_module};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Imports NumPy, once. Every function that takes or makes arrays calls this first, since rust-numpy panics where its first
/// use cannot import NumPy.
///
/// # Errors
/// The exception of the import: NumPy may be missing, or the caller near the end of Python's stack.
pub(crate) fn load(py: Python<'_>) -> PyResult<()> {
    static LOADED: PyOnceLock<()> = PyOnceLock::new();
    let load = || {
        get_array_module(py)?.getattr(intern!(py, "_ARRAY_API"))?;
        let _ = PyArray1::<f32>::zeros(py, 0, false).try_readonly();
        Ok(())
    };
    LOADED.get_or_try_init(py, load).copied()
}
