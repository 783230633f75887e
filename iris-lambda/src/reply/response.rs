//! Response objects, each in the shape that the sender of its event understands.

use hyper::StatusCode;
use hyper::header::{self, HeaderName};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::python_json as python;

/// The content type of every body.
pub(crate) const CONTENT_TYPE: &str = "application/json";

/// The names and values of headers.
pub(crate) type Headers = &'static [(HeaderName, &'static str)];

/// The headers of a response with a body. Any page may read the answers, since they depend on no cookie.
static BODY_HEADERS: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, CONTENT_TYPE),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];

/// The headers of a response without a body, which is the answer to a browser that asks whether it may send JSON to another
/// origin: <https://fetch.spec.whatwg.org/#cors-preflight-fetch>.
static PREFLIGHT_HEADERS: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, content-type, x-amz-date, x-amz-security-token, x-api-key",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "86400"),
];

/// The members that a response object has beside the status and the body, which depend on the sender of the event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Nothing, since the event came from no gateway.
    Bare,
    /// Headers, as API Gateway's REST API takes them, and its HTTP API with the first payload format.
    RestApi,
    /// Headers and cookies, as API Gateway's HTTP API and Function URLs take them with the second payload format.
    /// cargo-lambda's emulator insists on the cookies; the first format does not permit them.
    HttpApi,
    /// A status text and headers, as an Application Load Balancer takes them. It takes lists of values where its target
    /// group sends lists.
    LoadBalancer { multi_value_headers: bool },
}

/// The answer to one event.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) shape: Shape,
    pub(crate) status: StatusCode,
    /// JSON, or an empty text.
    pub(crate) body: String,
}

impl Response {
    /// The headers of the response, where its shape has any. A response without a body is one that permits a browser to ask.
    pub(crate) fn headers(&self) -> Headers {
        if self.body.is_empty() {
            &PREFLIGHT_HEADERS
        } else {
            &BODY_HEADERS
        }
    }

    /// The response object as JSON, spelled as Python spells it.
    pub(crate) fn to_json(&self) -> String {
        let mut json = String::with_capacity(self.body.len() + 256);
        json.push_str("{\"statusCode\": ");
        python::int(&mut json, self.status.as_u16());
        if let Shape::LoadBalancer { .. } = self.shape {
            json.push_str(", \"statusDescription\": ");
            python::string(&mut json, &self.status.to_string());
        }
        json.push_str(", \"body\": ");
        python::string(&mut json, &self.body);
        match self.shape {
            Shape::Bare => {}
            Shape::RestApi
            | Shape::HttpApi
            | Shape::LoadBalancer {
                multi_value_headers: false,
            } => write_headers(&mut json, "headers", self.headers(), python::string),
            Shape::LoadBalancer {
                multi_value_headers: true,
            } => write_headers(
                &mut json,
                "multiValueHeaders",
                self.headers(),
                |json, value| python::list(json, [value], python::string),
            ),
        }
        if self.shape == Shape::HttpApi {
            json.push_str(", \"cookies\": []");
        }
        json.push('}');
        json
    }
}

/// Writes the headers as an object under `key`, and what the shapes with headers have after them.
fn write_headers(json: &mut String, key: &str, headers: Headers, write: fn(&mut String, &str)) {
    json.push_str(", ");
    python::string(json, key);
    let mut before = ": {";
    for (name, value) in headers {
        json.push_str(before);
        python::string(json, name.as_str());
        json.push_str(": ");
        write(json, value);
        before = ", ";
    }
    json.push_str("}, \"isBase64Encoded\": false");
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_json())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

/// The body of a response that tells of an error: a JSON string.
pub(crate) fn error_body(error: &Error) -> String {
    let mut body = String::new();
    python::string(&mut body, &format!("Error: {}", error.message));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_gets_its_shape() {
        struct Case {
            shape: Shape,
            status: StatusCode,
            json: &'static str,
        }
        let cases = [
            Case {
                shape: Shape::Bare,
                status: StatusCode::OK,
                json: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}"}"#,
            },
            Case {
                shape: Shape::RestApi,
                status: StatusCode::OK,
                json: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json", "access-control-allow-origin": "*"}, "isBase64Encoded": false}"#,
            },
            Case {
                shape: Shape::HttpApi,
                status: StatusCode::OK,
                json: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json", "access-control-allow-origin": "*"}, "isBase64Encoded": false, "cookies": []}"#,
            },
            Case {
                shape: Shape::LoadBalancer {
                    multi_value_headers: false,
                },
                status: StatusCode::BAD_REQUEST,
                json: r#"{"statusCode": 400, "statusDescription": "400 Bad Request", "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json", "access-control-allow-origin": "*"}, "isBase64Encoded": false}"#,
            },
            Case {
                shape: Shape::LoadBalancer {
                    multi_value_headers: true,
                },
                status: StatusCode::INTERNAL_SERVER_ERROR,
                json: r#"{"statusCode": 500, "statusDescription": "500 Internal Server Error", "body": "{\"prediction\": [2]}", "multiValueHeaders": {"content-type": ["application/json"], "access-control-allow-origin": ["*"]}, "isBase64Encoded": false}"#,
            },
        ];
        for case in cases {
            let body = r#"{"prediction": [2]}"#.into();
            let response = Response {
                shape: case.shape,
                status: case.status,
                body,
            };
            assert_eq!(response.to_json(), case.json);
            assert_eq!(
                serde_json::to_string(&response).expect("it is JSON"),
                case.json
            );
        }
    }
}
