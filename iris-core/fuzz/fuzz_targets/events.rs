//! Any bytes as an event of the Lambda function, and as the body of a request to the local server.
#![no_main]
#![allow(dead_code, reason = "a part of iris-lambda's binary")]

#[path = "../../../iris-lambda/src/error.rs"]
mod error;
#[path = "../../../iris-lambda/src/event/mod.rs"]
mod event;
#[path = "../../../iris-lambda/src/handler.rs"]
mod handler;
#[path = "../../../iris-lambda/src/observe/mod.rs"]
mod observe;
#[path = "../../../iris-lambda/src/python_json.rs"]
mod python_json;
#[path = "../../../iris-lambda/src/reply/mod.rs"]
mod reply;
#[path = "../../../iris-lambda/src/served_model.rs"]
mod served_model;
#[path = "../../../iris-lambda/src/settings.rs"]
mod settings;

use std::sync::LazyLock;

use handler::Handler;
use iris_fuzz::watch;
use libfuzzer_sys::fuzz_target;

static HANDLER: LazyLock<Handler> = LazyLock::new(|| {
    Handler::new(
        served_model::load().expect("the embedded model loads"),
        None,
    )
});

fn start() {
    watch::start();
    LazyLock::force(&HANDLER);
}

fuzz_target!(init: start(), |bytes: &[u8]| {
    watch::watched(|| {
        for response in [
            HANDLER.handle("fuzz", bytes),
            HANDLER.handle_http("fuzz", "POST", bytes),
        ] {
            let status = response.status.as_u16();
            assert!(status < 500, "{status}: {}", response.body);
            let is_json = serde_json::from_str::<serde_json::Value>(&response.body).is_ok();
            assert!(is_json || response.body.is_empty(), "{}", response.body);
        }
    });
});
