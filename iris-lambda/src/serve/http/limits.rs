//! Limits on what clients may take of the local server: connections, time and memory.

use std::time::Duration;

/// The size up to which a body counts as small: any number of small bodies may be there at once. It is also the most that a
/// connection reads of its client before it looks at what came.
pub(crate) const SMALL_BYTES: usize = 64 * 1024;

/// How many connections, and how much time and memory, all clients together or each of them may take.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Connections at once. Further ones wait in the listener's queue, which is the kernel's, for one of these to end.
    pub(crate) connections: usize,
    /// The time from the connection to the end of the head of its first request.
    pub(crate) first_head: Duration,
    /// The time from one answer to the end of the head of the next request, idling included.
    pub(crate) next_head: Duration,
    /// The time from the end of the head to the end of the body.
    pub(crate) body: Duration,
    /// The time in which the client has to take an answer.
    pub(crate) answer: Duration,
    /// Requests at once whose bodies have more than [`SMALL_BYTES`].
    pub(crate) large_bodies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A connection has a head and a small body of 64 KiB each, so that all of them take 250 MiB at most.
            connections: 2000,
            // A client that connects has something to ask, and a head has a few hundred bytes.
            first_head: Duration::from_secs(30),
            // AWS's load balancers and nginx end connections that are idle for 60 s. They have to be the ones who do so: a
            // request that they send on a connection that this server ends just then is lost, and their client told 502.
            // The 12 s on top are for delays.
            next_head: Duration::from_secs(72),
            // The largest body, of 6 MiB, comes in that time at 1.7 megabits a second; so does the largest answer go.
            body: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            // A body of 6 MiB, its numbers and their answer are 18 MiB, so that all of them take 300 MiB.
            large_bodies: 16,
        }
    }
}
