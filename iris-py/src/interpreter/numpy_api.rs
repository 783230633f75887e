//! NumPy's own interface, which rust-numpy asks for at its first use.

use numpy::{PyArray1, PyArrayMethods, get_array_module};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Has NumPy imported, or says why it cannot be: it may be missing, or the caller at the end of the stack. rust-numpy panics
/// where its first use meets either, so whatever takes or makes arrays calls this first.
pub(crate) fn load(py: Python<'_>) -> PyResult<()> {
    static LOADED: PyOnceLock<()> = PyOnceLock::new();
    let load = || {
        get_array_module(py)?.getattr(intern!(py, "_ARRAY_API"))?;
        let _ = PyArray1::<f32>::zeros(py, 0, false).try_readonly();
        Ok(())
    };
    LOADED.get_or_try_init(py, load).copied()
}
