//! Signals that ask the process to end, and how long it may take to do so.

use std::time::Duration;

/// The time that requests under way have to end once the process is asked to end: half of the 10 s after which container
/// engines kill it.
const GRACE: Duration = Duration::from_secs(5);

/// Waits until the process must end at once: when [`GRACE`] has passed since it was asked to end, or when it is asked again.
pub(crate) async fn overdue() {
    asked().await;
    tokio::select! {
        () = tokio::time::sleep(GRACE) => {}
        () = asked() => {}
    }
}

/// Waits until the process is asked to end, by SIGTERM or ctrl-c.
pub(crate) async fn asked() {
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

/// Waits for SIGTERM; for ever, where that cannot be waited for.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::warn!(error = error.to_string(), "cannot listen to SIGTERM");
            std::future::pending::<()>().await;
        }
    }
}

/// Waits for ever, since there is no SIGTERM here.
#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
