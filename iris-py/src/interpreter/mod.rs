//! What calls need of the interpreter whatever they are about: exceptions, signals, NumPy's interface, memory.

pub(crate) mod error;
pub(crate) mod interrupt;
pub(crate) mod memory;
pub(crate) mod numpy_api;
