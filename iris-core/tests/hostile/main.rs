//! Attacks on readers of ONNX files that are known in public, mostly from 2024 to 2026, and the error that each gets here.
//!
//! Each names the advisory or the fix it is about: `onnx#` and `onnxruntime#` are pull requests and issues of these
//! repositories. None may panic, take long, or take memory that it did not bring. One kind of attack is a file.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::needless_pass_by_value
)]

mod bombs;
#[path = "../common/mod.rs"]
mod common;
mod external_data;
mod graphs;
mod recursion;
mod shapes;
mod single_values;
mod support_vectors;
mod tensors;
mod trees;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use common::onnx::*;
use iris_core::{ErrorKind, Model};
use tract_onnx::pb::AttributeProto;

pub(crate) struct Attack {
    name: &'static str,
    model: Vec<u8>,
    kind: ErrorKind,
    message: &'static str,
}

pub(crate) fn attack(
    name: &'static str,
    model: Vec<u8>,
    kind: ErrorKind,
    message: &'static str,
) -> Attack {
    Attack {
        name,
        model,
        kind,
        message,
    }
}

/// What this thread has had of a processor, whatever else runs beside it; or the time, where that is not told.
fn processor_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

pub(crate) fn check(attacks: Vec<Attack>) {
    for Attack {
        name,
        model,
        kind,
        message,
    } in attacks
    {
        let start = processor_time();
        let error = Model::from_bytes(&model).expect_err(name);
        let taken = processor_time().saturating_sub(start);
        assert!(taken < Duration::from_secs(1), "{name}: takes {taken:?}");
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(message), "{name}: {error}");
        assert!(!error.to_string().contains("panicked"), "{name}: {error}");
    }
}

/// One node that X goes through.
pub(crate) fn ml(op_type: &str, attributes: &[AttributeProto]) -> Vec<u8> {
    bytes(vec![ml_node(op_type, attributes.to_vec())], vec![])
}

/// `attributes` with another in the place of the one of its name.
pub(crate) fn replaced(
    attributes: &[AttributeProto],
    other: AttributeProto,
) -> Vec<AttributeProto> {
    let mut attributes = attributes.to_vec();
    attributes.retain(|attribute| attribute.name != other.name);
    attributes.push(other);
    attributes
}
