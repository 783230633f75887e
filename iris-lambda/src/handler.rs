//! Answers events: reads one, asks the model, writes the response, and logs and counts what was done.
//!
//! However events come, by Lambda's Runtime API or over HTTP, the [`Handler`] answers them in the same way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hyper::StatusCode;
use iris_core::Rows;
use tracing::Level;

use crate::error::{Error, Result, caught};
use crate::event::{Asked, Event};
use crate::observe::log_line::Line;
use crate::observe::metrics::{Metrics, Sample};
use crate::python_json as python;
use crate::reply::response::{Response, Shape, error_body};
use crate::reply::{health, prediction};
use crate::served_model::Served;
use crate::settings::MAX_BYTES;

/// The served model, with what answering for it takes.
pub(crate) struct Handler {
    served: Served,
    metrics: Option<Metrics>,
    /// Whether no event was answered yet.
    is_cold: AtomicBool,
}

/// The answer to an event, before it has the shape of a response.
struct Outcome {
    status: StatusCode,
    body: String,
    /// How many rows were predicted.
    n_samples: usize,
}

impl Handler {
    /// A handler that serves a model, and counts what it does if there are metrics.
    pub(crate) fn new(served: Served, metrics: Option<Metrics>) -> Self {
        Self {
            served,
            metrics,
            is_cold: AtomicBool::new(true),
        }
    }

    /// The name of the model.
    pub(crate) fn name(&self) -> &str {
        &self.served.name
    }

    /// The description of what is served, as JSON.
    pub(crate) fn health(&self) -> String {
        health::describe(&self.served.name, &self.served.model)
    }

    /// Answers an event, whatever its bytes are, and logs what was done.
    pub(crate) fn handle(&self, request_id: &str, event: &[u8]) -> Response {
        let n_features = self.served.model.n_features();
        self.handle_read(request_id, || Event::parse(event, n_features))
    }

    /// Answers an HTTP request as a REST API in front of the function would, and logs what was done.
    pub(crate) fn handle_http(&self, request_id: &str, method: &str, body: &[u8]) -> Response {
        self.handle_read(request_id, || Event::of_http(method, body))
    }

    /// Answers the event that `read` gives.
    fn handle_read<'a>(
        &self,
        request_id: &str,
        read: impl FnOnce() -> Result<Event<'a>>,
    ) -> Response {
        let start = Instant::now();
        let is_cold = self.is_cold.swap(false, Ordering::Relaxed);
        let (shape, outcome) = attempt(read, |event| self.answer(event));
        let latency = start.elapsed();
        let (status, n_samples) = match &outcome {
            Ok(outcome) => (outcome.status, outcome.n_samples),
            Err(error) => (error.status, 0),
        };
        let error = outcome.as_ref().err();
        log(
            status,
            error,
            &Sample {
                request_id,
                n_samples,
                latency,
                is_cold,
                error_class: error.map(Error::class),
            },
            self.metrics.as_ref(),
        );
        let body = outcome.map_or_else(|error| error_body(&error), |outcome| outcome.body);
        Response {
            shape,
            status,
            body,
        }
    }

    /// Does what an event asks for.
    fn answer(&self, event: Event<'_>) -> Result<Outcome> {
        match event.asked() {
            Asked::Prediction => self.predict(event),
            Asked::Health => Ok(Outcome {
                status: StatusCode::OK,
                body: self.health(),
                n_samples: 0,
            }),
            Asked::Preflight => Ok(Outcome {
                status: StatusCode::NO_CONTENT,
                body: String::new(),
                n_samples: 0,
            }),
        }
    }

    /// Answers the request for predictions that an event holds.
    fn predict(&self, event: Event<'_>) -> Result<Outcome> {
        let model = &self.served.model;
        let request = event.request(model.n_features())?;
        let proba = request.proba;
        let values = &request.into_values()?;
        let (prediction, scores) = if proba {
            let (prediction, scores) = model.predict_with_proba(values)?;
            (prediction, Some(scores))
        } else {
            (model.predict(values)?, None)
        };
        let mut body = String::with_capacity(32 + 8 * values.n_samples());
        body.push_str("{\"prediction\": ");
        prediction::write(&mut body, &prediction)?;
        if let Some(scores) = scores {
            body.push_str(", \"probability\": ");
            python::list(&mut body, scores.rows(), |body, row| {
                python::list(body, row, |body, &score| python::float(body, score.into()));
            });
        }
        body.push('}');
        if body.len() > MAX_BYTES {
            return Err(Error::bad_request(format!(
                "the answer to {} rows has {} bytes, at most {MAX_BYTES} can be sent: ask for fewer rows",
                values.n_samples(),
                body.len()
            )));
        }
        Ok(Outcome {
            status: StatusCode::OK,
            body,
            n_samples: values.n_samples(),
        })
    }
}

/// Reads an event and answers it; a fault or panic in either step becomes an error, in the shape that the event's sender
/// understands as far as the event was read.
fn attempt<'a>(
    read: impl FnOnce() -> Result<Event<'a>>,
    answer: impl FnOnce(Event<'a>) -> Result<Outcome>,
) -> (Shape, Result<Outcome>) {
    match caught(read) {
        Ok(event) => (event.shape(), caught(|| answer(event))),
        Err(error) => (Shape::Bare, Err(error)),
    }
}

/// Logs what was done with an event, and counts it if there are metrics.
fn log(status: StatusCode, error: Option<&Error>, sample: &Sample<'_>, metrics: Option<&Metrics>) {
    let line = Line {
        status: status.as_u16(),
        sample,
        error: error.map(Error::log_message),
    };
    if status.is_server_error() {
        if tracing::enabled!(Level::ERROR) {
            line.write("ERROR", "failed");
        }
    } else if tracing::enabled!(Level::INFO) {
        line.write("INFO", "answered");
    }
    if let Some(metrics) = metrics {
        metrics.record(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use iris_core::Model;

    fn handler(model: Model) -> Handler {
        let name = "iris".into();
        Handler::new(Served { name, model }, None)
    }

    fn iris() -> Handler {
        handler(Model::iris().expect("the embedded model loads"))
    }

    #[test]
    fn answers_what_it_can_and_refuses_the_rest() {
        struct Case {
            event: &'static str,
            status: u16,
            body: &'static str,
        }
        let cases = [
            Case {
                event: r#"{"values": [[5.9, 3.0, 5.1, 2.3]]}"#,
                status: 200,
                body: r#"{"prediction": [2]}"#,
            },
            Case {
                event: r#"{"values": [[0.1, 2, 0.1, 3], [5.9, 3.0, 5.1, 2.3]], "proba": false}"#,
                status: 200,
                body: r#"{"prediction": [0, 2]}"#,
            },
            Case {
                event: "{}",
                status: 400,
                body: r#""Error: Missing input values.""#,
            },
            Case {
                event: r#"{"values": [[1, 2, 3, 4], [1, 2, 1e39, 4]]}"#,
                status: 400,
                body: r#""Error: input \"X\": row 1, column 2: 1e39 does not fit the model's input type, float""#,
            },
            Case {
                event: r#"{"values": "é"#,
                status: 400,
                body: r#""Error: event: not valid JSON: EOF while parsing a string at line 1 column 14""#,
            },
        ];
        let handler = iris();
        for case in cases {
            let response = handler.handle("test", case.event.as_bytes());
            assert_eq!(response.body, case.body);
            assert_eq!(response.status, case.status);
        }
    }

    const FROM_LOAD_BALANCER: &[u8] =
        br#"{"values": [[5.9, 3.0, 5.1, 2.3]], "requestContext": {"elb": {}}}"#;

    #[test]
    fn a_fault_of_ours_is_answered_in_the_sender_s_shape() {
        let faults: [fn(Event<'_>) -> Result<Outcome>; 2] =
            [|_| panic!("secret"), |_| Err(Error::internal("secret"))];
        for fault in faults {
            let (shape, outcome) = attempt(|| Event::parse(FROM_LOAD_BALANCER, None), fault);
            let error = outcome.err().expect("it fails");
            assert_eq!(error.status, 500);
            assert_eq!(error_body(&error), r#""Error: internal error""#);
            let multi_value_headers = false;
            assert_eq!(
                shape,
                Shape::LoadBalancer {
                    multi_value_headers
                }
            );
        }
    }

    #[test]
    fn goes_on_after_a_fault_of_ours() {
        let handler = iris();
        let faults: [fn() -> Result<Event<'static>>; 2] =
            [|| panic!("secret"), || Err(Error::internal("secret"))];
        for fault in faults {
            let response = handler.handle_read("test", fault);
            assert_eq!(response.status, 500);
            assert_eq!(response.body, r#""Error: internal error""#);
            assert_eq!(response.shape, Shape::Bare);
            assert_eq!(handler.handle("test", FROM_LOAD_BALANCER).status, 200);
        }
    }

    #[test]
    fn probabilities_are_the_model_s() {
        let model = Model::iris().expect("the embedded model loads");
        let rows = [[5.9, 3.0, 5.1, 2.3], [0.1, 2.0, 0.1, 3.0]];
        let expected = model.predict_proba(rows).expect("rows are right");
        let event = format!("{{\"proba\": true, \"values\": {rows:?}}}");
        let response = handler(model).handle("test", event.as_bytes());
        let body: serde_json::Value =
            serde_json::from_str(&response.body).expect("the body is JSON");
        let scores = expected
            .rows()
            .into_iter()
            .map(|row| row.mapv(f64::from).to_vec());
        assert_eq!(
            body["probability"],
            serde_json::json!(scores.collect::<Vec<_>>())
        );
        assert_eq!(body["prediction"], serde_json::json!([2, 0]));
        assert!(
            response
                .body
                .starts_with(r#"{"prediction": [2, 0], "probability": [[0.00"#)
        );
    }

    /// The model of the case `name` of iris-core's conformance tests.
    fn recorded(family: &str, name: &str) -> Model {
        let path = format!(
            "{}/../iris-core/tests/data/{family}/cases.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let cases = std::fs::read(path).expect("iris-core has its cases");
        let cases: Vec<serde_json::Value> = serde_json::from_slice(&cases).expect("they are JSON");
        let case = cases.iter().find(|case| case["name"] == name);
        let model = case
            .and_then(|case| case["model"].as_str())
            .expect("there is such a case");
        let model = BASE64_STANDARD.decode(model).expect("the model is base64");
        Model::from_bytes(model).expect("the model loads")
    }

    #[test]
    fn string_labels_are_strings() {
        let model = recorded("svm", "skl2onnx/three_strings_probability");
        let n_features = model.n_features().expect("the model fixes it");
        let row = vec![0.5; n_features];
        let event = format!("{{\"values\": [{row:?}]}}");
        let labels = model.predict([row]).expect("the row is right");
        let label = &labels.as_strings().expect("labels are strings")[0];
        let response = handler(model).handle("test", event.as_bytes());
        assert_eq!(response.body, format!("{{\"prediction\": [\"{label}\"]}}"));
    }

    #[test]
    fn targets_are_numbers_and_have_no_probabilities() {
        let model = recorded("svm_regressor", "skl2onnx/SVR_rbf");
        let n_features = model.n_features().expect("the model fixes it");
        let row = vec![0.5; n_features];
        let event = format!("{{\"values\": [{row:?}]}}");
        let prediction = model.predict([row.clone()]).expect("the row is right");
        let target = prediction.as_values().and_then(iris_core::Value::as_float);
        let target = f64::from(target.expect("targets are floats")[0]);
        let handler = handler(model);
        let response = handler.handle("test", event.as_bytes());
        assert_eq!(response.body, format!("{{\"prediction\": [{target:?}]}}"));
        let event = format!("{{\"values\": [{row:?}], \"proba\": true}}");
        let response = handler.handle("test", event.as_bytes());
        assert_eq!(response.status, 400);
        assert_eq!(
            response.body,
            r#""Error: the model gives \"variable\", none of them probabilities""#
        );
    }
}
