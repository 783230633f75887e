//! Makes of an HTTP request the event that API Gateway's REST API would send: the Lambda proxy integration's input.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use serde::Serialize;

/// The event for a request of head `head` and body `body`.
pub(crate) fn event(head: &Parts, body: &[u8], request_id: &str) -> serde_json::Result<Vec<u8>> {
    let path = head.uri.path();
    let http_method = head.method.as_str();
    let text = str::from_utf8(body).ok();
    let query = Multi::query(head.uri.query().unwrap_or_default());
    let headers = Multi::headers(&head.headers);
    serde_json::to_vec(&ProxyEvent {
        resource: RESOURCE,
        path,
        http_method,
        headers: headers.last(),
        multi_value_headers: headers.all(),
        query_string_parameters: query.last(),
        multi_value_query_string_parameters: query.all(),
        path_parameters: BTreeMap::from([("proxy", path.trim_start_matches('/'))]),
        stage_variables: None,
        request_context: RequestContext {
            resource_path: RESOURCE,
            http_method,
            path,
            protocol: match head.version {
                Version::HTTP_10 => "HTTP/1.0",
                _ => "HTTP/1.1",
            },
            stage: "local",
            request_id,
        },
        body: match text {
            Some("") => None,
            Some(text) => Some(text.into()),
            None => Some(BASE64_STANDARD.encode(body).into()),
        },
        is_base64_encoded: text.is_none(),
    })
}

const RESOURCE: &str = "/{proxy+}";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyEvent<'a> {
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: Option<BTreeMap<&'a str, &'a str>>,
    multi_value_headers: Option<&'a Lists<'a>>,
    query_string_parameters: Option<BTreeMap<&'a str, &'a str>>,
    multi_value_query_string_parameters: Option<&'a Lists<'a>>,
    path_parameters: BTreeMap<&'a str, &'a str>,
    stage_variables: Option<()>,
    request_context: RequestContext<'a>,
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    resource_path: &'a str,
    http_method: &'a str,
    path: &'a str,
    protocol: &'a str,
    stage: &'a str,
    request_id: &'a str,
}

/// Names with any number of values each. The gateway writes null where there is no name at all.
struct Multi<'a>(Lists<'a>);

type Lists<'a> = BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>;

impl<'a> Multi<'a> {
    fn headers(headers: &'a HeaderMap) -> Self {
        let pairs = headers.iter();
        Self::collect(pairs.map(|(name, value)| {
            (
                name.as_str().into(),
                String::from_utf8_lossy(value.as_bytes()),
            )
        }))
    }

    fn query(query: &'a str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self::collect(pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        }))
    }

    fn collect(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Self {
        let mut values = Lists::new();
        for (name, value) in pairs {
            values.entry(name).or_default().push(value);
        }
        Self(values)
    }

    fn all(&self) -> Option<&Lists<'a>> {
        (!self.0.is_empty()).then_some(&self.0)
    }

    fn last(&self) -> Option<BTreeMap<&str, &str>> {
        self.all().map(|all| {
            all.iter()
                .filter_map(|(name, values)| Some((&**name, &**values.last()?)))
                .collect()
        })
    }
}

fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned()
            .into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use serde_json::{Value, json};

    fn event_of(uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("the request is valid").into_parts();
        let event = event(&head, body, "local-7").expect("it can be written");
        serde_json::from_slice(&event).expect("it is JSON")
    }

    #[test]
    fn has_the_fields_of_a_proxy_event() {
        let headers = [
            ("Accept", "a/b"),
            ("Content-Type", "application/json"),
            ("accept", "c/d"),
        ];
        let event = event_of(
            "/v1/predict?a=1&b=x%20y&a=2&c",
            &headers,
            b"{\"values\": []}",
        );
        let expected = json!({
            "resource": "/{proxy+}",
            "path": "/v1/predict",
            "httpMethod": "POST",
            "headers": {"accept": "c/d", "content-type": "application/json"},
            "multiValueHeaders": {"accept": ["a/b", "c/d"], "content-type": ["application/json"]},
            "queryStringParameters": {"a": "2", "b": "x y", "c": ""},
            "multiValueQueryStringParameters": {"a": ["1", "2"], "b": ["x y"], "c": [""]},
            "pathParameters": {"proxy": "v1/predict"},
            "stageVariables": null,
            "requestContext": {
                "resourcePath": "/{proxy+}",
                "httpMethod": "POST",
                "path": "/v1/predict",
                "protocol": "HTTP/1.1",
                "stage": "local",
                "requestId": "local-7",
            },
            "body": "{\"values\": []}",
            "isBase64Encoded": false,
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn a_body_that_is_not_text_is_base64() {
        struct Case {
            body: &'static [u8],
            expected: Value,
            is_base64: bool,
        }
        let cases = [
            Case {
                body: b"",
                expected: Value::Null,
                is_base64: false,
            },
            Case {
                body: b"{}",
                expected: json!("{}"),
                is_base64: false,
            },
            Case {
                body: "é".as_bytes(),
                expected: json!("é"),
                is_base64: false,
            },
            Case {
                body: b"\xff\x00",
                expected: json!("/wA="),
                is_base64: true,
            },
        ];
        for case in cases {
            let event = event_of("/", &[], case.body);
            assert_eq!(event["body"], case.expected);
            assert_eq!(event["isBase64Encoded"], case.is_base64);
            assert_eq!(event["headers"], Value::Null);
            assert_eq!(event["queryStringParameters"], Value::Null);
        }
    }
}
