//! The threads that help callers to answer large batches: one pool for all models of a process.
//!
//! Models may ask for any number of threads: a call takes as many helpers from the pool as it may have, so the pool is
//! made anew only where a call may have more than any before. A forked process has none of its parent's threads, and finds
//! the parent's locks as they were at that moment, perhaps held by a thread that it does not have: it never touches them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Processes in one line of forks that have helpers, if each answers large batches before it forks the next; those after
/// them answer alone. Servers fork their workers once or twice.
const MOST_FORKS: usize = 64;
/// More threads than processors gain nothing, but a container's share of a processor is rounded down to whole ones.
const THREADS_A_PROCESSOR: usize = 2;

/// The helpers of the process of this id, once it has asked for some.
struct Owned {
    process: AtomicU32,
    helpers: Mutex<Helpers>,
}

struct Helpers {
    /// The largest number a call asked for, not all of which may be there.
    asked: usize,
    pool: Option<Arc<ThreadPool>>,
}

/// No process has this id.
const NOBODY: u32 = 0;

static HELPERS: [Owned; MOST_FORKS] = [const {
    Owned {
        process: AtomicU32::new(NOBODY),
        helpers: Mutex::new(Helpers {
            asked: 0,
            pool: None,
        }),
    }
}; MOST_FORKS];

/// A pool of at least `wanted` helpers, or of as many as can be had; `None` if that is not even one.
pub(crate) fn pool(wanted: usize) -> Option<Arc<ThreadPool>> {
    let process = std::process::id();
    let is_ours = |owned: &&Owned| {
        let owner = &owned.process;
        match owner.compare_exchange(NOBODY, process, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => true,
            Err(owner) => owner == process,
        }
    };
    // Whoever holds this lock is a thread of this process, and so goes on.
    let helpers = &HELPERS.iter().find(is_ours)?.helpers;
    let mut helpers = helpers.lock().unwrap_or_else(PoisonError::into_inner);
    if helpers.asked < wanted {
        helpers.grow(wanted);
    }
    helpers.pool.clone()
}

impl Helpers {
    /// Makes a pool of `wanted` threads, or of twice as many as there are, so that models that ask for one more each do not
    /// have it made anew each. Calls that have the one before end on that.
    fn grow(&mut self, wanted: usize) {
        let before = self.pool.as_ref().map_or(0, |p| p.current_num_threads());
        let processors = available_parallelism().map_or(1, usize::from);
        let most = processors.saturating_mul(THREADS_A_PROCESSOR);
        let mut n_threads = wanted.max(2 * before).min(most);
        self.asked = wanted;
        while n_threads > before {
            let made = ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .thread_name(|index| format!("iris-core {index}"))
                .build();
            if let Ok(pool) = made {
                self.pool = Some(Arc::new(pool));
                return;
            }
            // The system gives no more threads: fewer are better than none.
            n_threads /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pool_whatever_number_is_asked_for() {
        let all = pool(usize::MAX).expect("a thread can be had");
        let processors = available_parallelism().map_or(1, usize::from);
        assert!(all.current_num_threads() <= processors * THREADS_A_PROCESSOR);
        for wanted in [1, 3, 10_000, 2] {
            let same = pool(wanted).expect("there is one");
            assert!(Arc::ptr_eq(&all, &same), "{wanted}");
        }
    }

    #[test]
    fn a_lock_of_another_process_is_not_touched() {
        let ours = std::process::id();
        pool(1);
        let owners = || HELPERS.iter().map(|o| o.process.load(Ordering::Relaxed));
        assert_eq!(owners().filter(|&owner| owner == ours).count(), 1);
        assert!(owners().all(|owner| [ours, NOBODY].contains(&owner)));
    }
}
