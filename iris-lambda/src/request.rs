//! Requests: Lambda events, and the bodies inside them.
//!
//! | event | has |
//! |---|---|
//! | direct | `values`, and `proba` beside it |
//! | body only | `body`, a string of JSON that has them |
//! | REST API (v1) | `body`, and `requestContext` |
//! | HTTP API (v2), Function URL | `body`, and `requestContext.http` |
//! | ALB | `body`, `requestContext.elb`, and `headers` or else `multiValueHeaders` |

use std::borrow::Cow;
use std::fmt::Display;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess};

use crate::error::{Error, Result};
use crate::json::{Glimpse, Read, Reading};
use crate::response::Shape;
use crate::trace::Trace;
use crate::values::{ReadValues, Values};

/// The largest event or body, in bytes: Lambda's own limit on what goes in and on what comes out.
pub(crate) const MAX_BYTES: usize = 6 * 1024 * 1024;

/// What a caller asks.
#[derive(Debug, Default)]
pub(crate) struct Request {
    values: Option<Values>,
    /// Whether probabilities are wanted beside labels.
    pub(crate) proba: bool,
}

impl Request {
    /// The values to predict from.
    pub(crate) fn into_values(self) -> Result<Values> {
        self.values.ok_or_else(Error::missing_values)
    }
}

/// An event: a request, or a body that holds one.
#[derive(Debug, Default)]
pub(crate) struct Event<'a> {
    direct: Request,
    body: Option<Cow<'a, str>>,
    is_base64: bool,
    method: Method,
    context: Option<RequestContext>,
    has_multi_value_headers: bool,
}

#[derive(Debug, Default)]
struct RequestContext {
    is_alb: bool,
    /// HTTP API (v2) and Function URL say it here, the others beside the body.
    method: Option<Method>,
}

/// What the methods of HTTP that we tell apart ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Method {
    Get,
    Options,
    #[default]
    Other,
}

impl Method {
    fn new(name: &str) -> Self {
        match name {
            "GET" | "HEAD" => Self::Get,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }
}

/// What a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asked {
    Prediction,
    /// What is served. A load balancer's health check is such a request: a GET without a body.
    Health,
    /// Whether a page of another origin may ask.
    Preflight,
}

impl<'a> Event<'a> {
    /// Reads an event for a model that takes rows of `n_features` numbers, if it fixes that.
    pub(crate) fn parse(text: &'a [u8], n_features: Option<usize>) -> Result<Self> {
        parse(text, Part::Event, n_features)
    }

    /// The event that a REST API would make of an HTTP request.
    pub(crate) fn of_http(method: &str, body: &'a [u8]) -> Result<Self> {
        let body = str::from_utf8(body).map_err(|_| not_text())?;
        Ok(Self {
            body: (!body.is_empty()).then_some(body.into()),
            method: Method::new(method),
            context: Some(RequestContext::default()),
            ..Self::default()
        })
    }

    /// What the response has to look like.
    pub(crate) fn shape(&self) -> Shape {
        match &self.context {
            None => Shape::Bare,
            Some(context) if context.is_alb => Shape::LoadBalancer {
                multi_value_headers: self.has_multi_value_headers,
            },
            Some(context) if context.method.is_some() => Shape::HttpApi,
            Some(_) => Shape::RestApi,
        }
    }

    /// What is asked for; whoever sends no HTTP asks for predictions.
    pub(crate) fn asked(&self) -> Asked {
        let Some(context) = &self.context else {
            return Asked::Prediction;
        };
        let has_body = self.body.as_ref().is_some_and(|body| !body.is_empty());
        match context.method.unwrap_or(self.method) {
            Method::Options => Asked::Preflight,
            Method::Get if !has_body => Asked::Health,
            _ => Asked::Prediction,
        }
    }

    /// The request: the body's if there is one, else the event's own.
    pub(crate) fn request(self, n_features: Option<usize>) -> Result<Request> {
        let Some(body) = self.body else {
            return Ok(self.direct);
        };
        let decoded;
        let body = if self.is_base64 {
            decoded = BASE64_STANDARD
                .decode(body.as_bytes())
                .map_err(|error| Error::bad_request(format!("body: not valid base64: {error}")))?;
            str::from_utf8(&decoded).map_err(|_| not_text())?
        } else {
            &*body
        };
        if body.len() > MAX_BYTES {
            return Err(Error::too_large());
        }
        Ok(parse(body.as_bytes(), Part::Body, n_features)?.direct)
    }
}

fn not_text() -> Error {
    Error::bad_request("body: not valid UTF-8")
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Event,
    Body,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Body => "body",
        }
    }
}

fn parse(text: &[u8], part: Part, n_features: Option<usize>) -> Result<Event<'_>> {
    if text.trim_ascii().is_empty() {
        return Ok(Event::default());
    }
    let mut trace = Trace::default();
    let mut json = serde_json::Deserializer::from_slice(text);
    Reading(ReadEvent {
        trace: &mut trace,
        part,
        n_features,
    })
    .deserialize(&mut json)
    .and_then(|event| json.end().map(|()| event))
    .map_err(|error| trace.explain(&error, part.name(), text))
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Values,
    Proba,
    Body,
    IsBase64Encoded,
    HttpMethod,
    RequestContext,
    MultiValueHeaders,
    #[serde(other)]
    Other,
}

struct ReadEvent<'t> {
    trace: &'t mut Trace,
    part: Part,
    n_features: Option<usize>,
}

impl ReadEvent<'_> {
    fn stop<E: de::Error>(&mut self, key: impl Display, expected: &str, got: &Glimpse<'_>) -> E {
        self.trace.stop(format_args!(
            "{key}: expected {expected}, got {}",
            got.kind()
        ))
    }

    fn read_bool<'de, A: MapAccess<'de>>(
        &mut self,
        key: &str,
        entries: &mut A,
    ) -> std::result::Result<bool, A::Error> {
        match entries.next_value()? {
            Glimpse::Bool(value) => Ok(value),
            got => Err(self.stop(key, "true or false", &got)),
        }
    }
}

impl<'de> Read<'de> for ReadEvent<'_> {
    type Out = Event<'de>;

    fn other<E: de::Error>(mut self, got: Glimpse<'de>) -> std::result::Result<Event<'de>, E> {
        match got {
            Glimpse::Null if self.part == Part::Body => Ok(Event::default()),
            got => Err(self.stop(self.part.name(), "an object with values", &got)),
        }
    }

    fn object<A: MapAccess<'de>>(
        mut self,
        mut entries: A,
    ) -> std::result::Result<Event<'de>, A::Error> {
        let mut event = Event::default();
        while let Some(key) = entries.next_key()? {
            match key {
                Key::Values => {
                    let values = ReadValues {
                        trace: &mut *self.trace,
                        n_features: self.n_features,
                    };
                    event.direct.values = entries.next_value_seed(Reading(values))?;
                }
                Key::Proba => event.direct.proba = self.read_bool("proba", &mut entries)?,
                Key::Body if self.part == Part::Event => {
                    event.body = match entries.next_value()? {
                        Glimpse::Null => None,
                        Glimpse::String(body) => Some(body),
                        got => return Err(self.stop("body", "a string of JSON", &got)),
                    }
                }
                Key::IsBase64Encoded if self.part == Part::Event => {
                    event.is_base64 = self.read_bool("isBase64Encoded", &mut entries)?;
                }
                Key::HttpMethod if self.part == Part::Event => {
                    event.method = entries.next_value_seed(Reading(ReadMethod))?;
                }
                Key::RequestContext if self.part == Part::Event => {
                    event.context = entries.next_value_seed(Reading(ReadContext))?;
                }
                Key::MultiValueHeaders if self.part == Part::Event => {
                    event.has_multi_value_headers =
                        matches!(entries.next_value()?, Glimpse::Object);
                }
                _ => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(event)
    }
}

#[derive(Deserialize, PartialEq)]
#[serde(field_identifier, rename_all = "camelCase")]
enum ContextKey {
    Elb,
    Http,
    #[serde(other)]
    Other,
}

struct ReadContext;

impl<'de> Read<'de> for ReadContext {
    type Out = Option<RequestContext>;

    fn other<E: de::Error>(self, _: Glimpse<'de>) -> std::result::Result<Self::Out, E> {
        Ok(None)
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Self::Out, A::Error> {
        let mut context = RequestContext::default();
        while let Some(key) = entries.next_key()? {
            match key {
                ContextKey::Http => {
                    context.method = Some(entries.next_value_seed(Reading(ReadHttp))?);
                }
                key => {
                    context.is_alb |= key == ContextKey::Elb;
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some(context))
    }
}

struct ReadMethod;

impl<'de> Read<'de> for ReadMethod {
    type Out = Method;

    fn other<E: de::Error>(self, got: Glimpse<'de>) -> std::result::Result<Method, E> {
        Ok(match got {
            Glimpse::String(name) => Method::new(&name),
            _ => Method::Other,
        })
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum HttpKey {
    Method,
    #[serde(other)]
    Other,
}

/// Reads `requestContext.http`.
struct ReadHttp;

impl<'de> Read<'de> for ReadHttp {
    type Out = Method;

    fn other<E: de::Error>(self, _: Glimpse<'de>) -> std::result::Result<Method, E> {
        Ok(Method::Other)
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Method, A::Error> {
        let mut method = Method::Other;
        while let Some(key) = entries.next_key()? {
            match key {
                HttpKey::Method => method = entries.next_value_seed(Reading(ReadMethod))?,
                HttpKey::Other => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iris_core::Rows;

    fn read(event: &str) -> Result<(Shape, Request)> {
        let event = Event::parse(event.as_bytes(), Some(1))?;
        Ok((event.shape(), event.request(Some(1))?))
    }

    #[test]
    fn finds_the_request_and_whom_to_answer() {
        let bare = Shape::Bare;
        let rest = Shape::RestApi;
        let http = Shape::HttpApi;
        let alb = Shape::LoadBalancer {
            multi_value_headers: false,
        };
        let alb_multi = Shape::LoadBalancer {
            multi_value_headers: true,
        };
        let cases = [
            ("", bare, None),
            (" \n", bare, None),
            ("{}", bare, None),
            (r#"{"values": null}"#, bare, None),
            (r#"{"values": [[1]]}"#, bare, Some(1.0)),
            (
                r#"{"values": [[1]], "other": {"values": 5}}"#,
                bare,
                Some(1.0),
            ),
            (
                r#"{"values": [[1]], "body": null, "requestContext": null}"#,
                bare,
                Some(1.0),
            ),
            (
                r#"{"values": [[1]], "body": "{\"values\": [[2]]}"}"#,
                bare,
                Some(2.0),
            ),
            (r#"{"body": null}"#, bare, None),
            (r#"{"body": ""}"#, bare, None),
            (r#"{"body": "null"}"#, bare, None),
            (
                r#"{"body": "{\"body\": 5, \"values\": [[1]]}"}"#,
                bare,
                Some(1.0),
            ),
            (
                r#"{"body": "eyJ2YWx1ZXMiOiBbWzNdXX0=", "isBase64Encoded": true}"#,
                bare,
                Some(3.0),
            ),
            (
                r#"{"body": "{\"values\": [[4]]}", "requestContext": {}}"#,
                rest,
                Some(4.0),
            ),
            (
                r#"{"requestContext": {"http": {}}, "multiValueHeaders": {}}"#,
                http,
                None,
            ),
            (
                r#"{"requestContext": {"elb": {}}, "headers": {}}"#,
                alb,
                None,
            ),
            (
                r#"{"requestContext": {"elb": {}}, "multiValueHeaders": {}}"#,
                alb_multi,
                None,
            ),
            (
                r#"{"multiValueHeaders": null, "requestContext": {"elb": {}}}"#,
                alb,
                None,
            ),
        ];
        for (text, shape, value) in cases {
            let (got, request) = read(text).expect("it is an event");
            assert_eq!(got, shape, "{text}");
            let got = request.into_values().ok().map(|values| values.get(0, 0));
            assert_eq!(got, value, "{text}");
        }
    }

    #[test]
    fn tells_what_a_method_asks_for() {
        let cases = [
            (r#"{"httpMethod": "GET"}"#, Asked::Prediction),
            (r#"{"httpMethod": "OPTIONS"}"#, Asked::Prediction),
            (r#"{"requestContext": {}}"#, Asked::Prediction),
            (
                r#"{"requestContext": {}, "httpMethod": null}"#,
                Asked::Prediction,
            ),
            (
                r#"{"requestContext": {"http": 7}, "httpMethod": 7}"#,
                Asked::Prediction,
            ),
            (
                r#"{"requestContext": {"http": {"path": "/", "method": "POST"}}}"#,
                Asked::Prediction,
            ),
            (
                r#"{"requestContext": {}, "httpMethod": "GET", "body": "{}"}"#,
                Asked::Prediction,
            ),
            (
                r#"{"requestContext": {}, "httpMethod": "GET", "body": ""}"#,
                Asked::Health,
            ),
            (
                r#"{"requestContext": {"http": {"method": "HEAD"}}}"#,
                Asked::Health,
            ),
            (
                r#"{"requestContext": {"http": {"method": "OPTIONS", "path": "/"}}, "body": "{"}"#,
                Asked::Preflight,
            ),
            (
                r#"{"httpMethod": "OPTIONS", "requestContext": {"elb": {}}}"#,
                Asked::Preflight,
            ),
        ];
        for (text, asked) in cases {
            let event = Event::parse(text.as_bytes(), Some(1)).expect("it is an event");
            assert_eq!(event.asked(), asked, "{text}");
        }
    }

    #[test]
    fn an_http_request_is_an_event_of_a_rest_api() {
        let cases: [(&str, &[u8], Asked); 4] = [
            ("POST", b"{\"values\": [[1]]}", Asked::Prediction),
            ("POST", b"", Asked::Prediction),
            ("GET", b"", Asked::Health),
            ("OPTIONS", b"{", Asked::Preflight),
        ];
        for (method, body, asked) in cases {
            let event = Event::of_http(method, body).expect("it is text");
            assert_eq!(event.shape(), Shape::RestApi);
            assert_eq!(event.asked(), asked, "{method}");
        }
        let event = Event::of_http("POST", b"{\"values\": [[1]]}").expect("it is text");
        let request = event.request(Some(1)).expect("it is a request");
        assert_eq!(request.into_values().expect("it has values").get(0, 0), 1.0);
        let error = Event::of_http("POST", b"\xff").expect_err("it is not text");
        assert_eq!(error.message, "body: not valid UTF-8");
    }

    #[test]
    fn refuses_a_body_that_is_too_large() {
        for (size, status) in [(MAX_BYTES, None), (MAX_BYTES + 1, Some(413))] {
            let event = format!(r#"{{"body": "{}{{}}"}}"#, " ".repeat(size - 2));
            let error = read(&event).map(|_| ()).err();
            assert_eq!(error.map(|error| error.status.as_u16()), status, "{size}");
        }
    }

    #[test]
    fn gives_probabilities_where_they_are_wanted() {
        let cases = [
            ("{}", false),
            (r#"{"values": [[1]], "proba": false}"#, false),
            (r#"{"values": [[1]], "proba": true}"#, true),
            (r#"{"proba": true, "values": [[1]]}"#, true),
            (r#"{"body": "{\"proba\": true}"}"#, true),
            (r#"{"body": "{}", "proba": true}"#, false),
        ];
        for (text, proba) in cases {
            let (_, request) = read(text).expect("it is an event");
            assert_eq!(request.proba, proba, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("[]", "event: expected an object with values, got a list"),
            ("null", "event: expected an object with values, got null"),
            (
                "\"x\"",
                "event: expected an object with values, got a string",
            ),
            (
                "{",
                "event: not valid JSON: EOF while parsing an object at line 1 column 1",
            ),
            (
                "{} {}",
                "event: not valid JSON: trailing characters at line 1 column 4",
            ),
            (
                r#"{"proba": 1}"#,
                "proba: expected true or false, got a number",
            ),
            (
                r#"{"proba": null}"#,
                "proba: expected true or false, got null",
            ),
            (
                r#"{"isBase64Encoded": "true"}"#,
                "isBase64Encoded: expected true or false, got a string",
            ),
            (
                r#"{"body": {"values": [[1]]}}"#,
                "body: expected a string of JSON, got an object",
            ),
            (
                r#"{"body": "[[1]]"}"#,
                "body: expected an object with values, got a list",
            ),
            (
                r#"{"body": "{\"proba\": \"x\"}"}"#,
                "proba: expected true or false, got a string",
            ),
            (
                r#"{"body": "values=1"}"#,
                "body: not valid JSON: expected value at line 1 column 1",
            ),
            (
                r#"{"body": "{\"values\": [[NaN]]}"}"#,
                "row 0, column 0: NaN is not a finite number",
            ),
            (
                r#"{"body": "{}", "isBase64Encoded": true}"#,
                "body: not valid base64: Invalid symbol 123, offset 0.",
            ),
            (
                r#"{"body": "/w==", "isBase64Encoded": true}"#,
                "body: not valid UTF-8",
            ),
        ];
        for (event, expected) in cases {
            let error = read(event).map(|_| ()).expect_err(event);
            assert_eq!(error.message, expected, "{event}");
            assert_eq!(error.status, 400);
        }
        assert_eq!(
            Event::parse(b"{\"\xff\": 1}", None)
                .map(|_| ())
                .expect_err("not UTF-8")
                .status,
            400
        );
    }
}
