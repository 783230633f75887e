//! The local HTTP server's routes, and all that may be sent to them.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use common::{INVOCATIONS, Server, values};
use serde_json::{Value, json};

const GOOD: &str = r#"{"values": [[5.9, 3.0, 5.1, 2.3]]}"#;
const GOOD_BODY: &str = r#"{"prediction": [2]}"#;

#[test]
fn every_route_answers() {
    struct Case {
        method: &'static str,
        path: &'static str,
        body: &'static [u8],
        status: u16,
        reply: &'static str,
        allow: Option<&'static str>,
    }
    let post = Case {
        method: "POST",
        path: "/predict",
        body: GOOD.as_bytes(),
        status: 200,
        reply: GOOD_BODY,
        allow: None,
    };
    let wrong = Case {
        status: 405,
        body: b"",
        allow: Some("POST"),
        ..post
    };
    let health = r#"{"model": "iris", "inputs": [{"name": "X", "type": "tensor(float)", "shape": [null, 4]}], "classes": [0, 1, 2]}"#;
    let cases = [
        Case { ..post },
        Case { path: "/", ..post },
        Case {
            path: "/prod/v1/predict?verbose=1",
            ..post
        },
        Case {
            path: INVOCATIONS,
            reply: r#"{"statusCode": 200, "body": "{\"prediction\": [2]}"}"#,
            ..post
        },
        Case {
            path: INVOCATIONS,
            body: b"{}",
            reply: r#"{"statusCode": 400, "body": "\"Error: Missing input values.\""}"#,
            ..post
        },
        Case {
            method: "GET",
            path: "/health",
            body: b"",
            reply: health,
            ..post
        },
        Case {
            method: "HEAD",
            path: "/health",
            body: b"",
            reply: "",
            ..post
        },
        Case {
            body: b"",
            status: 400,
            reply: r#""Error: Missing input values.""#,
            ..post
        },
        Case {
            body: b"\xff\xfe",
            status: 400,
            reply: r#""Error: body: not valid UTF-8""#,
            ..post
        },
        Case {
            method: "GET",
            reply: r#""Error: GET is not allowed here, only POST""#,
            ..wrong
        },
        Case {
            method: "DELETE",
            path: INVOCATIONS,
            reply: r#""Error: DELETE is not allowed here, only POST""#,
            ..wrong
        },
        Case {
            path: "/health",
            reply: r#""Error: POST is not allowed here, only GET, HEAD""#,
            allow: Some("get, head"),
            ..wrong
        },
    ];
    let server = Server::start(&[]);
    for case in cases {
        let reply = server.request(case.method, case.path, case.body);
        let route = format!("{} {}", case.method, case.path);
        assert_eq!(reply.status, case.status, "{route}");
        assert_eq!(reply.body, case.reply, "{route}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{route}"
        );
        let allow = case.allow.map(str::to_lowercase);
        assert_eq!(reply.header("allow"), allow.as_deref(), "{route}");
    }
}

#[test]
fn pages_of_other_origins_may_ask() {
    let server = Server::start(&[]);
    let reply = server.request("OPTIONS", "/predict", "");
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    let headers = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "get, post, options"),
        ("access-control-max-age", "86400"),
    ];
    for (name, value) in headers {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    for body in [GOOD, "{}"] {
        let reply = server.request("POST", "/predict", body);
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
}

#[test]
fn a_good_request_is_answered_after_every_bad_one() {
    let too_many = values(100_001);
    let cases = [
        ("", "Missing input values."),
        ("{}", "Missing input values."),
        (
            r#"{"value": [[5.9, 3.0, 5.1, 2.3]]}"#,
            "Missing input values.",
        ),
        (r#"{"values": null}"#, "Missing input values."),
        (
            "{\"values\": [[5.9, 3.0",
            "row 0, column 2: not valid JSON: EOF while parsing a list at line 1 column 21",
        ),
        (
            "values=5.9",
            "body: not valid JSON: expected value at line 1 column 1",
        ),
        (
            "[[5.9, 3.0, 5.1, 2.3]]",
            "body: expected an object with values, got a list",
        ),
        (
            r#"{"values": []}"#,
            "values: expected at least one row, got an empty list",
        ),
        (
            r#"{"values": [5.9, 3.0, 5.1, 2.3]}"#,
            "row 0: expected a list of numbers, got a number",
        ),
        (
            r#"{"values": [[5.9, 3.0, 5.1]]}"#,
            "row 0: expected 4 columns, got 3",
        ),
        (
            r#"{"values": [[5.9, 3.0, 5.1, 2.3], [1, 2]]}"#,
            "row 1: expected 4 columns, got 2",
        ),
        (
            r#"{"values": [[5.9, "3.0", 5.1, 2.3]]}"#,
            "row 0, column 1: expected a number, got a string",
        ),
        (
            r#"{"values": [[5.9, 3.0, null, 2.3]]}"#,
            "row 0, column 2: expected a number, got null",
        ),
        (
            r#"{"values": [[5.9, 3.0, 5.1, true]]}"#,
            "row 0, column 3: expected a number, got true",
        ),
        (
            r#"{"values": [[NaN, 3.0, 5.1, 2.3]]}"#,
            "row 0, column 0: NaN is not a finite number",
        ),
        (
            r#"{"values": [[5.9, -Infinity, 5.1, 2.3]]}"#,
            "row 0, column 1: -Infinity is not a finite number",
        ),
        (
            r#"{"values": "x"}"#,
            "values: expected a list of rows, got a string",
        ),
        (
            r#"{"values": [[5.9, 3.0, 5.1, 2.3]], "proba": "yes"}"#,
            "proba: expected true or false, got a string",
        ),
        (
            &too_many,
            "row 100000: one request may have at most 100000 rows",
        ),
    ];
    let server = Server::start(&[]);
    for (body, message) in cases {
        let told = Value::String(format!("Error: {message}")).to_string();
        let reply = server.request("POST", "/predict", body);
        assert_eq!((reply.status, reply.body.as_str()), (400, told.as_str()));

        if !body.is_empty() {
            let event = json!({ "body": body }).to_string();
            let response: Value = serde_json::from_str(&server.invoke(event)).expect("it is JSON");
            assert_eq!(response, json!({ "statusCode": 400, "body": told }));
        }

        let reply = server.request("POST", "/predict", GOOD);
        assert_eq!((reply.status, reply.body.as_str()), (200, GOOD_BODY));
    }
}

#[test]
fn a_body_may_have_six_mebibytes() {
    const MOST: usize = 6 * 1024 * 1024;
    let server = Server::start(&[]);
    for (size, status) in [
        (MOST, 200),
        (MOST + 1, 413),
        (MOST + 1_000_000, 413),
        (8, 400),
    ] {
        let mut body = GOOD.to_string();
        body.truncate(size);
        body.push_str(&" ".repeat(size - body.len()));
        for path in ["/predict", INVOCATIONS] {
            let reply = server.request("POST", path, &body);
            if status == 413 {
                assert_eq!(reply.body, r#""Error: body: larger than 6291456 bytes""#);
            }
            if status == 413 || path == "/predict" {
                assert_eq!(reply.status, status, "{size} bytes to {path}");
            }
        }
    }
}

#[test]
fn many_rows_are_answered() {
    let server = Server::start(&[]);
    let reply = server.request("POST", "/predict", values(100_000));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body.matches('2').count(), 100_000);

    let event = values(100_000).replace('{', "{\"proba\": true, ");
    let reply = server.request("POST", "/predict", event);
    assert_eq!(reply.status, 400);
    assert!(
        reply
            .body
            .starts_with("\"Error: the answer to 100000 rows has "),
        "{}",
        reply.body
    );
}

#[test]
fn predictions_are_scikit_learn_s() {
    let expected: Value =
        serde_json::from_str(include_str!("../../models/expected_iris.json")).expect("it is JSON");
    let server = Server::start(&[]);
    let request = json!({ "values": expected["inputs"], "proba": true }).to_string();
    let reply = server.request("POST", "/predict", request);
    let got: Value = serde_json::from_str(&reply.body).expect("it is JSON");
    assert_eq!(got["prediction"], expected["labels"]);
    let numbers = |scores: &Value| -> Vec<f64> {
        let rows = scores.as_array().expect("a list of rows").iter();
        rows.flat_map(|row| row.as_array().expect("a row").clone())
            .filter_map(|x| x.as_f64())
            .collect()
    };
    let (got, expected) = (
        numbers(&got["probability"]),
        numbers(&expected["probabilities"]),
    );
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.into_iter().zip(expected) {
        assert!((got - expected).abs() <= 1e-6, "{got} is not {expected}");
    }
}

#[test]
fn another_model_is_served() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../models/iris_calibrated.onnx"
    );
    let server = Server::start(&[("IRIS_MODEL", path)]);
    assert_eq!(server.request("POST", "/", GOOD).body, GOOD_BODY);
    let health: Value =
        serde_json::from_str(&server.request("GET", "/health", "").body).expect("it is JSON");
    assert_eq!(health["model"], "iris_calibrated.onnx");
    assert_eq!(health["classes"], json!([0, 1, 2]));
}

/// A model of iris-core's recorded cases that fixes its 4 features, made to take any number: what skl2onnx exports with
/// `FloatTensorType([None, None])`.
fn of_any_width(family: &str, name: &str) -> PathBuf {
    let root = env!("CARGO_MANIFEST_DIR");
    let cases = fs::read(format!(
        "{root}/../iris-core/tests/data/{family}/cases.json"
    ));
    let cases: Value =
        serde_json::from_slice(&cases.expect("iris-core has its cases")).expect("they are JSON");
    let mut cases = cases.as_array().expect("a list").iter();
    let case = cases
        .find(|case| case["name"] == name)
        .expect("there is such a case");
    let model = BASE64_STANDARD.decode(case["model"].as_str().expect("text"));
    let mut model = model.expect("the model is base64");
    // A dimension: its size, as protobuf has it, gives way to a name, an empty one.
    let (four, any) = (b"\x0a\x02\x08\x04", b"\x0a\x02\x12\x00");
    let mut places = (0..model.len() - 4).filter(|&at| model[at..].starts_with(four));
    // The signature comes after the nodes.
    let place = places.next_back().expect("the input has 4 columns");
    model[place..place + 4].copy_from_slice(any);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = path.join(name.replace('/', "_")).with_extension("onnx");
    fs::write(&path, model).expect("there is room");
    path
}

#[test]
fn models_of_any_width_are_served() {
    let cases = [
        ("trees", "export/decision_tree"),
        ("trees", "export/random_forest_binary"),
        ("trees", "export/gradient_boosting"),
        ("trees", "export/hist_gradient_boosting_missing"),
        ("neighbors", "nearest/opset_18"),
        ("neighbors", "distances/radius"),
        ("math", "skl2onnx/MLPClassifier_logistic-float32-18"),
        ("math", "skl2onnx/MultinomialNB-float32-18"),
        ("linear", "skl2onnx/logistic_three"),
        ("svm", "skl2onnx/three_ovo"),
    ];
    for (family, name) in cases {
        let path = of_any_width(family, name);
        let server = Server::start(&[("IRIS_MODEL", path.to_str().expect("it is text"))]);
        let health = server.request("GET", "/health", "").body;
        assert!(!health.contains("null, 4]"), "{name}: {health}");
        let reply = server.request("POST", "/", GOOD);
        assert_eq!(reply.status, 200, "{name}: {}", reply.body);
    }
}

#[test]
fn a_model_of_any_width_still_wants_its_own() {
    for (family, name) in [
        ("trees", "export/extra_tree"),
        ("neighbors", "nearest/opset_13"),
    ] {
        let path = of_any_width(family, name);
        let server = Server::start(&[("IRIS_MODEL", path.to_str().expect("it is text"))]);
        let reply = server.request("POST", "/", r#"{"values": [[5.9, 3.0, 5.1]]}"#);
        assert_eq!(reply.status, 400, "{name}: {}", reply.body);
        assert!(reply.body.contains("4 features"), "{name}: {}", reply.body);
    }
}

/// What clients may do to a server that others use, all of it at once.
#[test]
fn goes_on_answering_whatever_clients_do() {
    const IDLE: usize = 1000;
    let server = Server::start(&[]);
    let connect = || TcpStream::connect(server.address).expect("the server listens");
    let begin = |bytes: &[u8]| {
        let mut stream = connect();
        stream.write_all(bytes).expect("it is taken");
        stream
    };
    let answers = |what: &str| {
        let start = Instant::now();
        let reply = server.request("POST", "/predict", GOOD);
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (200, GOOD_BODY),
            "{what}"
        );
        assert!(start.elapsed() < Duration::from_secs(5), "{what}");
    };

    let idle: Vec<_> = (0..IDLE).map(|_| connect()).collect();
    answers("idle connections");

    let half: Vec<_> = (0..50)
        .map(|_| begin(b"POST /predict HTTP/1.1\r\nHost: te"))
        .collect();
    answers("half a head");

    let body =
        b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n{\"values\": [[";
    let waiting: Vec<_> = (0..50).map(|_| begin(body)).collect();
    answers("half a body");
    drop(waiting);
    answers("clients gone in the middle of a body");

    let request = format!(
        "POST /predict HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{GOOD}",
        GOOD.len()
    );
    let mut slow = connect();
    for byte in request.as_bytes() {
        slow.write_all(&[*byte]).expect("the server waits");
        if byte % 16 == 0 {
            answers("a slow client");
        }
    }
    let mut reply = String::new();
    slow.read_to_string(&mut reply).expect("it is answered too");
    assert!(reply.ends_with(GOOD_BODY), "{reply}");

    // Asks and goes, before there can be an answer.
    for _ in 0..50 {
        drop(begin(request.as_bytes()));
    }
    answers("clients that do not wait");

    let reply = server.request("POST", "/predict", vec![b' '; 7_000_000]);
    assert_eq!(reply.status, 413);
    answers("a body of 7 MB");

    for flood in [
        "X-Flood: 1\r\n".repeat(10_000),
        format!("X-Flood: {}\r\n", "x".repeat(2_000_000)),
    ] {
        let mut stream = connect();
        // The server may hang up before it has taken all of it.
        let _ = stream.write_all(b"POST /predict HTTP/1.1\r\nHost: test\r\n");
        let _ = stream.write_all(flood.as_bytes());
        let _ = stream.write_all(b"\r\n");
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        if !reply.is_empty() {
            assert!(reply.starts_with(b"HTTP/1.1 431 "));
        }
        answers("a flood of headers");
    }
    drop((idle, half));
    answers("all of them gone");
}
