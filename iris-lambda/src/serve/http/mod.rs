//! The function behind a local HTTP server, where there is no Lambda runtime.
//!
//! From the socket to the handler: `connections` accepts clients and ends slow ones, `routes` says what answers which path,
//! `body` reads what a client sends. The `limits` hold for all of them.

mod body;
mod connections;
mod limits;
mod routes;
mod timed_writes;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::handler::Handler;
use crate::serve::http::limits::Limits;
use crate::serve::http::routes::Routes;
use crate::serve::shutdown;
use crate::settings;

/// The port where `PORT` names none: the one on which containers of AWS's runtime interface emulator listen.
const DEFAULT_PORT: u16 = 8080;

/// Serves until the process is asked to end, and then until requests under way are answered.
///
/// # Errors
/// If `PORT` or `IRIS_HOST` cannot be understood or listened on.
pub(crate) async fn run(handler: Arc<Handler>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let address = address()?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = listener.local_addr()?;
    tracing::info!(%address, model = handler.name(), "listening");
    let limits = Limits::default();
    let routes = Arc::new(Routes::new(handler, &limits));
    tokio::select! {
        () = connections::serve(listener, routes, &limits, shutdown::asked()) => {}
        () = shutdown::overdue() => tracing::warn!("ended with requests under way"),
    }
    Ok(())
}

/// The address to listen on, as `IRIS_HOST` and `PORT` say.
fn address() -> Result<SocketAddr, String> {
    let host =
        settings::get("IRIS_HOST").map_or(Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), |host| {
            host.parse()
                .map_err(|_| format!("IRIS_HOST: expected an IP address, got {host:?}"))
        })?;
    let port = settings::get("PORT").map_or(Ok(DEFAULT_PORT), |port| {
        port.parse()
            .map_err(|_| format!("PORT: expected a number from 0 to 65535, got {port:?}"))
    })?;
    Ok(SocketAddr::new(host, port))
}

#[cfg(test)]
mod tests;
