//! Runs recorded cases and says where the answers are not onnxruntime's.

use iris_core::{Model, Value};

use crate::common::{Case, Tolerance, data, elements, mismatches};

/// Cases, by the start of their names, in which we mean to differ from onnxruntime, and why.
#[derive(Default)]
pub(crate) struct Differences {
    /// Models that we load and onnxruntime refuses to load or to run.
    pub(crate) accepted: &'static [(&'static str, &'static str)],
    /// Models that onnxruntime runs and we refuse to load or to run.
    pub(crate) refused: &'static [(&'static str, &'static str)],
    /// Models that onnxruntime runs, some of which we refuse; what we do answer is alike.
    pub(crate) refused_in_part: &'static [(&'static str, &'static str)],
    /// Models that we answer otherwise.
    pub(crate) otherwise: &'static [(&'static str, &'static str)],
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

/// Runs the cases of `tests/data/{family}/cases.json`.
pub(crate) fn run(family: &str, differences: &Differences) {
    let cases: Vec<Case> = serde_json::from_slice(&data(&format!("{family}/cases.json"))).unwrap();
    assert!(!cases.is_empty());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let failure = run_case(case, differences).err()?;
            Some(format!("{}: {failure}", case.name))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
    for (start, _) in [
        differences.accepted,
        differences.refused,
        differences.refused_in_part,
        differences.otherwise,
    ]
    .concat()
    {
        let is_used = cases.iter().any(|case| case.name.starts_with(start));
        assert!(is_used, "no case is called {start}");
    }
}

fn listed(list: &[(&str, &str)], case: &Case) -> bool {
    list.iter().any(|(start, _)| case.name.starts_with(start))
}

fn run_case(case: &Case, differences: &Differences) -> Result<(), String> {
    let model = match (Model::from_bytes(&case.model), &case.error) {
        (Err(error), _) if error.to_string().contains("panicked") => {
            return Err(format!("does not load: {error}"));
        }
        (Err(_), None) if listed(differences.refused, case) => return Ok(()),
        (Err(_), None) if listed(differences.refused_in_part, case) => return Ok(()),
        (Err(error), None) => return Err(format!("does not load: {error}")),
        (Err(_), Some(_)) => return Ok(()),
        (Ok(_), Some(_)) if listed(differences.accepted, case) => return Ok(()),
        (Ok(model), _) => model,
    };
    let feeds = case
        .feeds
        .iter()
        .map(|feed| (feed.name.as_str(), feed.value()));
    // Some refusals wait for the shapes or the values of the inputs, in onnxruntime and in ours.
    let is_refused = case.error.is_some() || listed(differences.refused, case);
    let may_be_refused = is_refused || listed(differences.refused_in_part, case);
    let outputs = match model.run(feeds) {
        Err(error) if error.to_string().contains("panicked") => {
            return Err(format!("does not run: {error}"));
        }
        Err(_) if may_be_refused => return Ok(()),
        Ok(_) if is_refused => return Err("loads and runs, but should not".into()),
        outputs => outputs.map_err(|error| format!("does not run: {error}"))?,
    };
    let expected = case.outputs.as_ref().unwrap();
    if outputs.len() != expected.len() {
        return Err(format!(
            "{} outputs, expected {}",
            outputs.len(),
            expected.len()
        ));
    }
    let answers_differ = listed(differences.otherwise, case);
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
