use iris_core::{ErrorKind, Labels, Model, Value};
use ndarray::arr1;

use crate::common::{Case, data};
use crate::runner::{Differences, run};

#[test]
fn categorical() {
    let differences = Differences {
        accepted: &[
            (
                "label_encoder_1/strings_to_strings",
                "the declared types of outputs are not compared with what the graph gives",
            ),
            (
                "label_encoder_4/empty",
                "onnxruntime takes empty lists in version 2",
            ),
        ],
        refused: &[
            (
                "one_hot_encoder/other_kind_",
                "onnxruntime finds no category in an input of another kind than they are",
            ),
            (
                "dict_vectorizer/refused_output",
                "a map that goes through the graph as it came is no use",
            ),
            (
                "dict_vectorizer/both_vocabularies",
                "the specification allows one; onnxruntime takes the one that the keys fit",
            ),
        ],
        refused_in_part: &[],
        otherwise: &[
            (
                "label_encoder_2/nan_key",
                "onnxruntime finds NaN only from version 4 on",
            ),
            (
                "skl2onnx/ordinal_missing",
                "the same; scikit-learn gives -2 as we do",
            ),
        ],
    };
    run("categorical", &differences);
}

fn dict_vectorizer() -> Model {
    let cases: Vec<Case> = serde_json::from_slice(&data("categorical/cases.json")).unwrap();
    let case = cases
        .into_iter()
        .find(|case| case.name == "dict_vectorizer/map_and_tensor")
        .unwrap();
    Model::from_bytes(case.model).unwrap()
}

fn map(keys: &[&str], values: &[f32]) -> Value {
    Value::Map {
        keys: Labels::String(keys.iter().map(|&key| key.into()).collect()),
        values: Box::new(arr1(values).into()),
    }
}

#[test]
fn signatures_have_maps() {
    let model = dict_vectorizer();
    let types: Vec<String> = model
        .inputs()
        .iter()
        .map(|input| format!("{} {}", input.name(), input.value_type()))
        .collect();
    assert_eq!(types, ["X map(string,tensor(float))", "W tensor(float)"]);
    assert_eq!(model.inputs()[0].element_type(), None);
    assert_eq!(model.inputs()[0].shape(), None);
}

#[test]
fn refuses_what_is_not_the_map() {
    let model = dict_vectorizer();
    let ints = Value::Map {
        keys: Labels::Int(vec![1]),
        values: Box::new(arr1(&[1_f32]).into()),
    };
    let doubles = Value::Map {
        keys: Labels::String(vec!["a".into()]),
        values: Box::new(arr1(&[1_f64]).into()),
    };
    let nested = Value::Map {
        keys: Labels::String(vec!["a".into()]),
        values: Box::new(map(&["a"], &[1.0])),
    };
    let cases = [
        (
            arr1(&[1_f32]).into(),
            "expected map(string,tensor(float)), got tensor(float)",
        ),
        (ints, "got map(int64,tensor(float))"),
        (doubles, "got map(string,tensor(double))"),
        (nested, "got map(string,map(string,tensor(float)))"),
        (map(&["a", "b"], &[1.0]), "2 keys need as many values"),
        (
            map(&["a", "b", "a"], &[1.0; 3]),
            r#"key "a" is given twice"#,
        ),
    ];
    for (value, message) in cases {
        let weights = arr1(&[0_f32]).insert_axis(ndarray::Axis(0)).into();
        let error = model.run([("X", value), ("W", weights)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let shown = error.to_string();
        assert!(
            shown.starts_with(r#"input "X""#) && shown.contains(message),
            "{shown}"
        );
    }
    let error = model.run([("W", map(&["a"], &[1.0]))]).unwrap_err();
    assert!(
        error.to_string().contains("got map(string,tensor(float))"),
        "{error}"
    );
}
