//! Any bytes as a model.
#![no_main]

use iris_fuzz::{exercise, watch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: watch::start(), |bytes: &[u8]| {
    watch::watched(|| {
        exercise::load(bytes, 1);
    });
});
