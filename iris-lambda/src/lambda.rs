//! The function on AWS Lambda: events from the Runtime API.

use std::convert::Infallible;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::handler::Handler;
use crate::{settings, shutdown};

/// An event as it came, even if it is not JSON: the handler is to answer that too.
struct RawEvent(Option<Box<RawValue>>);

impl<'de> Deserialize<'de> for RawEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::deserialize(deserializer).ok()))
    }
}

impl RawEvent {
    fn bytes(&self) -> &[u8] {
        // What could not be read is gone; any text that is not JSON leads to the same answer.
        self.0.as_ref().map_or(b"?", |json| json.get().as_bytes())
    }
}

/// How many events Lambda may send at once: more than one on managed instances alone.
pub(crate) fn concurrency() -> usize {
    let limit = settings::get("AWS_LAMBDA_MAX_CONCURRENCY").and_then(|limit| limit.parse().ok());
    limit.unwrap_or(1)
}

/// Answers events until the process is asked to end, as many at once as Lambda sends.
///
/// # Errors
/// If the Runtime API cannot be talked to.
pub(crate) async fn run(handler: Arc<Handler>) -> Result<(), Error> {
    let runtime = Runtime::new(service_fn(move |event: LambdaEvent<RawEvent>| {
        let response = handler.handle(&event.context.request_id, event.payload.bytes());
        std::future::ready(Ok::<_, Infallible>(response))
    }));
    tokio::select! {
        ended = runtime.run_concurrent() => ended,
        () = shutdown::asked() => Ok(()),
    }
}
