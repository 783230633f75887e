//! Decides where a request is computed: a short one on the thread that serves its connection, all others beside it.
//!
//! The threads that serve connections are as many as there are processors. While one of them computes, the other connections
//! that it serves wait, and all new ones may wait too, since tokio leaves it to one of the threads to listen to the network.
//! For a request that takes less than [`SHORT`] that is the lesser cost. For all others tokio goes on with its work on another
//! thread, which costs some 20 µs a request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// The longest that a request may take on the thread that serves its connection: short enough that no client notices the
/// wait, and fifty times the 20 µs of another thread, so that longer requests do not notice these.
const SHORT: Duration = Duration::from_millis(1);

/// The size above which a request is never taken for short: to read the numbers of 64 KiB takes a good part of [`SHORT`] by
/// itself.
const LARGE_BYTES: usize = 64 * 1024;

/// The size that smaller requests are counted as: their time is what every request costs, and not the cost of their few bytes.
/// 256 bytes are some ten rows of the iris model.
const LEAST_BYTES: usize = 256;

/// The processors to compute on. They measure how long requests take for each byte, and expect the same of the next one.
pub(crate) struct Processors {
    /// One permit for each processor: more long computations at once would only take time from one another.
    free: Semaphore,
    /// The mean time of late requests for each byte, in picoseconds; `u64::MAX` before the first request.
    picos_per_byte: AtomicU64,
}

impl Default for Processors {
    fn default() -> Self {
        // Where the number of processors is not known, one is assumed.
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

    /// Whether a request of `n_bytes` is expected to take less than [`SHORT`].
    fn is_short(&self, n_bytes: usize) -> bool {
        let picos = self.picos_per_byte.load(Ordering::Relaxed);
        n_bytes <= LARGE_BYTES && u128::from(picos) * counted(n_bytes) < SHORT.as_nanos() * 1000
    }

    /// Takes the time of a request into account, with a weight of a 32nd. That much of a single delay by other processes,
    /// which may be some milliseconds, is little beside [`SHORT`]; that much of a slow model is not.
    fn learn(&self, n_bytes: usize, time: Duration) {
        let picos = time.as_nanos() * 1000 / counted(n_bytes);
        let picos = u64::try_from(picos).unwrap_or(u64::MAX);
        let mean = match self.picos_per_byte.load(Ordering::Relaxed) {
            u64::MAX => picos,
            mean => mean - mean / 32 + picos / 32,
        };
        // Where two requests end at once, one of them may be lost to the mean, which does no harm.
        self.picos_per_byte.store(mean, Ordering::Relaxed);
    }
}

/// The size that a request of `n_bytes` is counted as.
fn counted(n_bytes: usize) -> u128 {
    n_bytes.max(LEAST_BYTES) as u128
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
            // The model is slow.
            Case {
                seen: &[(36, 100_000)],
                n_bytes: 1,
                is_short: false,
            },
            // A delay of 10 ms is forgiven, one of 100 ms is not.
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
            // Cheap requests do not hide a slow model.
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
