//! The embedded model in onnxruntime, and the rows that both are given.
#![allow(dead_code, unreachable_pub, reason = "each benchmark uses a part")]

use std::path::Path;

use ndarray::Array2;
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

/// The embedded model's file.
pub static IRIS: &[u8] = include_bytes!("../../models/iris.onnx");

/// Starts onnxruntime from the library that `ORT_DYLIB_PATH` names; says why if it cannot.
pub fn onnxruntime() -> Option<Environment> {
    let path = std::env::var("ORT_DYLIB_PATH").unwrap_or_default();
    if !Path::new(&path).is_file() {
        eprintln!(
            "onnxruntime is not measured: ORT_DYLIB_PATH={path:?} is no file; `make bench` sets it"
        );
        return None;
    }
    let started = ort::init_from(&path).map_err(|e| e.to_string());
    let environment = started.and_then(|builder| builder.build().map_err(|e| e.to_string()));
    environment
        .map_err(|e| eprintln!("onnxruntime is not measured: {path} does not load: {e}"))
        .ok()
}

/// A session of one thread.
pub fn session(onnxruntime: &Environment) -> Session {
    Session::builder(onnxruntime)
        .expect("onnxruntime is started")
        .with_intra_threads(1)
        .expect("one thread is always to be had")
        .commit_from_memory(IRIS)
        .expect("onnxruntime runs the iris model")
}

/// Runs both outputs and gives the label of the last row.
pub fn run(session: &mut Session, rows: &Array2<f32>) -> i64 {
    let input = TensorRef::from_array_view(rows.view()).expect("rows lie row by row");
    let outputs = session
        .run(ort::inputs!["X" => input])
        .expect("the iris model runs");
    let (_, labels) = outputs["label"]
        .try_extract_tensor::<i64>()
        .expect("labels are int64");
    labels.last().copied().unwrap_or(-1)
}

/// The labels and probabilities that onnxruntime gives.
pub fn answers(session: &mut Session, rows: &Array2<f32>) -> (Vec<i64>, Vec<f32>) {
    let input = TensorRef::from_array_view(rows.view()).expect("rows lie row by row");
    let outputs = session
        .run(ort::inputs!["X" => input])
        .expect("the iris model runs");
    let (_, labels) = outputs["label"]
        .try_extract_tensor::<i64>()
        .expect("labels are int64");
    let (_, scores) = outputs["probabilities"]
        .try_extract_tensor::<f32>()
        .expect("probabilities are float");
    (labels.to_vec(), scores.to_vec())
}

/// Distinct rows near the iris data, the same every time.
pub fn rows(n_samples: usize) -> Array2<f32> {
    const RANGES: [(f32, f32); 4] = [(4.0, 8.5), (1.5, 5.0), (0.5, 7.5), (0.0, 3.0)];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    Array2::from_shape_fn((n_samples, 4), |(_, column)| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let (low, high) = RANGES[column];
        low + (high - low) * (state >> 40) as f32 / (1_u32 << 24) as f32
    })
}

/// Checks our answers against what the documentation promises and, if it runs, against onnxruntime's.
pub fn check_answers(onnxruntime: Option<&Environment>) {
    let model = iris_core::Model::iris().expect("the embedded model loads");
    let known = model.predict([[5.9, 3.0, 5.1, 2.3], [0.1, 2.0, 0.1, 3.0]]);
    assert_eq!(known.expect("the rows are good"), [2, 0]);
    let Some(onnxruntime) = onnxruntime else {
        return;
    };
    let rows = rows(10_000);
    let (labels, scores) = answers(&mut session(onnxruntime), &rows);
    assert_eq!(model.predict(&rows).expect("the rows are good"), labels);
    let ours = model.predict_proba(&rows).expect("the rows are good");
    let furthest = ours
        .iter()
        .zip(&scores)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(furthest <= 2e-6, "probabilities differ by {furthest}");
}
