//! The first prediction of a model that has just been loaded; loading is not part of the time.
#![allow(missing_docs)]

mod peers;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn first_run(criterion: &mut Criterion) {
    let onnxruntime = peers::onnxruntime();
    peers::check_answers(onnxruntime.as_ref());
    let row = peers::rows(1);
    let mut group = criterion.benchmark_group("first_run");
    let load = || iris_core::Model::from_bytes(peers::IRIS).expect("the model loads");
    group.bench_function("iris/iris_core", |b| {
        b.iter_batched_ref(
            load,
            |model| model.predict(&row).expect("runs"),
            BatchSize::PerIteration,
        );
    });
    if let Some(onnxruntime) = &onnxruntime {
        group.bench_function("iris/onnxruntime", |b| {
            b.iter_batched_ref(
                || peers::session(onnxruntime),
                |session| peers::run(session, &row),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, first_run);
criterion_main!(benches);
