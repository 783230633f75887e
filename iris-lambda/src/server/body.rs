//! Reads the body of a request, up to a limit.

use axum::body::Body;
use http_body_util::BodyExt;

use crate::error::{Error, Result};
use crate::request::MAX_BYTES;

/// How much of a body that is too large is read and dropped, so that a client that sends first and reads later gets
/// its answer and no broken connection.
const MAX_DROPPED_BYTES: usize = 8 * MAX_BYTES;

/// The whole body.
///
/// # Errors
/// If it is larger than [`MAX_BYTES`], or does not come to its end.
pub(crate) async fn read(mut body: Body) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Error::bad_request(format!("body: not received to its end: {error}"))
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        size += data.len();
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
    Ok(bytes)
}
