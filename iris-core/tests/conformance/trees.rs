use serde::Deserialize;

use crate::common::{Case, data, elements};
use crate::runner::{Differences, run};
use iris_core::{Model, Value};

const DECLARED_DOUBLE: &str = "the graph declares a double output, the operator gives a float one";
const ONE_DIMENSION: &str = "a vector is one sample, to onnxruntime's own kernels too";
const INTEGERS: &str = "the specification allows integers, onnxruntime has no kernel for them";
const TENSORS: &str = "tensors of either type go with any input";
const BASE_VALUES: &str = "onnxruntime's answers to such base values do not depend on all votes, or not on the base values";
const ONE_LABEL: &str = "onnxruntime answers 0 and 1, whatever the labels are";
const LOGISTIC: &str = "a probability above a half is the second class's, as in scikit-learn; \
     onnxruntime asks for a sum above a half where no weight is negative";

#[test]
fn trees() {
    let differences = Differences {
        accepted: &[
            ("export/random_forest_regressor_f64", DECLARED_DOUBLE),
            ("types/regressor_f32_one_dimension", ONE_DIMENSION),
            ("types/regressor_f64_one_dimension", ONE_DIMENSION),
            ("types/regressor_i", INTEGERS),
            ("types/regressor_float32_tensors_f64", TENSORS),
            ("types/regressor_float32_tensors_i", INTEGERS),
            ("types/regressor_float64_tensors_f32", TENSORS),
            ("types/regressor_float64_tensors_i", TENSORS),
            ("types/classifier_f32_one_dimension", ONE_DIMENSION),
            ("types/classifier_f64_one_dimension", ONE_DIMENSION),
            ("types/classifier_i32_one_dimension", ONE_DIMENSION),
            ("types/classifier_i64_one_dimension", ONE_DIMENSION),
            ("types/classifier_float32_tensors_f64", TENSORS),
            ("types/classifier_float64_tensors_f32", TENSORS),
            ("types/classifier_float64_tensors_i", TENSORS),
            ("rounding/threshold_float64_tensor_f32", TENSORS),
            ("rounding/threshold_float32_tensor_f64", TENSORS),
            ("rounding/large_i", INTEGERS),
            (
                "five/members_fractions",
                "the specification allows any members of a set",
            ),
            ("five/one_dimension", ONE_DIMENSION),
            ("five/shared_subtree", "a shared subtree ends every walk"),
        ],
        refused: &[
            ("refused/no_nodes", "there is nothing to aggregate"),
            ("refused/binary_", BASE_VALUES),
            (
                "five/refused_mode_unknown",
                "onnxruntime takes an unknown question for another",
            ),
            ("five/refused_roots_empty", "there is nothing to aggregate"),
            (
                "five/refused_root_twice",
                "no exporter writes a tree twice: it would be a mistake",
            ),
        ],
        refused_in_part: &[],
        otherwise: &[
            ("classifier/NONE-1", ONE_LABEL),
            ("classifier/LOGISTIC-1", ONE_LABEL),
            ("classifier/SOFTMAX-1", ONE_LABEL),
            ("classifier/SOFTMAX_ZERO-1", ONE_LABEL),
            ("classifier/PROBIT-1", ONE_LABEL),
            ("edge/labels_of_two_voted_for", ONE_LABEL),
            ("binary/LOGISTIC-first-positive", LOGISTIC),
            ("binary/LOGISTIC-first-base-strings-positive", LOGISTIC),
            ("binary/LOGISTIC-second-positive", LOGISTIC),
            (
                "edge/base_of_a_target_without_votes",
                "base values are added to every target, as specified",
            ),
            (
                "edge/chain_missing_001",
                "onnxruntime makes one node of a chain and forgets all flags but the first",
            ),
        ],
    };
    run("trees", &differences);
}

/// What scikit-learn, LightGBM or XGBoost answered to the rows of a case that was exported from it.
#[derive(Deserialize)]
struct Exported {
    #[serde(flatten)]
    case: Case,
    sklearn: Option<Answers>,
}

#[derive(Deserialize)]
struct Answers {
    labels: Option<Vec<serde_json::Value>>,
    scores: Vec<f64>,
}

/// The largest distance of scores from those of the estimator.
fn distance(scores: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(scores.len(), expected.len());
    let apart = scores.iter().zip(expected).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f64::max)
}

#[test]
fn exports_answer_as_the_estimator_did() {
    let cases: Vec<Exported> = serde_json::from_slice(&data("trees/cases.json")).unwrap();
    let mut seen = 0;
    for Exported { case, sklearn } in cases {
        let (Some(answers), Some(of_onnxruntime)) = (sklearn, &case.outputs) else {
            continue;
        };
        seen += 1;
        let model = Model::from_bytes(&case.model).unwrap();
        let feeds = case
            .feeds
            .iter()
            .map(|feed| (feed.name.as_str(), feed.value()));
        let outputs = model.run(feeds).unwrap();
        let (_, last) = outputs.iter().last().unwrap();
        let theirs = elements(&of_onnxruntime.last().unwrap().value());
        let ours = distance(&elements(last), &answers.scores);
        let theirs = distance(&theirs, &answers.scores);
        assert!(
            ours <= theirs + 1e-6,
            "{}: {ours:e} is more than {theirs:e}",
            case.name
        );
        let (_, first) = outputs.first().unwrap();
        if let Some(expected) = answers.labels {
            let agreeing = |labels: &Value| {
                let labels: Vec<serde_json::Value> = match labels {
                    Value::Int64(labels) => labels.iter().map(|&label| label.into()).collect(),
                    Value::String(labels) => labels.iter().map(|l| l.as_str().into()).collect(),
                    other => panic!("{}: no labels: {other:?}", case.name),
                };
                labels.iter().zip(&expected).filter(|(a, b)| a == b).count()
            };
            let ours = agreeing(first);
            let theirs = agreeing(&of_onnxruntime[0].value());
            let all = case.name.contains("missing") || ours == expected.len();
            assert!(
                ours >= theirs && all,
                "{}: {ours} of {}",
                case.name,
                expected.len()
            );
        }
    }
    assert!(seen > 30, "{seen}");
}
