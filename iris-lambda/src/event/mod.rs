//! Events: what Lambda hands to the function, and the request for predictions inside.
//!
//! | event | has |
//! |---|---|
//! | direct | `values`, and `proba` beside it |
//! | body only | `body`, a string of JSON that has them |
//! | REST API (v1) | `body`, and `requestContext` |
//! | HTTP API (v2), Function URL | `body`, and `requestContext.http` |
//! | ALB | `body`, `requestContext.elb`, and `headers` or else `multiValueHeaders` |

mod gateway;
mod json_reader;
mod position;
mod values;

use std::borrow::Cow;
use std::fmt::Display;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess};

use crate::error::{Error, Result};
use crate::event::gateway::{Method, ReadContext, ReadMethod, RequestContext};
use crate::event::json_reader::{Glimpse, Read, Reading};
use crate::event::position::Position;
use crate::event::values::{ReadValues, Values};
use crate::reply::response::Shape;
use crate::settings::MAX_BYTES;

/// A request for predictions.
#[derive(Debug, Default)]
pub(crate) struct Request {
    values: Option<Values>,
    /// Whether probabilities are wanted beside labels.
    pub(crate) proba: bool,
}

impl Request {
    /// The values to predict from.
    ///
    /// # Errors
    /// If the request has none.
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

/// The task that the caller asks the function for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asked {
    /// To predict.
    Prediction,
    /// To say what is served. A load balancer's health check is such a request: a GET without a body.
    Health,
    /// To say whether a page of another origin may ask.
    Preflight,
}

impl<'a> Event<'a> {
    /// Reads an event for a model that takes rows of `n_features` numbers, if the model fixes how many.
    ///
    /// # Errors
    /// If `text` is no event: the message says where it stops to be one.
    pub(crate) fn parse(text: &'a [u8], n_features: Option<usize>) -> Result<Self> {
        parse(text, Part::Event, n_features)
    }

    /// The event that a REST API would make of an HTTP request.
    ///
    /// # Errors
    /// If the body is not text.
    pub(crate) fn of_http(method: &str, body: &'a [u8]) -> Result<Self> {
        let body = str::from_utf8(body).map_err(|_| not_text())?;
        Ok(Self {
            body: (!body.is_empty()).then_some(body.into()),
            method: Method::new(method),
            context: Some(RequestContext::default()),
            ..Self::default()
        })
    }

    /// The shape of response that the sender of the event understands.
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

    /// The task that is asked for; an event that was no HTTP request asks for predictions.
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

    /// The request for predictions: the one in the body if there is a body, else the event's own.
    ///
    /// # Errors
    /// If the body is too large, or holds no request.
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

/// The kind of a text of JSON: the event, or the body in it.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Event,
    Body,
}

impl Part {
    /// The word that messages have for it.
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
    let mut position = Position::default();
    let mut json = serde_json::Deserializer::from_slice(text);
    Reading(ReadEvent {
        position: &mut position,
        part,
        n_features,
    })
    .deserialize(&mut json)
    .and_then(|event| json.end().map(|()| event))
    .map_err(|error| position.explain(&error, part.name(), text))
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

/// Reads an event, or a body, which has `values` and `proba` alone.
struct ReadEvent<'p> {
    position: &'p mut Position,
    part: Part,
    n_features: Option<usize>,
}

impl ReadEvent<'_> {
    /// Stops reading at the value of `key`, which is not what is expected there.
    fn stop<E: de::Error>(&mut self, key: impl Display, expected: &str, got: &Glimpse<'_>) -> E {
        self.position.stop(format_args!(
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
                        position: &mut *self.position,
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

#[cfg(test)]
mod tests;
