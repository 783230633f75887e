//! Responses, in the shape that whoever sent the event wants.

use axum::http::StatusCode;
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::python_json as python;

/// The type of every body.
pub(crate) const CONTENT_TYPE: &str = "application/json";

/// What surrounds the status and the body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Nothing: the event came from no gateway.
    Bare,
    /// What API Gateway's REST (v1) and HTTP (v2) APIs and Function URLs take.
    Gateway,
    /// What an Application Load Balancer takes, which depends on how its target group sends headers.
    LoadBalancer { multi_value_headers: bool },
}

/// The answer to one event.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) shape: Shape,
    pub(crate) status: StatusCode,
    /// JSON.
    pub(crate) body: String,
}

impl Response {
    /// The response object, spelled as Python spells it.
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
        let headers = match self.shape {
            Shape::Bare => "",
            Shape::Gateway
            | Shape::LoadBalancer {
                multi_value_headers: false,
            } => {
                ", \"headers\": {\"content-type\": \"application/json\"}, \"isBase64Encoded\": false"
            }
            Shape::LoadBalancer {
                multi_value_headers: true,
            } => {
                ", \"multiValueHeaders\": {\"content-type\": [\"application/json\"]}, \"isBase64Encoded\": false"
            }
        };
        json.push_str(headers);
        json.push('}');
        json
    }
}

impl Serialize for Response {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_json())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

/// The body that tells of an error.
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
                shape: Shape::Gateway,
                status: StatusCode::OK,
                json: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
            },
            Case {
                shape: Shape::LoadBalancer {
                    multi_value_headers: false,
                },
                status: StatusCode::BAD_REQUEST,
                json: r#"{"statusCode": 400, "statusDescription": "400 Bad Request", "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
            },
            Case {
                shape: Shape::LoadBalancer {
                    multi_value_headers: true,
                },
                status: StatusCode::INTERNAL_SERVER_ERROR,
                json: r#"{"statusCode": 500, "statusDescription": "500 Internal Server Error", "body": "{\"prediction\": [2]}", "multiValueHeaders": {"content-type": ["application/json"]}, "isBase64Encoded": false}"#,
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
