//! The one boundary to what others wrote: a panic there is an error here.
//!
//! An abort cannot be caught. Nothing that aborts is reached: what would take too much memory is refused before, recursion
//! is as deep as [`Limits`](crate::guard::budget::Limits) say at most, and no build that aborts on panic is possible.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tract_onnx::prelude::{TractError, TractResult};

use crate::error::{Error, ErrorKind, Result};

#[cfg(panic = "abort")]
compile_error!(
    "iris-core turns panics of its dependencies into errors, which `panic = \"abort\"` does not allow"
);

/// How tract's panic begins where a tensor cannot be allocated.
const NO_MEMORY: &str = "failed to allocate";

/// Calls into tract, as [`recovered`], where a panic is not the end of what is to be done.
pub(crate) fn guarded<T>(kind: ErrorKind, call: impl FnOnce() -> TractResult<T>) -> Result<T> {
    caught(kind, || recovered(kind, call()))
}

/// What comes back of a call into tract: our own error if the cause was ours, and otherwise one of `kind`.
pub(crate) fn recovered<T>(kind: ErrorKind, result: TractResult<T>) -> Result<T> {
    result.map_err(|error| recover(kind, error))
}

/// Calls what may call into tract. A panic there is an error of `kind`.
///
/// Nothing it could leave half-done outlives the call: graphs and plans are changed by no one once they are made.
pub(crate) fn caught<T>(kind: ErrorKind, call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        let summary = message.lines().next().unwrap_or_default();
        if summary.starts_with(NO_MEMORY) {
            return Err(Error::new(
                ErrorKind::OutOfMemory,
                "there is no memory for a tensor",
            ));
        }
        Err(Error::new(kind, format!("tract panicked: {summary}")))
    })
}

fn recover(kind: ErrorKind, error: TractError) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(theirs) => {
            // The outermost context names the node, the innermost cause says what is wrong with it.
            let (node, cause) = (theirs.to_string(), theirs.root_cause().to_string());
            let message = if node == cause {
                cause
            } else {
                format!("{node}: {cause}")
            };
            Error::new(kind, message).with_source(theirs)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_errors_of_one_line() {
        let error = caught::<()>(ErrorKind::InvalidModel, || panic!("axis 26\nof 3"));
        let error = error.expect_err("panics");
        assert_eq!(error.kind(), ErrorKind::InvalidModel);
        assert_eq!(error.to_string(), "tract panicked: axis 26");
        let error = caught::<()>(ErrorKind::Run, || panic!("{NO_MEMORY} 8 bytes"));
        assert_eq!(error.expect_err("panics").kind(), ErrorKind::OutOfMemory);
    }
}
