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
    /// There is no memory for what the model makes, or for the answer.
    OutOfMemory,
    /// The model failed while it ran.
    Run,
    /// The caller wanted the call to end: see [`interruptible`](crate::interruptible).
    Interrupted,
}

/// An error of loading or running a model.
///
/// The message starts with the culprit: the node, attribute, input, row or column at fault.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Arc<Inner>);

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Source>,
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self(Arc::new(Inner {
            kind,
            message,
            source: None,
        }))
    }

    /// The same error, caused by `source`.
    pub(crate) fn with_source(self, source: impl Into<Source>) -> Self {
        let (kind, message) = (self.0.kind, self.0.message.clone());
        Self(Arc::new(Inner {
            kind,
            message,
            source: Some(source.into()),
        }))
    }

    /// Puts the culprit's name before the message.
    pub(crate) fn within(self, culprit: impl fmt::Display) -> Self {
        let (kind, message) = (self.0.kind, format!("{culprit}: {}", self.0.message));
        self.changed(kind, message)
    }

    /// The same message as an error of another kind.
    pub(crate) fn with_kind(self, kind: ErrorKind) -> Self {
        let message = self.0.message.clone();
        self.changed(kind, message)
    }

    /// Another error of the same cause.
    fn changed(self, kind: ErrorKind, message: String) -> Self {
        let source = match Arc::try_unwrap(self.0) {
            Ok(inner) => inner.source,
            Err(shared) => Some(Self(shared).into()),
        };
        Self(Arc::new(Inner {
            kind,
            message,
            source,
        }))
    }

    pub(crate) fn input(message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

/// An error about a node's inputs, found when the model is loaded.
pub(crate) fn invalid(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidModel, message)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

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
