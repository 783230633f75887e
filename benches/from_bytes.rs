//! From the bytes of a file to a model that is ready to run.
#![allow(missing_docs)]

mod peers;

use criterion::{Criterion, criterion_group, criterion_main};

fn from_bytes(criterion: &mut Criterion) {
    let onnxruntime = peers::onnxruntime();
    peers::check_answers(onnxruntime.as_ref());
    let mut group = criterion.benchmark_group("from_bytes");
    group.bench_function("iris/iris_core", |b| {
        b.iter(|| iris_core::Model::from_bytes(peers::IRIS).expect("the model loads"));
    });
    if let Some(onnxruntime) = &onnxruntime {
        group.bench_function("iris/onnxruntime", |b| {
            b.iter(|| peers::session(onnxruntime));
        });
    }
    group.finish();
}

criterion_group!(benches, from_bytes);
criterion_main!(benches);
