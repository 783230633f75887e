//! The least that a Lambda function in Rust can be: what any function pays for its process and the runtime crate.

use std::convert::Infallible;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde::de::IgnoredAny;

fn main() -> Result<(), Error> {
    let function = |_: LambdaEvent<IgnoredAny>| std::future::ready(Ok::<_, Infallible>("done"));
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(Runtime::new(service_fn(function)).run())
}
