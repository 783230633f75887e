//! Reads the bodies of requests: each up to a limit of size and time, and only a few large ones at once.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body as _, Bytes, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::{Error, Result};
use crate::serve::http::limits::{Limits, SMALL_BYTES};
use crate::settings::MAX_BYTES;

/// How many bytes of a body that is too large are read and dropped, so that a client that sends first and reads later gets
/// its answer and no broken connection. Eight times the limit, 48 MiB, is beyond what anybody sends by mistake, and takes no
/// memory.
const MAX_DROPPED_BYTES: usize = 8 * MAX_BYTES;

/// Reads bodies, and gives room to the large ones.
pub(crate) struct Bodies {
    /// One permit for each large body that may be there at once.
    rooms: Arc<Semaphore>,
    /// The time from the end of the head in which a body has to come.
    time: Duration,
}

/// The body of a request.
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) room: Room,
}

/// The permit that a large body holds from its first bytes until its answer is written; small bodies need none.
pub(crate) struct Room(Option<OwnedSemaphorePermit>);

impl Bodies {
    /// A reader that keeps to `limits`.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            rooms: Arc::new(Semaphore::new(limits.large_bodies)),
            time: limits.body,
        }
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// If it is larger than [`MAX_BYTES`], or does not come to its end in time.
    pub(crate) async fn read(&self, body: Incoming) -> Result<Received> {
        let late = |_| {
            let message = format!("body: not received within {:?}", self.time);
            Error::refusal(StatusCode::REQUEST_TIMEOUT, message)
        };
        timeout(self.time, self.read_all(body))
            .await
            .map_err(late)?
    }

    async fn read_all(&self, mut body: Incoming) -> Result<Received> {
        let mut bytes = Vec::new();
        let mut room = None;
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                Error::bad_request(format!("body: not received to its end: {error}"))
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            size += data.len();
            if size > SMALL_BYTES && room.is_none() {
                // The semaphore is never closed, so that this is always a permit.
                room = Arc::clone(&self.rooms).acquire_owned().await.ok();
                let expected = body.size_hint().lower().min(MAX_BYTES as u64);
                bytes.reserve_exact(data.len() + expected as usize);
            }
            if size <= MAX_BYTES {
                bytes.extend_from_slice(&data);
            } else if size > MAX_DROPPED_BYTES {
                break;
            } else {
                bytes = Vec::new();
            }
        }
        if size > MAX_BYTES {
            return Err(Error::too_large());
        }
        Ok(Received {
            bytes,
            room: Room(room),
        })
    }
}

impl Room {
    /// The bytes of the answer to the body; they keep the room until they are written and dropped.
    pub(crate) fn hold(self, answer: String) -> Bytes {
        struct Held {
            answer: String,
            _room: OwnedSemaphorePermit,
        }
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                self.answer.as_bytes()
            }
        }
        match self.0 {
            None => answer.into(),
            Some(room) => Bytes::from_owner(Held {
                answer,
                _room: room,
            }),
        }
    }
}
