//! Reads which gateway an event comes from, and the HTTP method that the gateway was asked with.
//!
//! REST APIs and load balancers say the method beside the body, as `httpMethod`; HTTP APIs and Function URLs say it in
//! `requestContext.http`. Load balancers alone have `requestContext.elb`.

use serde::Deserialize;
use serde::de::{Error, IgnoredAny, MapAccess};

use crate::event::json_reader::{Glimpse, Read, Reading};

/// The `requestContext` of an event.
#[derive(Debug, Default)]
pub(crate) struct RequestContext {
    /// Whether the gateway is an Application Load Balancer.
    pub(crate) is_alb: bool,
    /// The method, where the gateway says it here: an HTTP API (v2) or a Function URL.
    pub(crate) method: Option<Method>,
}

/// An HTTP method, as far as the function tells methods apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Method {
    /// GET, and HEAD, which differs only in what the gateway sends on.
    Get,
    Options,
    #[default]
    Other,
}

impl Method {
    /// The method that HTTP calls `name`.
    pub(crate) fn new(name: &str) -> Self {
        match name {
            "GET" | "HEAD" => Self::Get,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
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

/// Reads `requestContext`; a value that is no object says nothing of a gateway.
pub(crate) struct ReadContext;

impl<'de> Read<'de> for ReadContext {
    type Out = Option<RequestContext>;

    fn other<E: Error>(self, _: Glimpse<'de>) -> Result<Self::Out, E> {
        Ok(None)
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Out, A::Error> {
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

/// Reads the name of a method; a value that is no string is no method that the function knows.
pub(crate) struct ReadMethod;

impl<'de> Read<'de> for ReadMethod {
    type Out = Method;

    fn other<E: Error>(self, got: Glimpse<'de>) -> Result<Method, E> {
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

/// Reads `requestContext.http`, of which only the method matters.
struct ReadHttp;

impl<'de> Read<'de> for ReadHttp {
    type Out = Method;

    fn other<E: Error>(self, _: Glimpse<'de>) -> Result<Method, E> {
        Ok(Method::Other)
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<Method, A::Error> {
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
