//! What is left of the limits of the model that this thread is planning or running.
//!
//! Operators are made and run by tract, which hands nothing of ours through; what they may do is therefore said beside it.

use std::cell::Cell;
use std::fmt;
use std::thread::LocalKey;

use smallvec::SmallVec;

use crate::error::{Error, ErrorKind, Result};
use crate::guard::memory;

/// More dimensions than any tensor has.
pub(crate) const MAX_RANK: usize = 64;

/// What is left to a model that is being planned.
#[derive(Clone, Copy)]
struct Left {
    /// What nodes whose inputs are constants may be made into, all together.
    folded: usize,
    all_folded: usize,
    steps: u64,
    all_steps: u64,
}

thread_local! {
    /// The largest tensor: of what no memory could hold, where nothing else is said.
    static BYTES: Cell<usize> = const { Cell::new(isize::MAX as usize) };
    /// Nothing, where no model is being planned.
    static LEFT: Cell<Option<Left>> = const { Cell::new(None) };
}

/// Puts back what was, however the call ends.
struct Restored<T: Copy + 'static>(&'static LocalKey<Cell<T>>, T);

impl<T: Copy> Drop for Restored<T> {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}

fn with<T: Copy, R>(key: &'static LocalKey<Cell<T>>, value: T, call: impl FnOnce() -> R) -> R {
    let _restored = Restored(key, key.replace(value));
    call()
}

/// Plans a graph whose constants are of `constant_bytes`.
pub(crate) fn planning<T>(limits: &Limits, constant_bytes: usize, call: impl FnOnce() -> T) -> T {
    // A constant may go through some nodes, each of which makes another of it.
    let all_folded = limits
        .load_bytes
        .saturating_add(constant_bytes.saturating_mul(8));
    let left = Left {
        folded: all_folded,
        all_folded,
        steps: limits.planning_steps,
        all_steps: limits.planning_steps,
    };
    // A constant may be turned around or converted to a wider type.
    let bytes = limits.load_bytes.max(constant_bytes.saturating_mul(2));
    with(&LEFT, Some(left), || with(&BYTES, bytes, call))
}

/// Runs a graph that may make tensors of `bytes`.
pub(crate) fn running<T>(bytes: usize, call: impl FnOnce() -> T) -> T {
    with(&BYTES, bytes, call)
}

/// Takes `steps` of the planning.
pub(crate) fn step(steps: usize) -> Result<()> {
    let Some(mut left) = LEFT.get() else {
        return Ok(());
    };
    let Some(rest) = left.steps.checked_sub(steps as u64) else {
        return Err(exceeded(
            "planning_steps",
            left.all_steps,
            "planning takes more steps",
        ));
    };
    left.steps = rest;
    LEFT.set(Some(left));
    Ok(())
}

/// Takes `bytes` that a node whose inputs are constants is about to make.
pub(crate) fn fold(bytes: usize) -> Result<()> {
    let Some(mut left) = LEFT.get() else {
        return Ok(());
    };
    let Some(rest) = left.folded.checked_sub(bytes) else {
        return Err(exceeded(
            "load_bytes",
            left.all_folded,
            "what nodes make of constants is larger",
        ));
    };
    left.folded = rest;
    LEFT.set(Some(left));
    Ok(())
}

/// Checks that a tensor of these dimensions, none of which may be negative, may be made.
///
/// Dimensions of 0 count as 1: what has no elements can still take long to go through.
pub(crate) fn check_tensor<D>(dims: impl IntoIterator<Item = D>, element: usize) -> Result<usize>
where
    D: Copy + TryInto<usize> + fmt::Display,
{
    let most = BYTES.get();
    let mut bytes = element.max(1);
    let mut shape = SmallVec::<[D; 8]>::new();
    let (mut is_possible, mut is_allowed) = (true, true);
    for dim in dims {
        if shape.len() == MAX_RANK {
            let message = format!("a tensor of more than {MAX_RANK} dimensions is not possible");
            return Err(Error::new(ErrorKind::InvalidModel, message));
        }
        shape.push(dim);
        let Ok(size) = dim.try_into() else {
            is_possible = false;
            continue;
        };
        let size: usize = size;
        match bytes.checked_mul(size.max(1)) {
            Some(product) if product <= most => bytes = product,
            _ => is_allowed = false,
        }
    }
    if is_possible && is_allowed {
        memory::ask(bytes)?;
        return Ok(bytes);
    }
    let shape: Vec<String> = shape.iter().map(D::to_string).collect();
    let shape = shape.join(", ");
    if !is_possible {
        let message = format!("a tensor of shape [{shape}] is not possible");
        return Err(Error::new(ErrorKind::InvalidModel, message));
    }
    Err(too_large(format_args!(
        "a tensor of shape [{shape}] is larger"
    )))
}

/// Checks that so much may be made at once.
pub(crate) fn check_bytes(bytes: usize) -> Result<()> {
    if bytes > BYTES.get() {
        return Err(too_large(format_args!("{bytes} bytes are more")));
    }
    Ok(())
}

fn too_large(what: fmt::Arguments<'_>) -> Error {
    let limit = match LEFT.get() {
        Some(_) => "load_bytes",
        None => "run_bytes",
    };
    exceeded(limit, BYTES.get(), what)
}

/// Checks how often a loop runs.
pub(crate) fn check_trips(trips: usize, most: usize) -> Result<()> {
    if trips > most {
        return Err(exceeded(
            "loop_trips",
            most,
            format!("a loop of {trips} trips is longer"),
        ));
    }
    Ok(())
}

/// The error of being over a limit: its name, its value, and what is more than that.
pub(crate) fn exceeded(limit: &str, value: impl fmt::Display, what: impl fmt::Display) -> Error {
    let message = format!("{what} than the limit {limit} of {value} allows");
    Error::new(ErrorKind::LimitExceeded, message)
}

/// What a model file may ask for, and what may be made of it and of what it is given; what is over a limit is refused with
/// [`ErrorKind::LimitExceeded`], and a message that names the limit and its value, before
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
            /// [`ErrorKind::InvalidInput`] if there is no such limit, or if it cannot be as large as `value` on this platform.
            pub fn set(&mut self, name: &str, value: u64) -> Result<()> {
                let Self { $($name),* } = self;
                match name {
                    $(stringify!($name) => *$name = value.try_into().map_err(|_| uncountable(name, value))?,)*
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

fn uncountable(name: &str, value: u64) -> Error {
    let message = format!("limits: {name}: {value} is more than this platform can count");
    Error::new(ErrorKind::InvalidInput, message)
}
