//! The function behind a local HTTP server, where there is no Lambda runtime.
//!
//! | route | does |
//! |---|---|
//! | `POST /2015-03-31/functions/function/invocations` | takes an event, answers the response object, as AWS's runtime interface emulator |
//! | `POST` anywhere else | does as API Gateway's REST API in front of the function |
//! | `OPTIONS` there | permits pages of other origins to ask |
//! | `GET /health` | tells what is served |

mod body;
mod connections;
mod writing;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use tokio::net::TcpListener;

use crate::handler::Handler;
use crate::processors::Processors;
use crate::response::{CONTENT_TYPE, error_body};
use crate::{error, settings, shutdown};
use body::{Bodies, Received};
use connections::Limits;

const HEALTH: &str = "/health";
const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";
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
    let function = Arc::new(Function::new(handler, &limits));
    tokio::select! {
        () = connections::serve(listener, function, &limits, shutdown::asked()) => {}
        () = shutdown::overdue() => tracing::warn!("ended with requests under way"),
    }
    Ok(())
}

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

type Response = hyper::Response<Full<Bytes>>;

/// What answers requests, whatever connection they come on.
struct Function {
    handler: Arc<Handler>,
    processors: Processors,
    bodies: Bodies,
    requests: AtomicU64,
}

impl Function {
    fn new(handler: Arc<Handler>, limits: &Limits) -> Self {
        Self {
            handler,
            processors: Processors::default(),
            bodies: Bodies::new(limits),
            requests: AtomicU64::new(0),
        }
    }

    fn next_request_id(&self) -> String {
        let n = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        format!("local-{n}")
    }

    /// Answers a request. There is no router: for three routes it would cost more than it saves.
    async fn answer(&self, request: Request<Incoming>) -> Response {
        let (Parts { method, uri, .. }, body) = request.into_parts();
        match (uri.path(), &method) {
            (HEALTH, &Method::GET | &Method::HEAD) => {
                json(StatusCode::OK, self.handler.health().into())
            }
            (HEALTH, _) => not_allowed(&method, "GET, HEAD"),
            (INVOCATIONS, &Method::POST) => match self.bodies.read(body).await {
                Ok(event) => self.invoke(event).await,
                Err(error) => refuse(&error),
            },
            (INVOCATIONS, _) => not_allowed(&method, "POST"),
            (_, &Method::POST | &Method::OPTIONS) => match self.bodies.read(body).await {
                Ok(body) => self.predict(&method, body).await,
                Err(error) => refuse(&error),
            },
            _ => not_allowed(&method, "POST"),
        }
    }

    async fn invoke(&self, event: Received) -> Response {
        let id = self.next_request_id();
        let handle = || self.handler.handle(&id, &event.bytes).to_json();
        let response = self.processors.run(event.bytes.len(), handle).await;
        json(StatusCode::OK, event.room.hold(response))
    }

    async fn predict(&self, method: &Method, body: Received) -> Response {
        let id = self.next_request_id();
        let handle = || self.handler.handle_http(&id, method.as_str(), &body.bytes);
        let answer = self.processors.run(body.bytes.len(), handle).await;
        let headers = answer.headers();
        let mut response = Response::new(Full::new(body.room.hold(answer.body)));
        *response.status_mut() = answer.status;
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            response.headers_mut().insert(name, value);
        }
        response
    }
}

fn not_allowed(method: &Method, allowed: &'static str) -> Response {
    let mut response = refuse(&error::Error::refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not allowed here, only {allowed}"),
    ));
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

/// Answers a request that never becomes an event.
fn refuse(error: &error::Error) -> Response {
    let status = error.status;
    if status.is_server_error() {
        tracing::error!(
            status = status.as_u16(),
            error = error.log_message(),
            "failed"
        );
    } else {
        tracing::info!(
            status = status.as_u16(),
            error = error.log_message(),
            "refused"
        );
    }
    json(status, error_body(error).into())
}

fn json(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(CONTENT_TYPE);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
