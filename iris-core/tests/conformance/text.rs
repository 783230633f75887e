use iris_core::{Model, Value};
use ndarray::{ArrayD, Axis};

use crate::common::{Case, data};
use crate::runner::{Differences, run};

#[test]
fn text() {
    let differences = Differences {
        accepted: &[
            (
                "string_normalizer/locale_that_is_not_there",
                "case does not depend on what locales the machine has",
            ),
            (
                "string_normalizer/no_strings",
                "a batch of no rows is a batch",
            ),
            ("tf_idf/no_samples", "a batch of no rows is a batch"),
            (
                "tokenizer/unicode_flag",
                "scikit-learn's own default pattern, with Python's meaning of it",
            ),
            (
                "skl2onnx/CountVectorizer_unicode",
                "scikit-learn's own default pattern, with Python's meaning of it",
            ),
            (
                "skl2onnx/TfidfVectorizer_unicode",
                "scikit-learn's own default pattern, with Python's meaning of it",
            ),
            (
                "cast/underflow_to_",
                "the nearest float is zero, as in Python",
            ),
        ],
        refused: &[
            (
                "tf_idf/integers_with_a_pool_of_strings",
                "no item could ever be in the pool; onnxruntime answers zeros",
            ),
            (
                "tf_idf/strings_with_a_pool_of_integers",
                "no item could ever be in the pool; onnxruntime answers zeros",
            ),
            ("murmur_hash/positive_2", "a flag is 0 or 1"),
            ("cast/hexadecimal_to_", "scikit-learn's numbers are decimal"),
        ],
        refused_in_part: &[],
        otherwise: &[
            (
                "string_normalizer/full_mapping_",
                "Unicode's case mapping, as in Python; onnxruntime maps character by character",
            ),
            (
                "cdist/float32-far_from_the_origin",
                "onnxruntime expands the square and loses the difference",
            ),
            (
                "cdist/infinite",
                "onnxruntime expands the square, which subtracts infinity from infinity",
            ),
            (
                "string_tensors/gather_0",
                "onnxruntime 1.32 gathers only the first string of each row",
            ),
        ],
    };
    run("text", &differences);
}

fn model(name: &str) -> Model {
    let cases: Vec<Case> = serde_json::from_slice(&data("text/cases.json")).unwrap();
    let case = cases.iter().find(|case| case.name == name).unwrap();
    Model::from_bytes(&case.model).unwrap()
}

fn strings(shape: &[usize], texts: &[&str]) -> Value {
    let texts = texts.iter().map(ToString::to_string).collect();
    ArrayD::from_shape_vec(shape, texts).unwrap().into()
}

/// onnxruntime drops a dimension here, so that the rank would depend on the input.
#[test]
fn tokens_of_no_strings_keep_their_rank() {
    for (name, given, expected) in [
        ("tokenizer/tokenexp-one-0", &[0][..], &[0, 0][..]),
        ("tokenizer/tokenexp-two-1", &[2, 0], &[2, 0, 0]),
        ("tokenizer/dot-two-1", &[0, 2], &[0, 2, 0]),
        ("tokenizer/separators-one-1", &[0], &[0, 0]),
    ] {
        let outputs = model(name).run([("X", strings(given, &[]))]).unwrap();
        assert_eq!(outputs[0].1.shape(), expected, "{name}");
    }
}

/// The number of tokens is known only once they are made, and is another in each call.
#[test]
fn one_model_takes_any_number_of_texts_of_any_length() {
    let model = model("skl2onnx/pipeline_tfidf");
    let texts = [
        "third",
        "this is the first document",
        "",
        "and is this one the third one, or is it the second?",
    ];
    let run = |texts: &[&str]| {
        let mut outputs = model.run([("X", strings(&[texts.len()], texts))]).unwrap();
        outputs.swap_remove(1).1
    };
    let together = run(&texts);
    let together = together.as_float().unwrap();
    for (text, expected) in texts.iter().zip(together.outer_iter()) {
        let alone = run(&[text]);
        assert_eq!(alone.as_float().unwrap().index_axis(Axis(0), 0), expected);
    }
    assert_eq!(run(&[]).shape(), [0, 2]);
    assert_eq!(run(&texts[2..3]).shape(), [1, 2]);
}

/// With stop words in between there are fewer strings after than before.
#[test]
fn normalized_strings_may_be_fewer_in_each_call() {
    let model = model("string_normalizer/LOWER-0-the");
    for (given, expected) in [
        (&["The", "A", "the"][..], &["a"][..]),
        (&["a", "B"], &["a", "b"]),
        (&["the"], &[""]),
        (&[], &[]),
    ] {
        let outputs = model.run([("X", strings(&[given.len()], given))]).unwrap();
        assert_eq!(outputs[0].1, strings(&[expected.len()], expected));
    }
}
