//! Releases the GIL while iris-core computes, and ends a computation when Python is interrupted.

use std::cell::Cell;

use iris_core::Result;
use pyo3::prelude::*;

use crate::interpreter::error::to_python;

thread_local! {
    /// The exception that a signal handler raised: `KeyboardInterrupt`, unless the program has handlers of its own.
    static RAISED: Cell<Option<PyErr>> = const { Cell::new(None) };
}

/// Makes a call without the GIL. Now and then it lets Python handle signals, which Python does on its main thread only; if a
/// handler raises, the call ends and the exception is its result.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    call: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(|| iris_core::interruptible(is_raised, call))
        .map_err(|error| RAISED.take().unwrap_or_else(|| to_python(&error)))
}

/// Lets Python handle signals, and says whether a handler raised an exception.
fn is_raised() -> bool {
    Python::attach(|py| match py.check_signals() {
        Ok(()) => false,
        Err(raised) => {
            RAISED.set(Some(raised));
            true
        }
    })
}
