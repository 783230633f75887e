//! The function on AWS Lambda: a loop that asks for events and answers them.
//!
//! This loop takes the place of the one in `lambda_runtime`, which reads the client context and the Cognito identity of an event as
//! types that callers need not keep to, and ends at the first that differs. The loop here takes from an event only what its
//! answer needs, and goes on whatever is wrong with one event.

mod runtime_api;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Error;
use tokio::task::JoinSet;

use crate::error::chain;
use crate::handler::Handler;
use crate::serve::lambda::runtime_api::{Event, RuntimeApi};
use crate::serve::processors::Processors;
use crate::serve::shutdown;
use crate::settings;

/// How often in a row the Runtime API may fail to give an event. After the sixth time, 0.6 s after the first, the process ends
/// and Lambda starts another, which is the only cure for an API that is gone for good.
const MAX_FAILURES: u32 = 6;

/// The pause after the first failure to give an event. Each further pause is twice as long, so that the five pauses before the
/// sixth failure take 0.6 s in all.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// How many events Lambda may send at once: one, except on managed instances.
pub(crate) fn concurrency() -> usize {
    let limit = settings::get("AWS_LAMBDA_MAX_CONCURRENCY").and_then(|limit| limit.parse().ok());
    limit.unwrap_or(1)
}

/// Answers events, as many at once as Lambda sends, until the process is asked to end; events under way are answered first.
///
/// # Errors
/// If the Runtime API cannot be talked to.
pub(crate) async fn run(handler: Arc<Handler>) -> Result<(), Error> {
    if settings::get("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref() == Some("snap-start") {
        // No connection outlives the snapshot, so that the loop below has a client of its own.
        RuntimeApi::new()?.wait_for_restore().await?;
    }
    let worker = Worker {
        api: Arc::new(RuntimeApi::new()?),
        handler,
        processors: (concurrency() > 1).then(Arc::default),
    };
    tokio::select! {
        ended = worker.run_with_others() => ended,
        () = shutdown::overdue() => {
            tracing::warn!("ended with events under way");
            Ok(())
        }
    }
}

/// Answers one event after the other.
#[derive(Clone)]
struct Worker {
    api: Arc<RuntimeApi>,
    handler: Arc<Handler>,
    /// The processors that several workers share, so that none holds up the others; a single worker needs none.
    processors: Option<Arc<Processors>>,
}

impl Worker {
    /// Runs as many workers as Lambda sends events at once.
    async fn run_with_others(self) -> Result<(), Error> {
        if self.processors.is_none() {
            return self.run().await;
        }
        let mut workers = JoinSet::new();
        for _ in 0..concurrency() {
            workers.spawn(self.clone().run());
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Answers events until the process is asked to end, or none come any more.
    async fn run(self) -> Result<(), Error> {
        let mut asked_to_end = pin!(shutdown::asked());
        let mut failures = 0;
        loop {
            let event = tokio::select! {
                () = &mut asked_to_end => return Ok(()),
                event = self.api.next_event() => event,
            };
            match event {
                Ok(event) => {
                    failures = 0;
                    self.answer(event).await;
                }
                Err(error) => {
                    failures += 1;
                    if failures == MAX_FAILURES {
                        return Err(error);
                    }
                    tracing::warn!(error = chain(&*error), "no event came");
                    tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(failures - 1)).await;
                }
            }
        }
    }

    /// Answers an event. If Lambda does not take the answer, that can only be logged.
    async fn answer(&self, Event { address, body }: Event) {
        let sent = match body {
            Ok(body) => {
                let handle = || self.handler.handle(&address.request_id, &body).to_json();
                let response = match &self.processors {
                    Some(processors) => processors.run(body.len(), handle).await,
                    None => handle(),
                };
                self.api.respond(&address, response).await
            }
            Err(error) => {
                let message = format!("the event did not come to its end: {error}");
                self.api.fail(&address, message).await
            }
        };
        if let Err(error) = sent {
            tracing::error!(
                request_id = address.request_id,
                error = chain(&*error),
                "the answer was not taken"
            );
        }
    }
}

/// Tells Lambda, which tells the caller of the function, why the function cannot start.
pub(crate) async fn report_start_error(error: String) {
    let reported = async { RuntimeApi::new()?.fail_to_start(error).await };
    if let Err(error) = reported.await {
        tracing::warn!(
            error = chain(&*error),
            "the report of the error was not taken"
        );
    }
}
