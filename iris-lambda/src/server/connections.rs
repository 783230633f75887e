//! Connections: how many there may be, and how long each may take for what.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::Function;
use super::body::SMALL_BYTES;
use super::writing::TimedWrites;

/// What clients may take of the server.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Connections at once. Further ones wait in the listener's queue, which is the kernel's, for one of these to end.
    pub(super) connections: usize,
    /// From the connection to the end of the head of its first request.
    pub(super) first_head: Duration,
    /// From one answer to the end of the head of the next request, the time in between among it.
    pub(super) next_head: Duration,
    /// From the end of the head to the end of the body.
    pub(super) body: Duration,
    /// For the client to take an answer.
    pub(super) answer: Duration,
    /// Requests at once whose bodies are not small.
    pub(super) large_bodies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // With heads and small bodies of 64 KiB each, these take 250 MiB at the very most.
            connections: 2000,
            // Who connects has something to ask, and a head has a few hundred bytes.
            first_head: Duration::from_secs(30),
            // A load balancer of AWS and nginx end connections that are idle for 60 s. It has to be they who do: what they
            // send on a connection that ends just then is lost, and their client told 502. The rest is for delays.
            next_head: Duration::from_secs(72),
            // The largest body, of 6 MiB, comes in that time at 1.7 megabits a second; so does the largest answer go.
            body: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            // A body of 6 MiB, its numbers and their answer are 18 MiB: these take 300 MiB.
            large_bodies: 16,
        }
    }
}

/// How long to wait when a connection cannot be accepted: something has to end first, such as others that hold all file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often that is logged at most: often enough to see how long it lasts, and no flood.
const ACCEPT_LOG_PAUSE: Duration = Duration::from_secs(10);

/// Serves connections until `asked_to_end` is over, and then until those that there are have their answers.
pub(super) async fn serve(
    listener: TcpListener,
    function: Arc<Function>,
    limits: &Limits,
    asked_to_end: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &connections, &function, limits) => {}
        () = asked_to_end => {}
    }
    drop(listener);
    connections.shutdown().await;
}

/// Accepts connections for ever.
async fn accept(
    listener: &TcpListener,
    connections: &GracefulShutdown,
    function: &Arc<Function>,
    limits: &Limits,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.next_head)
        // Of a head, or of a body between two looks at it.
        .max_buf_size(SMALL_BYTES);
    let mut logged: Option<Instant> = None;
    loop {
        // The semaphore is never closed, so that there is a permit.
        let place = Arc::clone(&places).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // The client has gone before it came to its turn.
            Err(error) if is_client_s(&error) => continue,
            Err(error) => {
                if logged.is_none_or(|at| at.elapsed() >= ACCEPT_LOG_PAUSE) {
                    tracing::error!(error = error.to_string(), "cannot accept connections");
                    logged = Some(Instant::now());
                }
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = Connection {
            stream,
            http: http.clone(),
            function: Arc::clone(function),
            limits: limits.clone(),
            watcher: connections.watcher(),
        };
        tokio::spawn(async move {
            connection.serve().await;
            drop(place);
        });
    }
}

fn is_client_s(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

struct Connection {
    stream: TcpStream,
    http: http1::Builder,
    function: Arc<Function>,
    limits: Limits,
    watcher: Watcher,
}

impl Connection {
    async fn serve(self) {
        let Self {
            stream,
            http,
            function,
            limits,
            watcher,
        } = self;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = error.to_string(), "cannot set TCP_NODELAY");
        }
        let stream = TimedWrites::new(TokioIo::new(stream), limits.answer);
        let has_asked = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&has_asked);
        let service = service_fn(move |request| {
            asks.store(true, Ordering::Relaxed);
            let function = Arc::clone(&function);
            async move { Ok::<_, Infallible>(function.answer(request).await) }
        });
        let served = watcher.watch(http.serve_connection(stream, service));
        let asks_late = async {
            sleep(limits.first_head).await;
            if has_asked.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            served = served => if let Err(error) = served {
                tracing::debug!(error = crate::error::chain(&error), "a connection has ended early");
            },
            () = asks_late => tracing::debug!("a connection has ended without a request"),
        }
    }
}

#[cfg(test)]
mod tests;
