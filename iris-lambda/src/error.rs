//! Errors of a request: whose fault each is, what the caller is told of it, and what is logged.
//!
//! A fault of the caller has a status of 4xx and a message that says where to look. A fault of ours has the status 500; its
//! message says nothing of the inside, and the log has the detail.

use std::any::Any;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hyper::StatusCode;
use iris_core::ErrorKind;

use crate::settings::MAX_BYTES;

/// A request that was not answered as asked.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) status: StatusCode,
    /// The text that the caller is told.
    pub(crate) message: String,
    /// The text for the log, where the log is told more than the caller.
    detail: Option<String>,
}

/// The result of a step of a request.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A fault of the caller, with a message that says where it is.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::refusal(StatusCode::BAD_REQUEST, message)
    }

    /// A fault of the caller, with the status that names its kind.
    pub(crate) fn refusal(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            detail: None,
        }
    }

    /// The error of a caller who sends more than [`MAX_BYTES`].
    pub(crate) fn too_large() -> Self {
        Self::refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("body: larger than {MAX_BYTES} bytes"),
        )
    }

    /// The error of a request without values to predict from. The text is the original function's.
    pub(crate) fn missing_values() -> Self {
        Self::bad_request("Missing input values.")
    }

    /// A fault of ours; `detail` is for the log alone.
    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: "internal error".into(),
            detail: Some(detail.into()),
        }
    }

    /// The kind of error as one stable word, for the log and the metrics.
    pub(crate) fn class(&self) -> &'static str {
        match self.status {
            StatusCode::PAYLOAD_TOO_LARGE => "PayloadTooLarge",
            StatusCode::METHOD_NOT_ALLOWED => "MethodNotAllowed",
            status if status.is_server_error() => "InternalError",
            _ => "InvalidInput",
        }
    }

    /// The text for the log, with all that is known.
    pub(crate) fn log_message(&self) -> &str {
        self.detail.as_deref().unwrap_or(&self.message)
    }
}

impl From<iris_core::Error> for Error {
    fn from(error: iris_core::Error) -> Self {
        match error.kind() {
            // A model that predicts nothing is refused when it is loaded, so that an output is missing only because this
            // request asks for one that other models have, such as probabilities.
            ErrorKind::InvalidInput | ErrorKind::MissingOutput => {
                Self::bad_request(error.to_string())
            }
            _ => Self::internal(chain(&error)),
        }
    }
}

/// Runs a step of a request. A panic in it becomes a fault of ours, and ends nothing but the request.
pub(crate) fn caught<T>(step: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|panic| Err(Error::internal(panic_text(&*panic))))
}

/// The text that a panic was raised with.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("no message"))
}

/// The messages of an error and of all its causes, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        struct Case {
            panic: fn(),
            logged: &'static str,
        }
        let cases = [
            Case {
                panic: || panic!("out of luck"),
                logged: "panicked: out of luck",
            },
            Case {
                panic: || panic!("out of luck {}", 7),
                logged: "panicked: out of luck 7",
            },
            Case {
                panic: || std::panic::panic_any(7),
                logged: "panicked: no message",
            },
        ];
        for case in cases {
            let error = caught(|| {
                (case.panic)();
                Ok(())
            })
            .expect_err("it panics");
            assert_eq!(error.status, 500);
            assert_eq!(error.message, "internal error");
            assert_eq!(error.log_message(), case.logged);
        }
    }

    #[test]
    fn the_model_blames_the_input_or_itself() {
        let model = iris_core::Model::iris().expect("the embedded model loads");
        let error: Error = model
            .predict([[1.0, 2.0]])
            .expect_err("two features are too few")
            .into();
        assert_eq!(error.status, 400);
        let error: Error = iris_core::Model::from_bytes(b"no model")
            .expect_err("no model")
            .into();
        assert_eq!(error.status, 500);
        assert_eq!(error.message, "internal error");
        assert_ne!(error.log_message(), error.message);
    }
}
