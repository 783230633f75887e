//! Tests of reading events: what is asked, whom to answer, and which messages refuse the rest.

use iris_core::Rows;

use super::*;
use crate::settings::MAX_BYTES;

fn read(event: &str) -> Result<(Shape, Request)> {
    let event = Event::parse(event.as_bytes(), Some(1))?;
    Ok((event.shape(), event.request(Some(1))?))
}

#[test]
fn finds_the_request_and_whom_to_answer() {
    let bare = Shape::Bare;
    let rest = Shape::RestApi;
    let http = Shape::HttpApi;
    let alb = Shape::LoadBalancer {
        multi_value_headers: false,
    };
    let alb_multi = Shape::LoadBalancer {
        multi_value_headers: true,
    };
    let cases = [
        ("", bare, None),
        (" \n", bare, None),
        ("{}", bare, None),
        (r#"{"values": null}"#, bare, None),
        (r#"{"values": [[1]]}"#, bare, Some(1.0)),
        (
            r#"{"values": [[1]], "other": {"values": 5}}"#,
            bare,
            Some(1.0),
        ),
        (
            r#"{"values": [[1]], "body": null, "requestContext": null}"#,
            bare,
            Some(1.0),
        ),
        (
            r#"{"values": [[1]], "body": "{\"values\": [[2]]}"}"#,
            bare,
            Some(2.0),
        ),
        (r#"{"body": null}"#, bare, None),
        (r#"{"body": ""}"#, bare, None),
        (r#"{"body": "null"}"#, bare, None),
        (
            r#"{"body": "{\"body\": 5, \"values\": [[1]]}"}"#,
            bare,
            Some(1.0),
        ),
        (
            r#"{"body": "eyJ2YWx1ZXMiOiBbWzNdXX0=", "isBase64Encoded": true}"#,
            bare,
            Some(3.0),
        ),
        (
            r#"{"body": "{\"values\": [[4]]}", "requestContext": {}}"#,
            rest,
            Some(4.0),
        ),
        (
            r#"{"requestContext": {"http": {}}, "multiValueHeaders": {}}"#,
            http,
            None,
        ),
        (
            r#"{"requestContext": {"elb": {}}, "headers": {}}"#,
            alb,
            None,
        ),
        (
            r#"{"requestContext": {"elb": {}}, "multiValueHeaders": {}}"#,
            alb_multi,
            None,
        ),
        (
            r#"{"multiValueHeaders": null, "requestContext": {"elb": {}}}"#,
            alb,
            None,
        ),
    ];
    for (text, shape, value) in cases {
        let (got, request) = read(text).expect("it is an event");
        assert_eq!(got, shape, "{text}");
        let got = request.into_values().ok().map(|values| values.get(0, 0));
        assert_eq!(got, value, "{text}");
    }
}

#[test]
fn tells_what_a_method_asks_for() {
    let cases = [
        (r#"{"httpMethod": "GET"}"#, Asked::Prediction),
        (r#"{"httpMethod": "OPTIONS"}"#, Asked::Prediction),
        (r#"{"requestContext": {}}"#, Asked::Prediction),
        (
            r#"{"requestContext": {}, "httpMethod": null}"#,
            Asked::Prediction,
        ),
        (
            r#"{"requestContext": {"http": 7}, "httpMethod": 7}"#,
            Asked::Prediction,
        ),
        (
            r#"{"requestContext": {"http": {"path": "/", "method": "POST"}}}"#,
            Asked::Prediction,
        ),
        (
            r#"{"requestContext": {}, "httpMethod": "GET", "body": "{}"}"#,
            Asked::Prediction,
        ),
        (
            r#"{"requestContext": {}, "httpMethod": "GET", "body": ""}"#,
            Asked::Health,
        ),
        (
            r#"{"requestContext": {"http": {"method": "HEAD"}}}"#,
            Asked::Health,
        ),
        (
            r#"{"requestContext": {"http": {"method": "OPTIONS", "path": "/"}}, "body": "{"}"#,
            Asked::Preflight,
        ),
        (
            r#"{"httpMethod": "OPTIONS", "requestContext": {"elb": {}}}"#,
            Asked::Preflight,
        ),
    ];
    for (text, asked) in cases {
        let event = Event::parse(text.as_bytes(), Some(1)).expect("it is an event");
        assert_eq!(event.asked(), asked, "{text}");
    }
}

#[test]
fn an_http_request_is_an_event_of_a_rest_api() {
    let cases: [(&str, &[u8], Asked); 4] = [
        ("POST", b"{\"values\": [[1]]}", Asked::Prediction),
        ("POST", b"", Asked::Prediction),
        ("GET", b"", Asked::Health),
        ("OPTIONS", b"{", Asked::Preflight),
    ];
    for (method, body, asked) in cases {
        let event = Event::of_http(method, body).expect("it is text");
        assert_eq!(event.shape(), Shape::RestApi);
        assert_eq!(event.asked(), asked, "{method}");
    }
    let event = Event::of_http("POST", b"{\"values\": [[1]]}").expect("it is text");
    let request = event.request(Some(1)).expect("it is a request");
    assert_eq!(request.into_values().expect("it has values").get(0, 0), 1.0);
    let error = Event::of_http("POST", b"\xff").expect_err("it is not text");
    assert_eq!(error.message, "body: not valid UTF-8");
}

#[test]
fn refuses_a_body_that_is_too_large() {
    for (size, status) in [(MAX_BYTES, None), (MAX_BYTES + 1, Some(413))] {
        let event = format!(r#"{{"body": "{}{{}}"}}"#, " ".repeat(size - 2));
        let error = read(&event).map(|_| ()).err();
        assert_eq!(error.map(|error| error.status.as_u16()), status, "{size}");
    }
}

#[test]
fn gives_probabilities_where_they_are_wanted() {
    let cases = [
        ("{}", false),
        (r#"{"values": [[1]], "proba": false}"#, false),
        (r#"{"values": [[1]], "proba": true}"#, true),
        (r#"{"proba": true, "values": [[1]]}"#, true),
        (r#"{"body": "{\"proba\": true}"}"#, true),
        (r#"{"body": "{}", "proba": true}"#, false),
    ];
    for (text, proba) in cases {
        let (_, request) = read(text).expect("it is an event");
        assert_eq!(request.proba, proba, "{text}");
    }
}

#[test]
fn says_what_is_wrong() {
    let cases = [
        ("[]", "event: expected an object with values, got a list"),
        ("null", "event: expected an object with values, got null"),
        (
            "\"x\"",
            "event: expected an object with values, got a string",
        ),
        (
            "{",
            "event: not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "{} {}",
            "event: not valid JSON: trailing characters at line 1 column 4",
        ),
        (
            r#"{"proba": 1}"#,
            "proba: expected true or false, got a number",
        ),
        (
            r#"{"proba": null}"#,
            "proba: expected true or false, got null",
        ),
        (
            r#"{"isBase64Encoded": "true"}"#,
            "isBase64Encoded: expected true or false, got a string",
        ),
        (
            r#"{"body": {"values": [[1]]}}"#,
            "body: expected a string of JSON, got an object",
        ),
        (
            r#"{"body": "[[1]]"}"#,
            "body: expected an object with values, got a list",
        ),
        (
            r#"{"body": "{\"proba\": \"x\"}"}"#,
            "proba: expected true or false, got a string",
        ),
        (
            r#"{"body": "values=1"}"#,
            "body: not valid JSON: expected value at line 1 column 1",
        ),
        (
            r#"{"body": "{\"values\": [[NaN]]}"}"#,
            "row 0, column 0: NaN is not a finite number",
        ),
        (
            r#"{"body": "{}", "isBase64Encoded": true}"#,
            "body: not valid base64: Invalid symbol 123, offset 0.",
        ),
        (
            r#"{"body": "/w==", "isBase64Encoded": true}"#,
            "body: not valid UTF-8",
        ),
    ];
    for (event, expected) in cases {
        let error = read(event).map(|_| ()).expect_err(event);
        assert_eq!(error.message, expected, "{event}");
        assert_eq!(error.status, 400);
    }
    assert_eq!(
        Event::parse(b"{\"\xff\": 1}", None)
            .map(|_| ())
            .expect_err("not UTF-8")
            .status,
        400
    );
}
