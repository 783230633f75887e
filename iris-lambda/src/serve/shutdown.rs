//! The signals that end the process.

use std::time::Duration;

/// How long what is under way may take to end once the process is asked to: half of the 10 s after which container engines
/// kill it.
const GRACE: Duration = Duration::from_secs(5);

/// Waits until the process must not go on: until [`GRACE`] has passed since it was asked to end, or it is asked again.
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

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
