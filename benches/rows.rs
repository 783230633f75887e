//! Predictions of a model that has run before: one row, a hundred and ten thousand, all distinct.
//!
//! onnxruntime is always timed with both outputs, as its `run` gives them unless told otherwise.
#![allow(missing_docs)]

mod peers;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn rows(criterion: &mut Criterion) {
    let onnxruntime = peers::onnxruntime();
    peers::check_answers(onnxruntime.as_ref());
    let model = iris_core::Model::iris().expect("the embedded model loads");
    let mut group = criterion.benchmark_group("rows");
    for n_samples in [1, 100, 10_000] {
        let rows = peers::rows(n_samples);
        group.throughput(Throughput::Elements(n_samples as u64));
        group.bench_with_input(
            BenchmarkId::new("iris_core/predict", n_samples),
            &rows,
            |b, rows| {
                b.iter(|| model.predict(rows).expect("runs"));
            },
        );
        group.bench_with_input(
            BenchmarkId::new("iris_core/predict_proba", n_samples),
            &rows,
            |b, rows| b.iter(|| model.predict_proba(rows).expect("runs")),
        );
        if let Some(onnxruntime) = &onnxruntime {
            let mut session = peers::session(onnxruntime);
            group.bench_with_input(
                BenchmarkId::new("onnxruntime/run", n_samples),
                &rows,
                |b, rows| b.iter(|| peers::run(&mut session, rows)),
            );
        }
    }
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
