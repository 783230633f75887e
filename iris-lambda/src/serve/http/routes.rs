//! The routes of the local server: which method and path leads to which answer.
//!
//! | route | does |
//! |---|---|
//! | `POST /2015-03-31/functions/function/invocations` | takes an event, answers the response object, as AWS's runtime interface emulator |
//! | `POST` anywhere else | does as API Gateway's REST API in front of the function |
//! | `OPTIONS` anywhere but on the two fixed paths | permits pages of other origins to ask |
//! | `GET /health` | tells what is served |

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};

use crate::error::Error;
use crate::handler::Handler;
use crate::reply::response::{CONTENT_TYPE, error_body};
use crate::serve::http::body::{Bodies, Received};
use crate::serve::http::limits::Limits;
use crate::serve::processors::Processors;

const HEALTH: &str = "/health";
const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";

type Response = hyper::Response<Full<Bytes>>;

/// Answers requests, on whatever connection they come.
pub(crate) struct Routes {
    handler: Arc<Handler>,
    processors: Processors,
    bodies: Bodies,
    /// How many requests became events so far.
    n_events: AtomicU64,
}

impl Routes {
    /// The routes to a handler, with bodies of requests within `limits`.
    pub(crate) fn new(handler: Arc<Handler>, limits: &Limits) -> Self {
        Self {
            handler,
            processors: Processors::default(),
            bodies: Bodies::new(limits),
            n_events: AtomicU64::new(0),
        }
    }

    /// An id for the log, as Lambda gives one to each event.
    fn next_request_id(&self) -> String {
        let n = self.n_events.fetch_add(1, Ordering::Relaxed) + 1;
        format!("local-{n}")
    }

    /// Answers a request. There is no router: for three routes it would cost more than it saves.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response {
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

    /// Answers an event with the whole response object.
    async fn invoke(&self, event: Received) -> Response {
        let id = self.next_request_id();
        let handle = || self.handler.handle(&id, &event.bytes).to_json();
        let response = self.processors.run(event.bytes.len(), handle).await;
        json(StatusCode::OK, event.room.hold(response))
    }

    /// Answers a request with the status, headers and body that the response object has.
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
    let mut response = refuse(&Error::refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not allowed here, only {allowed}"),
    ));
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

/// Answers a request that never becomes an event.
fn refuse(error: &Error) -> Response {
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
