//! Where requests are computed: the short ones on the thread that serves their connection, all others beside it.
//!
//! The threads that serve connections are as many as there are processors. While one of them computes, what else it serves
//! waits, and so may all that comes in: tokio leaves it to one of them to listen to the network. A request that takes
//! less than [`SHORT`] is worth that. For all others tokio goes on with its work on another thread, which costs some 20 µs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// What a request may take on the thread that serves its connection: so little that nobody notices who waits for it, so
/// much that the 20 µs of another thread are little beside it.
const SHORT: Duration = Duration::from_millis(1);

/// Requests of more bytes are never taken for short: to read their numbers alone takes a good part of [`SHORT`].
const LARGE_BYTES: usize = 64 * 1024;

/// Requests of fewer bytes count as of that many: what each request costs is not the cost of its few bytes.
const SMALL_BYTES: usize = 256;

/// The processors, to compute on. They measure what is computed, and expect of a request what others took for each byte.
pub(crate) struct Processors {
    /// One permit for each processor: more long computations at once would only take time from one another.
    free: Semaphore,
    /// The mean of late, in picoseconds; the largest number before the first request.
    picos_per_byte: AtomicU64,
}

impl Default for Processors {
    fn default() -> Self {
        // Where nobody knows how many there are, there is one.
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            free: Semaphore::new(count),
            picos_per_byte: AtomicU64::new(u64::MAX),
        }
    }
}

impl Processors {
    /// Does the work that a request of `n_bytes` asks for. Long work begins when a processor is free, first come, first
    /// served.
    pub(crate) async fn run<T>(&self, n_bytes: usize, work: impl FnOnce() -> T) -> T {
        let measured = || {
            let start = Instant::now();
            let done = work();
            self.learn(n_bytes, start.elapsed());
            done
        };
        if self.is_short(n_bytes) {
            return measured();
        }
        // The semaphore is never closed, so that this is always a permit.
        let _permit = self.free.acquire().await;
        tokio::task::block_in_place(measured)
    }

    fn is_short(&self, n_bytes: usize) -> bool {
        let picos = self.picos_per_byte.load(Ordering::Relaxed);
        n_bytes <= LARGE_BYTES && u128::from(picos) * counted(n_bytes) < SHORT.as_nanos() * 1000
    }

    /// Takes a request into account, by a 32nd: that much of a single delay by other processes, which may be some
    /// milliseconds, is little beside [`SHORT`], and that much of a slow model is not.
    fn learn(&self, n_bytes: usize, taken: Duration) {
        let picos = taken.as_nanos() * 1000 / counted(n_bytes);
        let picos = u64::try_from(picos).unwrap_or(u64::MAX);
        let mean = match self.picos_per_byte.load(Ordering::Relaxed) {
            u64::MAX => picos,
            mean => mean - mean / 32 + picos / 32,
        };
        // Of two requests at once, one may not count.
        self.picos_per_byte.store(mean, Ordering::Relaxed);
    }
}

fn counted(n_bytes: usize) -> u128 {
    n_bytes.max(SMALL_BYTES) as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_short_is_short() {
        struct Case {
            /// Bytes and micro-seconds of the requests before.
            seen: &'static [(usize, u64)],
            n_bytes: usize,
            is_short: bool,
        }
        let cases = [
            Case {
                seen: &[],
                n_bytes: 36,
                is_short: false,
            },
            Case {
                seen: &[(36, 10)],
                n_bytes: 36,
                is_short: true,
            },
            Case {
                seen: &[(36, 10)],
                n_bytes: 20_000,
                is_short: true,
            },
            Case {
                seen: &[(36, 10)],
                n_bytes: 60_000,
                is_short: false,
            },
            Case {
                seen: &[(6_000_000, 600)],
                n_bytes: LARGE_BYTES + 1,
                is_short: false,
            },
            // A slow model.
            Case {
                seen: &[(36, 100_000)],
                n_bytes: 1,
                is_short: false,
            },
            // One delay, and one slow request.
            Case {
                seen: &[(36, 10), (36, 10_000)],
                n_bytes: 36,
                is_short: true,
            },
            Case {
                seen: &[(36, 10), (36, 100_000)],
                n_bytes: 36,
                is_short: false,
            },
            // Cheap requests do not hide it.
            Case {
                seen: &[(36, 100_000), (36, 1), (60_000, 1), (36, 1)],
                n_bytes: 36,
                is_short: false,
            },
        ];
        for (index, case) in cases.iter().enumerate() {
            let processors = Processors::default();
            for &(n_bytes, micros) in case.seen {
                processors.learn(n_bytes, Duration::from_micros(micros));
            }
            assert_eq!(
                processors.is_short(case.n_bytes),
                case.is_short,
                "case {index}"
            );
        }
    }

    #[test]
    fn what_was_slow_once_is_forgotten() {
        let processors = Processors::default();
        processors.learn(36, Duration::from_millis(100));
        let forgotten = (0..1000).position(|_| {
            processors.learn(36, Duration::from_micros(10));
            processors.is_short(36)
        });
        assert!(
            forgotten.is_some_and(|requests| requests > 50),
            "{forgotten:?}"
        );
    }
}
