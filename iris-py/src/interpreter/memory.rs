//! Memory for what Python may make arbitrarily large, which is asked for and may be refused.

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

/// An empty vector with room for `len` elements.
///
/// # Errors
/// `MemoryError`, where Rust's own vectors would end the process.
pub(crate) fn room<T>(len: usize) -> PyResult<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(len)
        .map_err(|error| PyMemoryError::new_err(error.to_string()))?;
    Ok(room)
}

/// A copy of a text.
///
/// # Errors
/// `MemoryError`, where Rust's own strings would end the process.
pub(crate) fn copied(text: &str) -> PyResult<String> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len())
        .map_err(|error| PyMemoryError::new_err(error.to_string()))?;
    copy.push_str(text);
    Ok(copy)
}
