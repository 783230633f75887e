//! How a model is loaded.

use std::num::NonZero;

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget::Limits;

/// Lets each limit be set by its name, for callers in other languages. A limit that is not listed does not compile: the
/// fields are taken apart one by one.
macro_rules! limits_by_name {
    ($($name:ident),* $(,)?) => {
        impl Limits {
            /// The names of all limits, which are those of the fields.
            pub const fn names() -> &'static [&'static str] {
                &[$(stringify!($name)),*]
            }

            /// Sets the limit called `name`.
            ///
            /// ```
            /// let mut limits = iris_core::Limits::default();
            /// limits.set("file_bytes", 1 << 20)?;
            /// assert_eq!(limits.file_bytes, 1 << 20);
            /// assert!(limits.set("files", 1).is_err());
            /// # Ok::<(), iris_core::Error>(())
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::InvalidInput`] if there is no such limit, or if it cannot be as
            /// large as `value` on this platform.
            pub fn set(&mut self, name: &str, value: u64) -> Result<()> {
                let Self { $($name),* } = self;
                match name {
                    $(stringify!($name) => *$name = value.try_into().map_err(|_| too_large(name, value))?,)*
                    _ => return Err(unknown(name)),
                }
                Ok(())
            }
        }
    };
}
limits_by_name!(
    file_bytes,
    nodes,
    depth,
    attribute_len,
    tensor_bytes,
    constant_bytes,
    load_bytes,
    planning_steps,
    run_bytes,
    row_bytes,
    loop_trips,
);

fn unknown(name: &str) -> Error {
    let names = Limits::names().join(", ");
    let message = format!("limits: {name:?} is none: expected {names}");
    Error::new(ErrorKind::InvalidInput, message)
}

fn too_large(name: &str, value: u64) -> Error {
    let message = format!("limits: {name}: {value} is more than this platform can count");
    Error::new(ErrorKind::InvalidInput, message)
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
