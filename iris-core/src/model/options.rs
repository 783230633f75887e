//! How a model is loaded.

use std::num::NonZero;

use crate::error::{Error, ErrorKind, Result};

/// What a model file may ask for, and what may be made of it and of what it is given; what is over a limit is refused with
/// [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded), and a message that names the limit and its value, before
/// memory is taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest file, in bytes.
    pub file_bytes: usize,
    /// The largest number of nodes, those of nested graphs included, and those of functions at each call of them.
    pub nodes: usize,
    /// How deep graphs may lie within graphs.
    pub depth: usize,
    /// The largest number of values in one attribute.
    pub attribute_len: usize,
    /// The largest constant, in bytes.
    pub tensor_bytes: usize,
    /// All constants together, in bytes.
    pub constant_bytes: usize,
    /// What may be made of the file in memory while it is loaded beyond what lies in it: by sparse constants, functions called
    /// often, and nodes whose inputs are constants; and by reading it, beyond 16 times what the file is, since lists of short
    /// words and small numbers take about that much; in bytes.
    pub load_bytes: usize,
    /// How often planning may look at a node.
    pub planning_steps: u64,
    /// What a call may make, in bytes, besides the copy of it that the caller is given, however little it is given; more if it
    /// is given many rows, see [`row_bytes`](Self::row_bytes).
    pub run_bytes: usize,
    /// What a call may make for each row it is given, in bytes, if that is more than [`run_bytes`](Self::run_bytes) and the
    /// file leaves open how many rows there are.
    pub row_bytes: usize,
    /// How often the body of one loop may run in a call.
    pub loop_trips: usize,
}

impl Default for Limits {
    /// 2 GiB for a file, which is protobuf's own limit, and its constants; a million nodes in at most 16 graphs within each
    /// other; 2²⁸ values in an attribute; 64 MiB more than the file while it is loaded, in 10 million steps; for a call
    /// 96 MiB, or 1 MiB a row, and 16 million trips of a loop.
    fn default() -> Self {
        Self {
            file_bytes: 1 << 31,
            nodes: 1_000_000,
            depth: 16,
            attribute_len: 1 << 28,
            tensor_bytes: 1 << 31,
            constant_bytes: 1 << 31,
            load_bytes: 64 << 20,
            planning_steps: 10_000_000,
            run_bytes: 96 << 20,
            row_bytes: 1 << 20,
            loop_trips: 1 << 24,
        }
    }
}

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
            /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) if there is no such limit, or if it cannot be as
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
