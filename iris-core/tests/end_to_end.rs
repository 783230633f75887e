//! Whole models, against scikit-learn's answers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::needless_borrows_for_generic_args
)]

mod common;

use common::{Random, expected, model_path};
use iris_core::{Dimension, ElementType, ErrorKind, Labels, Model, Value, ValueType};
use ndarray::{Array2, ArrayD, array, s};

fn load(name: &str) -> Model {
    Model::from_path(model_path(name)).unwrap()
}

#[test]
fn answers_are_scikit_learns() {
    for file in ["expected_iris.json", "expected_iris_calibrated.json"] {
        let expected = expected(file);
        let model = load(&expected.model);
        assert_eq!(
            model.predict(&expected.inputs).unwrap(),
            expected.labels,
            "{file}"
        );
        let probabilities = model.predict_proba(&expected.inputs).unwrap();
        for (row, expected) in probabilities
            .rows()
            .into_iter()
            .zip(&expected.probabilities)
        {
            for (got, expected) in row.iter().zip(expected) {
                assert!(
                    (f64::from(*got) - expected).abs() <= 1e-6,
                    "{file}: {got} {expected}"
                );
            }
        }
    }
}

#[test]
fn zip_map_changes_nothing_but_the_signature() {
    let (plain, zipped) = (load("iris.onnx"), load("iris_zipmap.onnx"));
    let rows = expected("expected_iris.json").inputs;
    assert_eq!(
        plain.predict(&rows).unwrap(),
        zipped.predict(&rows).unwrap()
    );
    assert_eq!(
        plain.predict_proba(&rows).unwrap(),
        zipped.predict_proba(&rows).unwrap()
    );
    assert_eq!(plain.classes(), zipped.classes());
    let output = &zipped.outputs()[1];
    assert_eq!(output.name(), "output_probability");
    assert_eq!(
        output.value_type().to_string(),
        "seq(map(int64,tensor(float)))"
    );
    assert_eq!(output.zip_map_classes(), Some(&Labels::Int(vec![0, 1, 2])));
}

#[test]
fn describes_the_model() {
    let model = Model::iris().unwrap();
    let [input] = model.inputs() else {
        panic!("one input")
    };
    assert_eq!(input.name(), "X");
    assert_eq!(input.value_type().to_string(), "tensor(float)");
    assert_eq!(
        input.shape(),
        Some(&[Dimension::Unknown, Dimension::Fixed(4)][..])
    );
    let outputs: Vec<_> = model
        .outputs()
        .iter()
        .map(|o| (o.name(), o.element_type()))
        .collect();
    let expected = [
        ("label", Some(ElementType::Int64)),
        ("probabilities", Some(ElementType::Float)),
    ];
    assert_eq!(outputs, expected);
    assert!(matches!(
        model.outputs()[0].value_type(),
        ValueType::Tensor { .. }
    ));
    assert_eq!(model.classes(), Some(&Labels::Int(vec![0, 1, 2])));
    assert_eq!(model.n_features(), Some(4));
    assert_eq!(model.metadata().producer_name, "skl2onnx");
    assert_eq!(model.metadata().graph_name, "ONNX(SVC)");
    assert_eq!(
        load("iris_calibrated.onnx").classes(),
        Some(&Labels::Int(vec![0, 1, 2]))
    );
}

#[test]
fn batches_of_any_size_give_the_answers_of_their_rows() {
    let mut random = Random(1);
    let rows: Vec<[f32; 4]> = (0..1000).map(|_| random.iris_row()).collect();
    for name in ["iris.onnx", "iris_calibrated.onnx"] {
        let model = load(name);
        let (labels, scores) = (
            model.predict(&rows).unwrap(),
            model.predict_proba(&rows).unwrap(),
        );
        for size in [0, 1, 7, 100] {
            let part = &rows[..size];
            assert_eq!(
                model.predict(part).unwrap(),
                labels.as_ints().unwrap()[..size],
                "{name}"
            );
            assert_eq!(
                model.predict_proba(part).unwrap(),
                scores.slice(s![..size, ..]),
                "{name}"
            );
        }
    }
}

#[test]
fn takes_rows_however_they_are_held() {
    let model = Model::iris().unwrap();
    let (two, zero) = ([5.9, 3.0, 5.1, 2.3], [5.1, 3.5, 1.4, 0.2]);
    let expected = [2, 0];
    assert_eq!(model.predict([two, zero]).unwrap(), expected);
    assert_eq!(model.predict(vec![two, zero]).unwrap(), expected);
    assert_eq!(
        model.predict(&[two.to_vec(), zero.to_vec()]).unwrap(),
        expected
    );
    assert_eq!(model.predict(vec![&two[..], &zero[..]]).unwrap(), expected);
    let array = array![two, zero];
    assert_eq!(model.predict(&array).unwrap(), expected);
    assert_eq!(
        model.predict(array.mapv(|x| x as f32).view()).unwrap(),
        expected
    );
    assert_eq!(
        model.predict(array.t().as_standard_layout().t()).unwrap(),
        expected
    );
    assert_eq!(
        model.predict(array![[6, 3, 5, 2], [5, 3, 1, 0]]).unwrap(),
        expected
    );
    assert_eq!(
        model
            .predict(array![[6_i64, 3, 5, 2]].slice(s![.., ..]))
            .unwrap(),
        [2]
    );
    assert_eq!(
        model.predict(Array2::<f32>::zeros((0, 4))).unwrap().len(),
        0
    );
    assert_eq!(
        model.predict_proba(&[[0.0_f32; 4]; 0]).unwrap().dim(),
        (0, 3)
    );
    assert_eq!(iris_core::predict(&[two]).unwrap(), [2]);
    assert_eq!(
        iris_core::predict_proba(&[two]).unwrap(),
        model.predict_proba(&[two]).unwrap()
    );
}

#[test]
fn runs_named_values() {
    let model = Model::iris().unwrap();
    let x: Value = array![[5.9_f32, 3.0, 5.1, 2.3]].into();
    let outputs = model.run([("X", x.clone())]).unwrap();
    assert_eq!(outputs[0], ("label".into(), array![2_i64].into()));
    let scores = model
        .run_selected(&["probabilities"], [("X", x.clone())])
        .unwrap();
    assert_eq!(scores, [outputs[1].1.clone()]);
    let both = model
        .run_selected(&["probabilities", "label"], [("X", x.clone())])
        .unwrap();
    assert_eq!(both, [outputs[1].1.clone(), outputs[0].1.clone()]);
    assert_eq!(model.run_selected(&[] as &[&str], [("X", x)]).unwrap(), []);
}

#[test]
fn names_what_is_wrong_with_the_input() {
    let model = Model::iris().unwrap();
    let good = [5.9, 3.0, 5.1, 2.3];
    let with = |column: usize, x: f64| {
        let mut row = good;
        row[column] = x;
        model.predict(&[good, row]).unwrap_err()
    };
    let cases = [
        (
            model.predict(&[[1.0, 2.0, 3.0]]).unwrap_err(),
            "row 0 has 3 features, expected 4",
        ),
        (
            model.predict(vec![vec![1.0; 4], vec![1.0; 5]]).unwrap_err(),
            "row 1 has 5 features",
        ),
        (
            model.predict(Array2::<f32>::zeros((2, 3))).unwrap_err(),
            "expected 4 features, got 3",
        ),
        (with(2, f64::NAN), "row 1, column 2: NaN"),
        (
            with(0, f64::NEG_INFINITY),
            "row 1, column 0: -inf is not finite",
        ),
        (with(3, 1e300), "row 1, column 3: 1e300 does not fit"),
    ];
    for (error, expected) in cases {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains("\"X\""), "{error}");
    }
    assert_eq!(model.predict(&[good]).unwrap(), [2]);
}

#[test]
fn names_what_is_wrong_with_named_values() {
    let model = Model::iris().unwrap();
    let x = || Value::from(array![[5.9_f32, 3.0, 5.1, 2.3]]);
    let run = |inputs: Vec<(&'static str, Value)>| model.run(inputs).unwrap_err();
    let cases = [
        (run(vec![]), r#"input "X": missing"#),
        (run(vec![("Y", x())]), r#"input "Y": the model takes "X""#),
        (
            run(vec![("X", x()), ("X", x())]),
            r#"input "X": given twice"#,
        ),
        (
            run(vec![("X", array![[5.9, 3.0, 5.1, 2.3]].into())]),
            "expected tensor(float), got tensor(double)",
        ),
        (
            run(vec![("X", array![5.9_f32, 3.0, 5.1, 2.3].into())]),
            "expected shape [?, 4], got [4]",
        ),
        (
            run(vec![("X", ArrayD::<f32>::zeros(vec![2, 5]).into())]),
            "expected shape [?, 4], got [2, 5]",
        ),
    ];
    for (error, expected) in cases {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = model.run_selected(&["scores"], [("X", x())]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingOutput);
    assert!(
        error.to_string().contains(r#""label", "probabilities""#),
        "{error}"
    );
}

#[test]
fn missing_file_is_an_io_error_that_names_it() {
    let error = Model::from_path("no/such/model.onnx").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(
        error.to_string().starts_with("no/such/model.onnx: "),
        "{error}"
    );
}

#[test]
fn one_run_gives_predictions_and_probabilities() {
    let mut random = Random(3);
    let rows: Vec<[f32; 4]> = (0..20_000).map(|_| random.iris_row()).collect();
    for name in ["iris.onnx", "iris_zipmap.onnx", "iris_calibrated.onnx"] {
        let model = load(name);
        for n_samples in [0, 1, 100, rows.len()] {
            let rows = &rows[..n_samples];
            let (prediction, scores) = model.predict_with_proba(rows).unwrap();
            assert_eq!(prediction, model.predict(rows).unwrap(), "{name}");
            assert_eq!(scores, model.predict_proba(rows).unwrap(), "{name}");
        }
        let error = model.predict_with_proba([[0.0; 3]]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn threads_get_the_answers_of_one() {
    let mut random = Random(2);
    let rows: Vec<[f32; 4]> = (0..500).map(|_| random.iris_row()).collect();
    let model = load("iris.onnx");
    let (labels, scores) = (
        model.predict(&rows).unwrap(),
        model.predict_proba(&rows).unwrap(),
    );
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (model, rows, labels, scores) = (&model, &rows, &labels, &scores);
            scope.spawn(move || {
                for round in 0..50 {
                    let (start, end) = (thread * 10, 100 + round * 8);
                    let part = &rows[start..end];
                    assert_eq!(
                        model.predict(part).unwrap(),
                        labels.as_ints().unwrap()[start..end]
                    );
                    assert_eq!(
                        model.predict_proba(part).unwrap(),
                        scores.slice(s![start..end, ..])
                    );
                }
            });
        }
    });
}
