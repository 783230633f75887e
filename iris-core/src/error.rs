//! The crate's error: a kind to match on, a message to read, and what caused it.

use std::fmt;
use std::sync::Arc;

/// This crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, for code that has to decide what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file could not be read.
    Io,
    /// The bytes are not an ONNX model.
    Parse,
    /// The bytes are an ONNX model whose graph is not valid.
    InvalidModel,
    /// The model needs an operator, or a version of one, that this crate does not have.
    UnsupportedOperator,
    /// An operator's attribute has a wrong type, length or value.
    InvalidAttribute,
    /// The model exceeds one of [`Limits`](crate::Limits).
    LimitExceeded,
    /// What the caller gave does not fit the model.
    InvalidInput,
    /// The model has no output of the kind that was asked for.
    MissingOutput,
    /// The model failed while it ran.
    Run,
}

/// An error of loading or running a model.
///
/// The message starts with the culprit: the node, attribute, input, row or column at fault.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
            source: None,
        }
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Puts the culprit's name before the message.
    pub(crate) fn within(mut self, culprit: impl fmt::Display) -> Self {
        self.message = format!("{culprit}: {}", self.message);
        self
    }

    pub(crate) fn input(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn keeps_kind_message_and_source() {
        let error = Error::new(ErrorKind::Io, "cannot read model.onnx")
            .with_source(std::io::Error::other("disk on fire"))
            .within("loading");
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.to_string(), "loading: cannot read model.onnx");
        assert_eq!(
            error.source().expect("source is kept").to_string(),
            "disk on fire"
        );
    }
}
