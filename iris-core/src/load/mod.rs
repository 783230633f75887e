//! From bytes to a model: parse, check, take presentation off, plan.

pub(crate) mod check;
pub(crate) mod decode;
pub(crate) mod external;
pub(crate) mod options;
pub(crate) mod types;
pub(crate) mod wire;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::load::options::LoadOptions;

/// Reads a file that is no larger than the options allow.
pub(crate) fn read(path: &Path, options: &LoadOptions) -> Result<Vec<u8>> {
    let io_error = |e: std::io::Error| Error::new(ErrorKind::Io, &e).with_source(e);
    let file = File::open(path).map_err(io_error)?;
    let mut bytes = Vec::new();
    let limit = options.limits.file_bytes as u64;
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(io_error)?;
    Ok(bytes)
}
