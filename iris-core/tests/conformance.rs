//! Recorded cases of single operators, against what onnxruntime answered.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::needless_borrows_for_generic_args
)]

mod common;

use common::{Case, Tolerance, elements, mismatches};
use iris_core::{Model, Value};

/// Cases, by the start of their names, in which we mean to differ from onnxruntime, and why.
const ACCEPTED_BY_US_ALONE: [(&str, &str); 1] = [(
    "edge/kernel_params_absent",
    "the specification makes kernel_params optional",
)];
const REFUSED_BY_US_ALONE: [(&str, &str); 3] = [
    (
        "edge/clipped_2",
        "prob_a and prob_b have values for pairs that there are not",
    ),
    (
        "edge/clipped_3",
        "prob_a and prob_b have values for pairs that there are not",
    ),
    (
        "edge/one_class_",
        "coefficients have values for pairs that there are not",
    ),
];
const ANSWERED_OTHERWISE: [(&str, &str); 2] = [
    (
        "edge/beyond_f32_",
        "onnxruntime rounds the input to float first; scikit-learn computes in double",
    ),
    (
        "edge/overflow_f64",
        "onnxruntime rounds the input to float first; scikit-learn computes in double",
    ),
];

fn listed(list: &[(&str, &str)], case: &Case) -> bool {
    list.iter().any(|(start, _)| case.name.starts_with(start))
}

/// PROBIT is ill-conditioned near 0 and 1: the error of one float32 step in its argument is seen here.
const PROBIT_TOLERANCE: Tolerance = Tolerance {
    absolute: 2e-6,
    relative: 4e-3,
};
const TOLERANCE: Tolerance = Tolerance {
    absolute: 2e-6,
    relative: 1e-4,
};

#[test]
fn svm_classifier() {
    run_cases("svm/cases.json");
}

fn run_cases(file: &str) {
    let cases: Vec<Case> = serde_json::from_slice(&common::data(file)).unwrap();
    assert!(!cases.is_empty());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            run_case(case)
                .err()
                .map(|failure| format!("{}: {failure}", case.name))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn run_case(case: &Case) -> Result<(), String> {
    let model = match (Model::from_bytes(&case.model), &case.error) {
        (Err(_), None) if listed(&REFUSED_BY_US_ALONE, case) => return Ok(()),
        (Err(error), None) => return Err(format!("does not load: {error}")),
        (Err(_), Some(_)) => return Ok(()),
        (Ok(_), Some(_)) if listed(&ACCEPTED_BY_US_ALONE, case) => return Ok(()),
        (Ok(_), Some(_)) => return Err("loads, but should not".into()),
        (Ok(_), None) if listed(&REFUSED_BY_US_ALONE, case) => {
            return Err("loads, but is listed as refused".into());
        }
        (Ok(model), None) => model,
    };
    let feeds = case
        .feeds
        .iter()
        .map(|feed| (feed.name.as_str(), feed.value()));
    let outputs = model
        .run(feeds)
        .map_err(|error| format!("does not run: {error}"))?;
    let expected = case.outputs.as_ref().unwrap();
    if outputs.len() != expected.len() {
        return Err(format!(
            "{} outputs, expected {}",
            outputs.len(),
            expected.len()
        ));
    }
    let answers_differ = listed(&ANSWERED_OTHERWISE, case);
    for ((name, value), expected) in outputs.iter().zip(expected) {
        if *name != expected.name || value.shape() != expected.shape {
            return Err(format!(
                "{name:?} {:?}, expected {:?} {:?}",
                value.shape(),
                expected.name,
                expected.shape
            ));
        }
        let problem = match value {
            Value::String(_) | Value::Int64(_) | Value::Bool(_) => (*value != expected.value())
                .then(|| format!("{value:?} instead of {:?}", expected.value())),
            _ => {
                let tolerance = if case.name.contains("PROBIT") {
                    PROBIT_TOLERANCE
                } else {
                    TOLERANCE
                };
                mismatches(&elements(value), &expected.numbers(), tolerance)
            }
        };
        match problem {
            Some(_) if answers_differ => return Ok(()),
            Some(problem) => return Err(format!("{name}: {problem}")),
            None => {}
        }
    }
    if answers_differ {
        Err("answers alike, but is listed as different".into())
    } else {
        Ok(())
    }
}
