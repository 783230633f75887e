//! The parts of the interpreter that every call needs: exceptions, signals, NumPy's interface, memory.

pub(crate) mod error;
pub(crate) mod interrupt;
pub(crate) mod memory;
pub(crate) mod numpy_api;
