//! The models and inputs of iris-core's conformance tests.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    model: String,
}

impl Case {
    pub fn model(&self) -> Vec<u8> {
        BASE64_STANDARD
            .decode(&self.model)
            .expect("a recorded model is base64")
    }
}

pub const FAMILIES: [(&str, &str); 9] = [
    (
        "categorical",
        include_str!("../../tests/data/categorical/cases.json"),
    ),
    ("linear", include_str!("../../tests/data/linear/cases.json")),
    ("math", include_str!("../../tests/data/math/cases.json")),
    (
        "neighbors",
        include_str!("../../tests/data/neighbors/cases.json"),
    ),
    (
        "recurrent",
        include_str!("../../tests/data/recurrent/cases.json"),
    ),
    ("svm", include_str!("../../tests/data/svm/cases.json")),
    (
        "svm_regressor",
        include_str!("../../tests/data/svm_regressor/cases.json"),
    ),
    ("text", include_str!("../../tests/data/text/cases.json")),
    ("trees", include_str!("../../tests/data/trees/cases.json")),
];

/// All recorded models of at most `max_len` bytes, with their names.
pub fn models(max_len: usize) -> Vec<(String, Vec<u8>)> {
    let mut models = Vec::new();
    for (family, text) in FAMILIES {
        let cases: Vec<Case> = serde_json::from_str(text).expect("recorded cases are JSON");
        for case in cases {
            let model = case.model();
            if model.len() <= max_len {
                models.push((format!("{family}/{}", case.name), model));
            }
        }
    }
    models
}
