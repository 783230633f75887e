//! A client of Lambda's Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
//!
//! The HTTP client, its user agent, the types of bodies and of reports of errors come from the `lambda_runtime` crates.

use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::http::request::Builder;
use hyper::{Method, Response, StatusCode, Uri};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use lambda_runtime::streaming::Body;
use lambda_runtime::{Diagnostic, Error};
use lambda_runtime_api_client::{Client, build_request};

use crate::settings;

/// The header with the id of an event.
const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
/// The header that tells an answer in time from one to an event that is over; newer Runtime APIs send it.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";
/// The header with the kind of error in a report.
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

/// The largest head of an event, in which the caller's client context comes: more than the 6 MiB that a whole event may have.
const MAX_HEAD_BYTES: usize = 8 * 1024 * 1024;

/// The most that is read of the Runtime API's reply to an answer: Lambda's replies have less than 1 KiB.
const MAX_REPLY_BYTES: usize = 64 * 1024;

/// A client of the Runtime API.
pub(crate) struct RuntimeApi {
    client: Client,
}

/// An event to answer.
pub(crate) struct Event {
    pub(crate) address: Address,
    pub(crate) body: hyper::Result<Bytes>,
}

/// The address to which the answer to an event goes.
pub(crate) struct Address {
    /// The id of the event. It is empty where the event came without one, as from some emulators: AWS's clients in other
    /// languages answer such events, too.
    pub(crate) request_id: String,
    invocation_id: Option<HeaderValue>,
}

impl Address {
    /// The address in the headers of an event.
    fn of(headers: &HeaderMap) -> Self {
        let id = headers.get(REQUEST_ID).map(HeaderValue::as_bytes);
        Self {
            request_id: String::from_utf8_lossy(id.unwrap_or_default()).into_owned(),
            invocation_id: headers.get(INVOCATION_ID).cloned(),
        }
    }

    /// A request that sends an answer; `what` is the kind of answer, the last part of its path.
    fn request(&self, what: &str) -> Builder {
        let request = post(&format!("invocation/{}/{what}", self.request_id));
        match &self.invocation_id {
            Some(id) => request.header(INVOCATION_ID, id),
            None => request,
        }
    }
}

impl RuntimeApi {
    /// The Runtime API that `AWS_LAMBDA_RUNTIME_API` names.
    ///
    /// # Errors
    /// If the variable names no host.
    pub(crate) fn new() -> Result<Self, Error> {
        let name = settings::get("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
        let base = name
            .parse()
            .ok()
            .filter(|uri: &Uri| uri.authority().is_some());
        let base = base.ok_or_else(|| {
            format!("AWS_LAMBDA_RUNTIME_API: expected a host and a port, got {name:?}")
        })?;
        let client = legacy::Client::builder(TokioExecutor::new())
            .http1_max_buf_size(MAX_HEAD_BYTES)
            // A client context may have characters that no header may have; such a header is passed over.
            .http1_ignore_invalid_headers_in_responses(true)
            .build_http();
        Ok(Self {
            client: Client { base, client },
        })
    }

    /// Waits for an event.
    ///
    /// # Errors
    /// If the Runtime API gives none.
    pub(crate) async fn next_event(&self) -> Result<Event, Error> {
        let (parts, body) = self.get("invocation/next").await?.into_parts();
        Ok(Event {
            address: Address::of(&parts.headers),
            body: body.collect().await.map(Collected::to_bytes),
        })
    }

    /// Waits until the snapshot of this process is started again.
    ///
    /// # Errors
    /// If the Runtime API fails to say so.
    pub(crate) async fn wait_for_restore(&self) -> Result<(), Error> {
        self.get("restore/next").await.map(drop)
    }

    /// Sends the response to an event.
    ///
    /// # Errors
    /// If the Runtime API does not take it.
    pub(crate) async fn respond(&self, address: &Address, response: String) -> Result<(), Error> {
        self.send(address.request("response"), response.into())
            .await
    }

    /// Reports why an event has no response.
    ///
    /// # Errors
    /// If the Runtime API does not take the report.
    pub(crate) async fn fail(&self, address: &Address, message: String) -> Result<(), Error> {
        let request = address.request("error");
        self.send_error(request, "Runtime.InvalidEvent", message)
            .await
    }

    /// Reports why the function cannot start.
    ///
    /// # Errors
    /// If the Runtime API does not take the report.
    pub(crate) async fn fail_to_start(&self, message: String) -> Result<(), Error> {
        self.send_error(post("init/error"), "Runtime.InitError", message)
            .await
    }

    async fn get(&self, path: &str) -> Result<Response<Incoming>, Error> {
        let request = request(path).body(Body::empty())?;
        let reply = self.client.call(request).await?;
        match reply.status() {
            StatusCode::OK => Ok(reply),
            status => Err(rejection(status, reply.into_body()).await),
        }
    }

    async fn send_error(&self, request: Builder, kind: &str, message: String) -> Result<(), Error> {
        let report = Diagnostic {
            error_type: kind.into(),
            error_message: message,
        };
        let body = serde_json::to_vec(&report)?;
        self.send(request.header(ERROR_TYPE, kind), body.into())
            .await
    }

    async fn send(&self, request: Builder, body: Body) -> Result<(), Error> {
        let reply = self.client.call(request.body(body)?).await?;
        let (status, body) = (reply.status(), reply.into_body());
        if !status.is_success() {
            return Err(rejection(status, body).await);
        }
        // A connection is used again only if its reply was read to the end. The answer was taken, so that an error in
        // reading on is no error of it.
        let _ = Limited::new(body, MAX_REPLY_BYTES).collect().await;
        Ok(())
    }
}

fn request(path: &str) -> Builder {
    build_request().uri(format!("/2018-06-01/runtime/{path}"))
}

fn post(path: &str) -> Builder {
    request(path).method(Method::POST)
}

/// The error of a reply that is no success, such as the one to a response over Lambda's limit: its status and its text.
async fn rejection(status: StatusCode, body: Incoming) -> Error {
    match Limited::new(body, MAX_REPLY_BYTES).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            format!("{status}: {}", String::from_utf8_lossy(&body).trim()).into()
        }
        Err(_) => status.to_string().into(),
    }
}
