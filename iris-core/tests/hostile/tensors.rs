//! Tensors that hold more or less than their shapes say.

use iris_core::ErrorKind::{InvalidModel, LimitExceeded};
use tract_onnx::pb::TensorProto;

use crate::common::onnx::*;
use crate::{attack, check};

/// onnx: CVE-2024-27319 (read behind the data), onnx#8032 (2026, write behind it).
#[test]
fn tensors() {
    let raw = |dims: &[i64], raw_data: &[u8]| {
        with_initializer(TensorProto {
            raw_data: raw_data.into(),
            ..float_tensor("w", dims, &[])
        })
    };
    let dims = |dims: &[i64]| with_initializer(float_tensor("w", dims, &[]));
    check(vec![
        attack(
            "raw data shorter than its shape",
            raw(&[4], &[0; 8]),
            InvalidModel,
            "need 16 bytes, but it holds 8",
        ),
        attack(
            "raw data longer than its shape",
            raw(&[1], &[0; 8]),
            InvalidModel,
            "need 4 bytes, but it holds 8",
        ),
        attack(
            "raw data of no whole number of elements (onnx#8032)",
            raw(&[2], &[0; 7]),
            InvalidModel,
            "need 8 bytes, but it holds 7",
        ),
        attack(
            "a negative dimension",
            dims(&[-4]),
            InvalidModel,
            "dimensions [-4] are not possible",
        ),
        attack(
            "two negative dimensions",
            dims(&[-2, -2]),
            InvalidModel,
            "are not possible",
        ),
        attack(
            "a huge dimension",
            dims(&[i64::MAX]),
            InvalidModel,
            "dimensions",
        ),
        attack(
            "dimensions whose product is 0 modulo 2⁶⁴",
            dims(&[1 << 32, 1 << 32]),
            InvalidModel,
            "are not possible",
        ),
        attack(
            "no elements, in as many rows as there are numbers",
            dims(&[1 << 60, 0]),
            LimitExceeded,
            "load_bytes of 67108864",
        ),
        attack(
            "many dimensions",
            with_initializer(float_tensor("w", &[1; 100_000], &[1.0])),
            InvalidModel,
            "100000 dimensions",
        ),
        attack(
            "an unknown element type",
            with_initializer(TensorProto {
                data_type: 99,
                ..float_tensor("w", &[1], &[1.0])
            }),
            InvalidModel,
            "unknown element type 99",
        ),
        attack(
            "an input of many dimensions",
            changed_graph(|g| g.input[0] = info("X", &[1; 100])),
            InvalidModel,
            "100 dimensions",
        ),
    ]);
}
