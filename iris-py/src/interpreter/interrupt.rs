//! Lets go of the interpreter while iris-core computes, and ends that where Python is interrupted.

use std::cell::Cell;

use iris_core::Result;
use pyo3::prelude::*;

use crate::error::to_python;

thread_local! {
    /// What a signal handler raised: `KeyboardInterrupt`, unless the program has handlers of its own.
    static RAISED: Cell<Option<PyErr>> = const { Cell::new(None) };
}

/// Makes `call` without the GIL. Now and then signals are handled, which Python does on its main thread alone.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(|| iris_core::interruptible(is_raised, call))
        .map_err(|error| RAISED.take().unwrap_or_else(|| to_python(&error)))
}

fn is_raised() -> bool {
    Python::attach(|py| match py.check_signals() {
        Ok(()) => false,
        Err(raised) => {
            RAISED.set(Some(raised));
            true
        }
    })
}
