//! Ends a long call where its caller asks for that.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// How long a caller who wants a call to end may have to wait before being asked.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
struct Asked {
    wants_to_end: fn() -> bool,
    /// When to ask next, if anything has been waited for.
    next: Option<Instant>,
}

thread_local! {
    static ASKED: Cell<Option<Asked>> = const { Cell::new(None) };
}

/// Puts back what was, however the call ends.
struct Restored(Option<Asked>);

impl Drop for Restored {
    fn drop(&mut self) {
        ASKED.set(self.0);
    }
}

/// Makes `call`, and asks `wants_to_end` now and then on this thread, where that is possible, whether to go on: between the
/// blocks of rows of a large batch, and between the nodes of a graph that tract runs. Where it is not to go on, the call
/// gives an error of kind [`ErrorKind::Interrupted`].
pub fn interruptible<T>(wants_to_end: fn() -> bool, call: impl FnOnce() -> T) -> T {
    let asked = Asked {
        wants_to_end,
        next: None,
    };
    let _restored = Restored(ASKED.replace(Some(asked)));
    call()
}

/// Whether to go on.
///
/// # Errors
/// [`ErrorKind::Interrupted`] if not.
pub(crate) fn check() -> Result<()> {
    let Some(asked) = ASKED.get() else {
        return Ok(());
    };
    let now = Instant::now();
    if asked.next.is_none_or(|next| now >= next) {
        let next = Some(now + PATIENCE);
        ASKED.set(Some(Asked { next, ..asked }));
        if asked.next.is_some() && (asked.wants_to_end)() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_where_it_is_asked_to() {
        assert!(check().is_ok());
        for wants_to_end in [|| true, || false] {
            let result = interruptible(wants_to_end, || {
                check().expect("nobody has waited yet");
                std::thread::sleep(PATIENCE);
                check()
            });
            let kind = result.map_err(|error| error.kind());
            let expected = if wants_to_end() {
                Err(ErrorKind::Interrupted)
            } else {
                Ok(())
            };
            assert_eq!(kind, expected);
        }
        assert!(check().is_ok());
    }
}
