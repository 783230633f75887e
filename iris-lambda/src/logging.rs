//! Logs: one JSON object a line, on standard error, which is not buffered: a line is one write, and none is lost with
//! the process. Lambda and container engines collect it as they do standard output.

use std::panic::PanicHookInfo;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings;

/// Starts logging, panics included.
pub(crate) fn start() {
    let wanted = settings::get("RUST_LOG").or_else(|| settings::get("AWS_LAMBDA_LOG_LEVEL"));
    let filter = wanted.as_deref().map(str::parse::<Targets>).transpose();
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(lines)
        .with(match &filter {
            Ok(Some(targets)) => targets.clone(),
            Ok(None) | Err(_) => Targets::new().with_default(LevelFilter::INFO),
        })
        .init();
    if let Err(error) = filter {
        tracing::warn!(
            error = error.to_string(),
            filter = wanted,
            "bad log filter, using info"
        );
    }
    std::panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(error = panic.payload_as_str(), place, "panicked");
}
