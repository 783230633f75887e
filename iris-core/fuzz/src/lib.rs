//! What the fuzz targets share.

pub mod cases;
pub mod exercise;
pub mod mutate;
pub mod random;
pub mod watch;
