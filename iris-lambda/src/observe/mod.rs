//! The log of the function, and the metrics in it.

pub(crate) mod log_line;
pub(crate) mod logging;
pub(crate) mod metrics;
