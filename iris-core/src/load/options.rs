//! How a model is loaded.

use std::num::NonZero;

use crate::guard::budget::Limits;

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
    /// Whether constants may lie in other files, which they may not unless this is set: files in the model's own folder or
    /// below it, no part of whose path is a link. Only [`Model::from_path_with`](crate::Model::from_path_with) knows of a
    /// folder.
    pub external_data: bool,
    /// How many threads may answer one batch: 1 unless set. More are used only where a batch is large enough to gain by
    /// them, and where each row can be answered by itself; answers are the same.
    pub threads: NonZero<usize>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            external_data: false,
            threads: NonZero::<usize>::MIN,
        }
    }
}
