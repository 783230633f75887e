//! The function on AWS Lambda: events from the Runtime API.

use std::convert::Infallible;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::handler::Handler;
use crate::shutdown;

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

/// Answers events until the process is asked to end.
///
/// # Errors
/// If the Runtime API cannot be talked to.
pub(crate) async fn run(handler: Arc<Handler>) -> Result<(), Error> {
    let runtime = Runtime::new(service_fn(|event: LambdaEvent<RawEvent>| {
        let response = handler.handle(&event.context.request_id, event.payload.bytes());
        std::future::ready(Ok::<_, Infallible>(response))
    }));
    tokio::select! {
        ended = runtime.run() => ended,
        () = shutdown::asked() => Ok(()),
    }
}
