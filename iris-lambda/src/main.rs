//! Serves an ONNX model: as an AWS Lambda function, or over HTTP where there is no Lambda runtime.
//!
//! | variable | says |
//! |---|---|
//! | `AWS_LAMBDA_RUNTIME_API` | set by Lambda; without it the local HTTP server runs |
//! | `IRIS_MODEL` | the ONNX file to serve instead of the embedded iris model |
//! | `PORT`, `IRIS_HOST` | where the local server listens, `8080` and `0.0.0.0` if not said |
//! | `RUST_LOG` | what is logged, such as `warn` or `iris_lambda=debug`; else `AWS_LAMBDA_LOG_LEVEL`, else `info` |

mod error;
mod handler;
mod health;
mod json;
mod lambda;
mod logging;
mod model;
mod prediction;
mod proxy;
mod python_json;
mod request;
mod response;
mod server;
mod settings;
mod shutdown;
mod trace;
mod values;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use handler::Handler;

fn main() -> ExitCode {
    logging::start();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = error::chain(&*error), "cannot go on");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let served = model::load()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if settings::get("AWS_LAMBDA_RUNTIME_API").is_some() {
        runtime.block_on(lambda::run(Arc::new(Handler::new(served.model))))
    } else {
        runtime.block_on(server::run(served))
    }
}
