//! Metrics of each event, in CloudWatch's embedded metric format: lines of the log from which CloudWatch makes metrics.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::observe::logging;
use crate::settings;

/// The measurements of one event.
pub(crate) struct Sample<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) n_samples: usize,
    pub(crate) latency: Duration,
    pub(crate) is_cold: bool,
    pub(crate) error_class: Option<&'a str>,
}

/// Writes metrics for one function.
pub(crate) struct Metrics {
    /// The name of the function, which is a dimension of its metrics.
    function: String,
}

impl Metrics {
    /// The metrics that `IRIS_METRICS` asks for, if any.
    ///
    /// # Errors
    /// If it asks for something else than `emf`.
    pub(crate) fn from_settings() -> Result<Option<Self>, String> {
        match settings::get("IRIS_METRICS").as_deref() {
            None => Ok(None),
            Some("emf") => {
                let function = settings::get("AWS_LAMBDA_FUNCTION_NAME");
                Ok(Some(Self {
                    function: function.unwrap_or_else(|| "iris-lambda".into()),
                }))
            }
            Some(other) => Err(format!("IRIS_METRICS: expected emf, got {other:?}")),
        }
    }

    /// Writes the line of one event to the log.
    pub(crate) fn record(&self, sample: &Sample<'_>) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let line = self.line(now.unwrap_or_default(), sample);
        logging::write(line.as_bytes());
    }

    fn line(&self, now: Duration, sample: &Sample<'_>) -> String {
        let count = |name: &str| json!({ "Name": name, "Unit": "Count" });
        let latency = json!({ "Name": "Latency", "Unit": "Microseconds" });
        let mut line = json!({
            "_aws": {
                "Timestamp": now.as_millis() as u64,
                "CloudWatchMetrics": [{
                    "Namespace": "iris-lambda",
                    "Dimensions": [["FunctionName"]],
                    "Metrics": [count("Rows"), latency, count("ColdStarts"), count("Errors")],
                }],
            },
            "FunctionName": self.function,
            "Rows": sample.n_samples,
            "Latency": sample.latency.as_micros() as u64,
            "ColdStarts": u8::from(sample.is_cold),
            "Errors": u8::from(sample.error_class.is_some()),
            "request_id": sample.request_id,
            "error_class": sample.error_class,
        })
        .to_string();
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_line_is_what_the_format_asks() {
        let metrics = Metrics {
            function: "iris".into(),
        };
        let now = Duration::from_millis(1_727_111_795_123);
        let line = metrics.line(
            now,
            &Sample {
                request_id: "request-1",
                n_samples: 3,
                latency: Duration::from_micros(12),
                is_cold: true,
                error_class: None,
            },
        );
        assert_eq!(line.matches('\n').count(), 1);
        let line: Value = serde_json::from_str(&line).expect("it is JSON");
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(line["_aws"]["Timestamp"], json!(1_727_111_795_123_u64));
        assert_eq!(directive["Namespace"], "iris-lambda");
        // Each name in the directive has to be a member of the line: a text for a dimension, a number for a metric.
        assert_eq!(directive["Dimensions"], json!([["FunctionName"]]));
        assert_eq!(line["FunctionName"], "iris");
        let metrics: Vec<_> = directive["Metrics"]
            .as_array()
            .expect("a list of metrics")
            .iter()
            .map(|metric| {
                let name = metric["Name"].as_str().expect("a metric has a name");
                (name, metric["Unit"].as_str(), line[name].as_u64())
            })
            .collect();
        let expected = [
            ("Rows", Some("Count"), Some(3)),
            ("Latency", Some("Microseconds"), Some(12)),
            ("ColdStarts", Some("Count"), Some(1)),
            ("Errors", Some("Count"), Some(0)),
        ];
        assert_eq!(metrics, expected);
        assert_eq!(line["request_id"], "request-1");
        assert_eq!(line["error_class"], Value::Null);
    }
}
