//! The Python package `iris_core`: iris-core for Python.
//!
//! Everything here converts what comes in, calls iris-core, and converts what comes out.

mod batch;
mod column;
mod error;
mod held;
mod interrupt;
mod iris;
mod labels;
mod model;
mod numpy_api;
mod samples;
mod session;
mod signature;
mod source;
mod value;

use pyo3::prelude::*;

/// The compiled part of the package; import `iris_core` instead.
// No free-threaded interpreter loads the abi3 wheel, so none has tested this module without the lock.
#[pymodule(gil_used = true)]
mod _iris_core {
    #[pymodule_export]
    use crate::error::{InputError, ModelError};
    #[pymodule_export]
    use crate::iris::{predict, predict_proba};
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::session::InferenceSession;
    #[pymodule_export]
    use crate::signature::{ModelMetadata, NodeArg};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
