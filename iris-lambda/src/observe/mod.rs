//! What the function tells of itself while it runs: its log, and the metrics in it.

pub(crate) mod log_line;
pub(crate) mod logging;
pub(crate) mod metrics;
