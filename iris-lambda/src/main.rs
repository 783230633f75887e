//! Serves an ONNX model: as an AWS Lambda function, or over HTTP where there is no Lambda runtime.
//!
//! The modules stand in layers, each above those that it imports: `serve` gets events and sends answers, `handler` answers
//! one, `event` reads it, `reply` writes the answer, `observe` logs it. `tests/layers.rs` holds them to that.
//!
//! | variable | says |
//! |---|---|
//! | `AWS_LAMBDA_RUNTIME_API` | set by Lambda; without it the local HTTP server runs |
//! | `AWS_LAMBDA_MAX_CONCURRENCY` | set on managed instances: how many events come at once |
//! | `IRIS_MODEL` | the ONNX file to serve instead of the embedded iris model |
//! | `IRIS_METRICS` | `emf` adds a line of CloudWatch metrics for each event to the log |
//! | `PORT`, `IRIS_HOST` | where the local server listens, `8080` and `0.0.0.0` if not said |
//! | `RUST_LOG` | what is logged, such as `warn` or `iris_lambda=debug`; else `AWS_LAMBDA_LOG_LEVEL`, else `info` |

mod error;
mod event;
mod handler;
mod observe;
mod python_json;
mod reply;
mod serve;
mod served_model;
mod settings;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use crate::handler::Handler;
use crate::observe::logging;
use crate::observe::metrics::Metrics;
use crate::serve::{http, lambda};

fn main() -> ExitCode {
    logging::start();
    let status = match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = error::chain(&*error), "cannot go on");
            ExitCode::FAILURE
        }
    };
    logging::finish();
    status
}

/// Serves until the process is asked to end.
fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let is_lambda = settings::get("AWS_LAMBDA_RUNTIME_API").is_some();
    let is_concurrent = !is_lambda || lambda::concurrency() > 1;
    let runtime = runtime(is_concurrent)?;
    let handler = match handler() {
        Ok(handler) => Arc::new(handler),
        Err(error) => {
            if is_lambda {
                runtime.block_on(lambda::report_start_error(error.clone()));
            }
            return Err(error.into());
        }
    };
    if is_concurrent {
        logging::write_aside();
    }
    let ended = if is_lambda {
        runtime.block_on(lambda::run(handler))
    } else {
        runtime.block_on(http::run(handler))
    };
    // Computations that still go on are not waited for: the loops above have waited as long as they want to.
    runtime.shutdown_background();
    ended
}

/// The handler, with the model and metrics that the environment asks for.
fn handler() -> Result<Handler, String> {
    Ok(Handler::new(
        served_model::load()?,
        Metrics::from_settings()?,
    ))
}

/// The runtime: one thread where one event comes after the other, and one for each processor where many come at once.
fn runtime(is_concurrent: bool) -> std::io::Result<Runtime> {
    let mut builder = if is_concurrent {
        Builder::new_multi_thread()
    } else {
        Builder::new_current_thread()
    };
    builder.enable_all().build()
}
