//! The log: one JSON object a line, on standard error, which Lambda and container engines collect as they do standard output.
//!
//! On Lambda each thread writes its lines at once, so that none is lost when Lambda stops the process between events. Where
//! many requests are answered at once, lines go to a queue, and a thread of its own writes them: no answer waits for a slow
//! reader of the log.

use std::fs::File;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{mem, thread};

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

/// The most bytes that may wait to be written: some 5,000 lines of 200 bytes. If nobody reads them, further lines are dropped
/// and counted.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// The time for which lines are gathered between two writes: short enough that nobody sees lines come later, and long enough
/// that the thread is not woken for each line, which costs more than to write one.
const GATHERING: Duration = Duration::from_millis(5);

/// The longest that the end of the process waits for the last lines to be written. With a reader they take next to
/// no time; without one, half a second is little of the 10 s that container engines leave to an ending process.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Starts the thread that writes the lines from now on.
pub(crate) fn write_aside() {
    let queue = Arc::new(Queue::default());
    let writing = Arc::clone(&queue);
    let thread = thread::Builder::new().name("log".into());
    match thread.spawn(move || writing.write_lines()) {
        // The queue is set once, since this is called once.
        Ok(_) => drop(QUEUE.set(queue)),
        Err(error) => tracing::warn!(error = error.to_string(), "no thread for the log"),
    }
}

/// Waits until all lines are written, but no longer than [`LAST_LINES`].
pub(crate) fn finish() {
    if let Some(queue) = QUEUE.get() {
        let is_busy = |lines: &mut Waiting| lines.is_writing || !lines.bytes.is_empty();
        let _ = queue
            .changed
            .wait_timeout_while(queue.lock(), LAST_LINES, is_busy);
    }
}

/// The queue of the thread that writes, once there is one.
static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// Lines that wait to be written.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    n_dropped: u64,
    is_writing: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A thread that panicked with the lock left nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.bytes.len() + line.len() > MAX_WAITING_BYTES {
            waiting.n_dropped += 1;
            return;
        }
        let was_empty = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line);
        drop(waiting);
        if was_empty {
            self.changed.notify_all();
        }
    }

    /// Writes the lines that come, for ever, as many at once as there are.
    fn write_lines(&self) -> ! {
        let mut bytes = Vec::new();
        loop {
            let waiting = self.lock();
            let waiting = self
                .changed
                .wait_while(waiting, |lines| lines.bytes.is_empty());
            let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
            mem::swap(&mut bytes, &mut waiting.bytes);
            let n_dropped = mem::take(&mut waiting.n_dropped);
            waiting.is_writing = true;
            drop(waiting);
            write_now(&bytes);
            bytes.clear();
            if n_dropped > 0 {
                tracing::warn!(
                    lines = n_dropped,
                    "lines were dropped that nobody read in time"
                );
            }
            self.lock().is_writing = false;
            self.changed.notify_all();
            thread::sleep(GATHERING);
        }
    }
}

/// Standard error, if there is one, without the lock that `std` has around it. With the lock, threads that answer at once would
/// wait for one another; the kernel keeps apart what each writes by one call.
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

/// The writer for the lines of `tracing`, which come by one call each.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a line, which has its line break, now or by way of the queue.
pub(crate) fn write(line: &[u8]) {
    match QUEUE.get() {
        Some(queue) => queue.push(line),
        None => write_now(line),
    }
}

fn write_now(bytes: &[u8]) {
    if let Some(mut file) = STANDARD_ERROR.as_ref() {
        // Where the log cannot be written, there is no other place to say so.
        let _ = file.write_all(bytes);
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(error = panic.payload_as_str(), place, "panicked");
}
