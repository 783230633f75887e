//! The function behind a local HTTP server, where there is no Lambda runtime.
//!
//! | route | does |
//! |---|---|
//! | `POST /2015-03-31/functions/function/invocations` | takes an event, answers the response object, as AWS's runtime interface emulator |
//! | `POST` anywhere else | does as API Gateway's REST API in front of the function |
//! | `OPTIONS` there | permits pages of other origins to ask |
//! | `GET /health` | tells what is served |

mod body;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::handler::Handler as _;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::handler::Handler;
use crate::response::{CONTENT_TYPE, error_body};
use crate::{error, settings, shutdown};

const HEALTH: &str = "/health";
const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";
const DEFAULT_PORT: u16 = 8080;

/// How long requests under way may take to end once the process is asked to.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until the process is asked to end.
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
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(error = error.to_string(), "cannot set TCP_NODELAY");
        }
    });
    let function = Arc::new(Function {
        handler,
        requests: AtomicU64::new(0),
    });
    let server = axum::serve(listener, answer.with_state(function))
        .with_graceful_shutdown(shutdown::asked());
    tokio::select! {
        ended = server.into_future() => ended?,
        () = async { shutdown::asked().await; tokio::time::sleep(GRACE).await } => {
            tracing::warn!("ended with requests under way");
        }
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

struct Function {
    handler: Arc<Handler>,
    requests: AtomicU64,
}

impl Function {
    fn next_request_id(&self) -> String {
        let n = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        format!("local-{n}")
    }
}

/// Answers a request. There is no router: for three routes it would cost more than it saves.
async fn answer(State(function): State<Arc<Function>>, request: Request) -> Response {
    let (Parts { method, uri, .. }, body) = request.into_parts();
    match (uri.path(), &method) {
        (HEALTH, &Method::GET | &Method::HEAD) => json(StatusCode::OK, function.handler.health()),
        (HEALTH, _) => not_allowed(&method, "GET, HEAD"),
        (INVOCATIONS, &Method::POST) => match body::read(body).await {
            Ok(event) => invoke(&function, &event),
            Err(error) => refuse(&error),
        },
        (INVOCATIONS, _) => not_allowed(&method, "POST"),
        (_, &Method::POST | &Method::OPTIONS) => match body::read(body).await {
            Ok(body) => predict(&function, &method, &body),
            Err(error) => refuse(&error),
        },
        _ => not_allowed(&method, "POST"),
    }
}

fn invoke(function: &Function, event: &[u8]) -> Response {
    let response = function.handler.handle(&function.next_request_id(), event);
    json(StatusCode::OK, response.to_json())
}

fn predict(function: &Function, method: &Method, body: &[u8]) -> Response {
    let id = function.next_request_id();
    let answer = function.handler.handle_http(&id, method.as_str(), body);
    let headers = answer.headers();
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn not_allowed(method: &Method, allowed: &'static str) -> Response {
    let error = error::Error::refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not allowed here, only {allowed}"),
    );
    ([(header::ALLOW, allowed)], refuse(&error)).into_response()
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
    json(status, error_body(error))
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response()
}
