//! What the tests share: files, recorded cases and comparison.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test uses a part"
)]

pub mod onnx;

use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine};
use iris_core::{Labels, Value};
use ndarray::ArrayD;
use serde::{Deserialize, Deserializer};

/// A file of the repository's `models` folder.
pub fn model_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../models")
        .join(name)
}

/// Where a file of `tests/data` is.
pub fn data_path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// A file of `tests/data`.
pub fn data(name: &str) -> Vec<u8> {
    let path = data_path(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Answers of scikit-learn and onnxruntime for one of our models; see `models/README.md`.
#[derive(Deserialize)]
pub struct Expected {
    pub model: String,
    pub inputs: Vec<Vec<f32>>,
    pub labels: Vec<i64>,
    pub probabilities: Vec<Vec<f64>>,
}

pub fn expected(name: &str) -> Expected {
    serde_json::from_slice(&std::fs::read(model_path(name)).unwrap()).unwrap()
}

/// A recorded case: a model, what it was fed and what came out, or that it was refused.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    #[serde(deserialize_with = "base64")]
    pub model: Vec<u8>,
    #[serde(default)]
    pub feeds: Vec<Tensor>,
    pub outputs: Option<Vec<Tensor>>,
    pub error: Option<String>,
}

fn base64<'de, D: Deserializer<'de>>(text: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(text)?;
    BASE64_STANDARD
        .decode(text)
        .map_err(serde::de::Error::custom)
}

#[derive(Deserialize)]
pub struct Tensor {
    pub name: String,
    pub dtype: String,
    pub shape: Vec<usize>,
    pub data: Vec<serde_json::Value>,
    /// Of a map: its keys, for the values that `data` holds.
    pub keys: Option<Box<Tensor>>,
}

impl Tensor {
    /// The tensor, or the map, as a value of ours.
    pub fn value(&self) -> Value {
        let Some(keys) = &self.keys else {
            return self.tensor();
        };
        let keys = match keys.tensor() {
            Value::Int64(keys) => Labels::Int(keys.into_raw_vec_and_offset().0),
            Value::String(keys) => Labels::String(keys.into_raw_vec_and_offset().0),
            other => panic!("no keys: {other:?}"),
        };
        let values = Box::new(self.tensor());
        Value::Map { keys, values }
    }

    fn tensor(&self) -> Value {
        fn array<T>(tensor: &Tensor, element: impl Fn(&serde_json::Value) -> T) -> ArrayD<T> {
            let data = tensor.data.iter().map(element).collect();
            ArrayD::from_shape_vec(tensor.shape.clone(), data).unwrap()
        }
        match self.dtype.as_str() {
            "f32" => array(self, |v| number(v).unwrap() as f32).into(),
            "f64" => array(self, |v| number(v).unwrap()).into(),
            "i32" => array(self, |v| i32::try_from(v.as_i64().unwrap()).unwrap()).into(),
            "i64" => array(self, |v| v.as_i64().unwrap()).into(),
            "bool" => array(self, |v| v.as_bool().unwrap()).into(),
            "string" => array(self, |v| v.as_str().unwrap().to_owned()).into(),
            other => panic!("unknown dtype {other}"),
        }
    }

    /// The elements as numbers; `None` where anything is right.
    pub fn numbers(&self) -> Vec<Option<f64>> {
        self.data.iter().map(number).collect()
    }
}

fn number(value: &serde_json::Value) -> Option<f64> {
    match value.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        _ => value.as_f64(),
    }
}

/// How far two numbers may be apart: `absolute + relative * |expected|`.
#[derive(Clone, Copy)]
pub struct Tolerance {
    pub absolute: f64,
    pub relative: f64,
}

/// The elements of a numeric value.
pub fn elements(value: &Value) -> Vec<f64> {
    match value {
        Value::Float(array) => array.iter().map(|&x| x.into()).collect(),
        Value::Double(array) => array.iter().copied().collect(),
        Value::Int32(array) => array.iter().map(|&x| x.into()).collect(),
        Value::Int64(array) => array.iter().map(|&x| x as f64).collect(),
        other => panic!("not numeric: {other:?}"),
    }
}

/// Says where `got` is not what was expected, up to five places.
pub fn mismatches(got: &[f64], expected: &[Option<f64>], tolerance: Tolerance) -> Option<String> {
    if got.len() != expected.len() {
        return Some(format!(
            "{} elements, expected {}",
            got.len(),
            expected.len()
        ));
    }
    let bad: Vec<String> = got
        .iter()
        .zip(expected)
        .enumerate()
        .filter_map(|(index, (&got, &expected))| {
            let expected = expected?;
            let same = got == expected || (got.is_nan() && expected.is_nan());
            let bound = tolerance.absolute + tolerance.relative * expected.abs();
            let near = (got - expected).abs() <= bound;
            (!same && !near).then(|| format!("[{index}] {got} instead of {expected}"))
        })
        .take(5)
        .collect();
    (!bad.is_empty()).then(|| bad.join(", "))
}

/// A small pseudo-random generator (xorshift64*), the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// A row near the iris data.
    pub fn iris_row(&mut self) -> [f32; 4] {
        [(4.0, 8.5), (1.5, 5.0), (0.5, 7.5), (0.0, 3.0)].map(|(low, high)| self.uniform(low, high))
    }
}
