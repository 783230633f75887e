//! How a model is loaded.

use std::num::NonZero;

/// What a model file may ask for; a file over a limit is refused with
/// [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest file, in bytes.
    pub file_bytes: usize,
    /// The largest number of nodes, those of nested graphs included.
    pub nodes: usize,
}

impl Default for Limits {
    /// 2 GiB, which is protobuf's own limit, and a million nodes.
    fn default() -> Self {
        Self {
            file_bytes: 1 << 31,
            nodes: 1_000_000,
        }
    }
}

/// How a model is loaded.
///
/// ```
/// let mut options = iris_core::LoadOptions::default();
/// options.limits.file_bytes = 1 << 20;
/// let error = iris_core::Model::from_bytes_with(&[0; 1 << 21], &options).unwrap_err();
/// assert_eq!(error.kind(), iris_core::ErrorKind::LimitExceeded);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// What the file may ask for.
    pub limits: Limits,
    /// How many threads may answer one batch: 1 unless set. More are used only where a batch is large enough to gain by
    /// them, and where each row can be answered by itself; answers are the same.
    pub threads: NonZero<usize>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            threads: NonZero::<usize>::MIN,
        }
    }
}
