//! The compiled part of the Python package `iris_core`: iris-core for Python.
//!
//! Every function reads its arguments, calls iris-core, and makes Python's values of the answer. The folders stand in layers:
//! `api` has the classes and functions that Python sees, `input` reads Python's values, `output` makes them, and
//! `interpreter` deals with what the interpreter has for all of these: exceptions, signals, NumPy's interface and memory.
//! `tests/layers.rs` holds them to that.

mod api;
mod input;
mod interpreter;
mod output;

use pyo3::prelude::*;

/// The compiled part of the package; import `iris_core` instead.
// No free-threaded interpreter loads the abi3 wheel, so none has tested this module without the lock.
#[pymodule(gil_used = true)]
mod _iris_core {
    #[pymodule_export]
    use crate::api::iris::{predict, predict_proba};
    #[pymodule_export]
    use crate::api::model::Model;
    #[pymodule_export]
    use crate::api::session::InferenceSession;
    #[pymodule_export]
    use crate::api::signature::{ModelMetadata, NodeArg};
    #[pymodule_export]
    use crate::interpreter::error::{InputError, ModelError};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
