//! Connections of the local server: accepts as many as there may be, and ends those whose clients take too long.

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

use crate::error;
use crate::serve::http::limits::{Limits, SMALL_BYTES};
use crate::serve::http::routes::Routes;
use crate::serve::http::timed_writes::TimedWrites;

/// The pause after a connection cannot be accepted: something has to end first, such as connections that hold all file
/// descriptors. Any pause does that is too short to notice and too long to keep a processor busy.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The least time between two lines of the log about connections that cannot be accepted: one line for some 200 pauses, so
/// that the log says how long it lasts and is not flooded.
const ACCEPT_LOG_PAUSE: Duration = Duration::from_secs(10);

/// Serves connections until `asked_to_end` is over, and then until requests under way are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Arc<Routes>,
    limits: &Limits,
    asked_to_end: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &connections, &routes, limits) => {}
        () = asked_to_end => {}
    }
    drop(listener);
    connections.shutdown().await;
}

/// Accepts connections for ever.
async fn accept(
    listener: &TcpListener,
    connections: &GracefulShutdown,
    routes: &Arc<Routes>,
    limits: &Limits,
) {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.next_head)
        // The largest head, and the most of a body that is there before the body is looked at.
        .max_buf_size(SMALL_BYTES);
    let mut logged: Option<Instant> = None;
    loop {
        // The semaphore is never closed, so that this is always a permit.
        let permit = Arc::clone(&permits).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // The client has gone before its turn came.
            Err(error) if is_clients_fault(&error) => continue,
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
            routes: Arc::clone(routes),
            limits: limits.clone(),
            watcher: connections.watcher(),
        };
        tokio::spawn(async move {
            connection.serve().await;
            drop(permit);
        });
    }
}

/// Whether a connection was not accepted because its client has ended it.
fn is_clients_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// One accepted connection, with what it takes to serve it.
struct Connection {
    stream: TcpStream,
    http: http1::Builder,
    routes: Arc<Routes>,
    limits: Limits,
    watcher: Watcher,
}

impl Connection {
    async fn serve(self) {
        let Self {
            stream,
            http,
            routes,
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
            let routes = Arc::clone(&routes);
            async move { Ok::<_, Infallible>(routes.answer(request).await) }
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
                tracing::debug!(error = error::chain(&error), "a connection has ended early");
            },
            () = asks_late => tracing::debug!("a connection has ended without a request"),
        }
    }
}
