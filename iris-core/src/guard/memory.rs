//! Memory that is asked for before it is taken.
//!
//! Rust ends the process where an allocation fails. What a file or a caller decides the size of is therefore asked for first,
//! in a way that may fail, and given back at once; what is taken afterwards is there unless other threads took it in between.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use tract_onnx::prelude::{DatumType, TValue, Tensor};

use crate::error::{Error, ErrorKind, Result};
use crate::guard::budget;

/// What is asked for beyond what is needed, so that many small requests are one: a microsecond for each of them.
const AHEAD: usize = 1 << 20;
/// What an allocator keeps beside each string, and what it rounds up to.
const PER_TEXT: usize = size_of::<String>() + 32;

thread_local! {
    /// What has been asked for and not been needed yet. A process has as much when it begins.
    static GRANTED: Cell<usize> = const { Cell::new(AHEAD) };
}

/// How many threads help others at this moment to answer batches: each may ask for as much, and be granted it before the
/// others take theirs. A process that was forked meanwhile goes on with the count, and asks for more than it needs.
static HELPING: AtomicUsize = AtomicUsize::new(0);

/// Counts helpers until it is dropped.
pub(crate) struct Helped(usize);

impl Helped {
    pub(crate) fn by(n_helpers: usize) -> Self {
        HELPING.fetch_add(n_helpers, Ordering::Relaxed);
        Self(n_helpers)
    }
}

impl Drop for Helped {
    fn drop(&mut self) {
        HELPING.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// Checks that there are `bytes` of memory, for each thread that may ask for as many at the same moment.
pub(crate) fn ask(bytes: usize) -> Result<()> {
    let granted = GRANTED.get();
    if bytes <= granted {
        GRANTED.set(granted - bytes);
        return Ok(());
    }
    let n_threads = HELPING.load(Ordering::Relaxed).saturating_add(1);
    let room: Vec<u8> = vec(bytes.saturating_add(AHEAD).saturating_mul(n_threads))?;
    // Compilers drop allocations that nobody uses.
    std::hint::black_box(&room);
    GRANTED.set(AHEAD);
    Ok(())
}

/// An empty vector with room for `len` elements.
pub(crate) fn vec<T>(len: usize) -> Result<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(len)
        .map_err(|_| out_of_memory(len.saturating_mul(size_of::<T>())))?;
    Ok(room)
}

/// Adds to a vector whose length a file or a caller decides, within what a run may make.
pub(crate) fn push<T>(all: &mut Vec<T>, element: T) -> Result<()> {
    if all.len() == all.capacity() {
        let bytes = all.len().saturating_mul(2 * size_of::<T>());
        budget::check_bytes(bytes)?;
        all.try_reserve(1).map_err(|_| out_of_memory(bytes))?;
    }
    all.push(element);
    Ok(())
}

/// Checks that texts of these lengths may be made, and that there is memory for them.
pub(crate) fn ask_for_texts(lens: impl Iterator<Item = usize>) -> Result<()> {
    let add = |sum: usize, len: usize| sum.saturating_add(len).saturating_add(PER_TEXT);
    let bytes = lens.fold(0, add);
    budget::check_bytes(bytes)?;
    ask(bytes)
}

/// As [`ask_for_texts`], for a copy of all texts that a node is given.
pub(crate) fn ask_for_inputs(inputs: &[TValue]) -> Result<()> {
    for input in inputs {
        if let Some(texts) = texts(input) {
            ask_for_copies(texts)?;
        }
    }
    Ok(())
}

/// As [`ask_for_texts`], for a copy of each of `texts`.
pub(crate) fn ask_for_copies(texts: &[String]) -> Result<()> {
    ask_for_texts(texts.iter().map(String::len))
}

/// The strings of a tensor, if it is one of strings.
pub(crate) fn texts(tensor: &Tensor) -> Option<&[String]> {
    if tensor.datum_type() != DatumType::String {
        return None;
    }
    tensor.as_plain_ram()?.as_slice().ok()
}

/// As [`ask_for_texts`], for `texts` that broadcast to `len` of them: each comes as often as the others.
pub(crate) fn ask_for_broadcast(texts: &[String], len: usize) -> Result<()> {
    let times = len / texts.len().max(1);
    ask_for_texts(texts.iter().map(|text| {
        let bytes = text.len().saturating_add(PER_TEXT);
        bytes.saturating_mul(times)
    }))
}

/// A copy of `elements`; of texts it is for the caller to ask first.
pub(crate) fn copied<T: Clone>(elements: &[T]) -> Result<Vec<T>> {
    let mut copy = vec(elements.len())?;
    copy.extend_from_slice(elements);
    Ok(copy)
}

fn out_of_memory(bytes: usize) -> Error {
    Error::new(
        ErrorKind::OutOfMemory,
        format!("there are no {bytes} bytes of memory"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_is_an_error() {
        const TOO_MUCH: usize = 1 << 60;
        for error in [
            ask(TOO_MUCH).expect_err("too much"),
            vec::<u64>(TOO_MUCH).expect_err("too much"),
            ask_for_texts([TOO_MUCH].into_iter()).expect_err("too much"),
        ] {
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
        }
        for bytes in [0, 1, AHEAD, AHEAD, 2 * AHEAD, 1] {
            assert!(ask(bytes).is_ok(), "{bytes}");
        }
        let error = budget::running(100, || ask_for_texts([50, 50].into_iter()));
        let error = error.expect_err("more than 100 bytes");
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    }

    #[test]
    fn vectors_grow_within_the_limit() {
        let grown = budget::running(1 << 10, || {
            let mut all = vec![];
            (0..1 << 10).try_for_each(|number: u64| push(&mut all, number))
        });
        let error = grown.expect_err("8 KiB");
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    }
}
