//! Models that protobuf can read, with attributes, dimensions, types and wires changed.
#![no_main]

use std::path::Path;

use iris_fuzz::mutate::mutate;
use iris_fuzz::random::Random;
use iris_fuzz::{cases, exercise, watch};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use prost::Message;
use tract_onnx::pb::ModelProto;

/// The largest model to begin with.
const MOST_BYTES: usize = 8192;
/// Where to write the recorded models, for a first corpus, instead of fuzzing.
const SEEDS: &str = "IRIS_FUZZ_SEEDS";

fn start() {
    if let Some(folder) = std::env::var_os(SEEDS) {
        for (name, model) in cases::models(MOST_BYTES) {
            let path = Path::new(&folder).join(name.replace('/', "-"));
            std::fs::write(path, model).expect("the folder can be written to");
        }
        std::process::exit(0);
    }
    watch::start();
}

fuzz_target!(init: start(), |bytes: &[u8]| {
    watch::watched(|| {
        exercise::load(bytes, bytes.len() as u32);
    });
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let Ok(mut model) = ModelProto::decode(&data[..size]) else {
        return fuzzer_mutate(data, size, max_size);
    };
    mutate(&mut model, &mut Random::new(seed));
    let bytes = model.encode_to_vec();
    if bytes.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
});
