//! Logs: one JSON object a line, on standard error, which is not buffered: a line is one write, and none is lost with
//! the process. Lambda and container engines collect it as they do standard output.

use std::fs::File;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::sync::LazyLock;

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
        .with_writer(|| Lines);
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

/// Standard error, if there is one, without the lock that `std` has around it: threads that answer at once would wait for one
/// another while each tells the kernel, which keeps what they write apart by itself.
static STANDARD_ERROR: LazyLock<Option<File>> = LazyLock::new(|| standard_error().ok());

#[cfg(unix)]
fn standard_error() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn standard_error() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stderr().as_handle().try_clone_to_owned()?.into())
}

/// Where lines go.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &*STANDARD_ERROR {
            Some(file) => (&*file).write(line),
            None => Ok(line.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a line, with its end.
pub(crate) fn write(line: &str) {
    // There is nobody to tell that nobody can be told.
    let _ = Lines.write_all(line.as_bytes());
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(error = panic.payload_as_str(), place, "panicked");
}
