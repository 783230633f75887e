//! Real events, to the character of their responses.

mod common;

use common::Server;

struct Case {
    event: &'static str,
    response: &'static str,
}

macro_rules! event {
    ($name:literal) => {
        include_str!(concat!("data/", $name, ".json"))
    };
}

#[test]
fn every_sender_gets_its_response() {
    let cases = [
        Case {
            event: event!("original_setosa"),
            response: r#"{"statusCode": 200, "body": "{\"prediction\": [0]}"}"#,
        },
        Case {
            event: event!("original_virginica"),
            response: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}"}"#,
        },
        Case {
            event: event!("direct"),
            response: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}"}"#,
        },
        Case {
            event: event!("rest_v1"),
            response: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
        },
        Case {
            event: event!("rest_v1_base64"),
            response: r#"{"statusCode": 200, "body": "{\"prediction\": [0]}", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
        },
        Case {
            event: event!("rest_v1_no_body"),
            response: r#"{"statusCode": 400, "body": "\"Error: Missing input values.\"", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
        },
        Case {
            event: event!("http_v2"),
            response: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
        },
        Case {
            event: event!("function_url_base64"),
            response: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
        },
        Case {
            event: event!("alb"),
            response: r#"{"statusCode": 200, "statusDescription": "200 OK", "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
        },
        Case {
            event: event!("alb_multi_value"),
            response: r#"{"statusCode": 200, "statusDescription": "200 OK", "body": "{\"prediction\": [2]}", "multiValueHeaders": {"content-type": ["application/json"]}, "isBase64Encoded": false}"#,
        },
        Case {
            event: event!("alb_bad_body"),
            response: r#"{"statusCode": 400, "statusDescription": "400 Bad Request", "body": "\"Error: body: not valid JSON: expected value at line 1 column 1\"", "headers": {"content-type": "application/json"}, "isBase64Encoded": false}"#,
        },
    ];
    let server = Server::start(&[]);
    for case in cases {
        assert_eq!(server.invoke(case.event), case.response, "{}", case.event);
    }
}
