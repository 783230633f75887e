//! The line that is logged of each event.
//!
//! The line looks like those that `tracing` writes for everything else, but is written by hand: the subscriber takes longer over
//! one line than the handler takes over one answer.

use std::fmt::Write;
use std::time::SystemTime;

use crate::observe::logging;
use crate::observe::metrics::Sample;
use crate::python_json as python;

/// The facts that the log has of an event.
pub(crate) struct Line<'a> {
    pub(crate) status: u16,
    pub(crate) sample: &'a Sample<'a>,
    pub(crate) error: Option<&'a str>,
}

impl Line<'_> {
    /// Writes the line to the log.
    pub(crate) fn write(&self, level: &str, message: &str) {
        let mut time = String::with_capacity(32);
        let now = SystemTime::now().max(SystemTime::UNIX_EPOCH);
        // Writing the time fails only where the clock is beyond the year 9999; the line then has none, and all the rest.
        let _ = write!(time, "{}", humantime::format_rfc3339_micros(now));
        let line = self.spell(&time, level, message);
        logging::write(line.as_bytes());
    }

    /// The JSON of the line, with its line break.
    fn spell(&self, time: &str, level: &str, message: &str) -> String {
        let sample = self.sample;
        let mut line = String::with_capacity(256);
        let mut text = |key: &str, value: &str| {
            line.push_str(key);
            python::string(&mut line, value);
        };
        text("{\"timestamp\":", time);
        text(",\"level\":", level);
        text(",\"message\":", message);
        text(",\"request_id\":", sample.request_id);
        let mut number = |key: &str, value: u64| {
            line.push_str(key);
            python::int(&mut line, value as i64);
        };
        number(",\"status\":", self.status.into());
        number(",\"rows\":", sample.n_samples as u64);
        number(",\"micros\":", sample.latency.as_micros() as u64);
        line.push_str(if sample.is_cold {
            ",\"cold\":true"
        } else {
            ",\"cold\":false"
        });
        let texts = [
            (",\"error_class\":", sample.error_class),
            (",\"error\":", self.error),
            (",\"target\":", Some(module_path!())),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                line.push_str(key);
                python::string(&mut line, value);
            }
        }
        line.push_str("}\n");
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_line_is_json() {
        let mut sample = Sample {
            request_id: "request-\"1\"",
            n_samples: 3,
            latency: Duration::from_micros(12),
            is_cold: true,
            error_class: None,
        };
        let line = Line {
            status: 200,
            sample: &sample,
            error: None,
        };
        assert_eq!(
            line.spell("now", "INFO", "answered"),
            "{\"timestamp\":\"now\",\"level\":\"INFO\",\"message\":\"answered\",\"request_id\":\"request-\\\"1\\\"\",\
             \"status\":200,\"rows\":3,\"micros\":12,\"cold\":true,\"target\":\"iris_lambda::observe::log_line\"}\n"
        );
        sample.is_cold = false;
        sample.error_class = Some("InvalidInput");
        let line = Line {
            status: 400,
            sample: &sample,
            error: Some("row 0: é\n"),
        };
        let line: serde_json::Value =
            serde_json::from_str(&line.spell("now", "INFO", "answered")).expect("it is JSON");
        assert_eq!(line["cold"], false);
        assert_eq!(line["error_class"], "InvalidInput");
        assert_eq!(line["error"], "row 0: é\n");
    }
}
