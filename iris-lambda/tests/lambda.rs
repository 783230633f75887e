//! The function under a Lambda Runtime API of our own.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use common::Process;

const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
const NEXT: &str = "GET /2018-06-01/runtime/invocation/next";

/// Hands out events in turn, then none for ever.
struct RuntimeApi {
    address: String,
    /// What the function sends: the request line, and the body.
    posts: Receiver<(String, String)>,
}

impl RuntimeApi {
    fn start(events: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (sender, posts) = channel();
        thread::spawn(move || {
            let mut events = events.iter().enumerate();
            for stream in listener.incoming().map_while(Result::ok) {
                serve(&stream, &mut events, &sender);
            }
        });
        Self { address, posts }
    }

    fn post(&self) -> (String, String) {
        self.posts
            .recv_timeout(Duration::from_secs(20))
            .expect("the function answers")
    }
}

/// Serves one connection to its end; the function opens no second one while it has one.
fn serve(
    mut stream: &TcpStream,
    events: &mut impl Iterator<Item = (usize, &'static &'static str)>,
    posts: &Sender<(String, String)>,
) {
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = read_request(&mut reader) {
        if line.starts_with(NEXT) {
            let Some((index, event)) = events.next() else {
                // Holds the request until the function goes away.
                let _ = reader.read(&mut [0]);
                return;
            };
            write_event(stream, head(index), event);
        } else {
            posts.send((line, body)).expect("the test goes on");
            stream.write_all(ACCEPTED).expect("the function listens");
        }
    }
}

/// The headers that Lambda sends with an event.
fn head(index: usize) -> String {
    format!("{}{DEADLINE}{ARN}{TRACE}", request_id(index))
}

fn request_id(index: usize) -> String {
    format!("Lambda-Runtime-Aws-Request-Id: request-{index}\r\n")
}

const DEADLINE: &str = "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n";
const ARN: &str =
    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:iris\r\n";
const TRACE: &str = "Lambda-Runtime-Trace-Id: Root=1-66f1a2b3-0123456789abcdef01234567\r\n";

fn write_event(mut stream: &TcpStream, head: impl AsRef<[u8]>, event: &str) {
    let length = format!("Content-Length: {}\r\n\r\n", event.len());
    let reply = [
        b"HTTP/1.1 200 OK\r\n",
        head.as_ref(),
        length.as_bytes(),
        event.as_bytes(),
    ];
    stream
        .write_all(&reply.concat())
        .expect("the function listens");
}

fn read_request(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut next_line = || {
        let mut line = Vec::new();
        reader
            .read_until(b'\n', &mut line)
            .ok()
            .filter(|&length| length > 0)?;
        Some(String::from_utf8_lossy(&line).trim_end().to_string())
    };
    let request = next_line()?;
    let mut length = 0;
    while let Some(line) = next_line().filter(|line| !line.is_empty()) {
        let line = line.to_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().expect("a length is a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((request, String::from_utf8(body).expect("the body is text")))
}

#[test]
fn answers_events_in_turn_and_ends_when_asked() {
    let events = &[
        r#"{"body": "{\"values\": [[0.1, 2, 0.1, 3]]}"}"#,
        r#"{"values": [[5.9, 3.0, 5.1, 2.3]]}"#,
        r#"{"values": [[5.9, "x"]]}"#,
        r#"{"body": "{}", "requestContext": {"http": {}}}"#,
        "[]",
        "not JSON",
        include_str!("data/alb.json"),
    ];
    let expected = [
        r#"{"statusCode": 200, "body": "{\"prediction\": [0]}"}"#,
        r#"{"statusCode": 200, "body": "{\"prediction\": [2]}"}"#,
        r#"{"statusCode": 400, "body": "\"Error: row 0, column 1: expected a number, got a string\""}"#,
        r#"{"statusCode": 400, "body": "\"Error: Missing input values.\"", "headers": {"content-type": "application/json", "access-control-allow-origin": "*"}, "isBase64Encoded": false, "cookies": []}"#,
        r#"{"statusCode": 400, "body": "\"Error: event: expected an object with values, got a list\""}"#,
        r#"{"statusCode": 400, "body": "\"Error: event: not valid JSON: expected ident at line 1 column 2\""}"#,
        r#"{"statusCode": 200, "statusDescription": "200 OK", "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json", "access-control-allow-origin": "*"}, "isBase64Encoded": false}"#,
    ];
    let api = RuntimeApi::start(events);
    let mut function = start_function(&api.address, &[]);
    for (index, expected) in expected.into_iter().enumerate() {
        let (request, body) = api.post();
        assert_eq!(
            request,
            format!("POST /2018-06-01/runtime/invocation/request-{index}/response HTTP/1.1")
        );
        assert_eq!(body, expected);
        let line = function.log();
        assert_eq!(line["request_id"], format!("request-{index}"));
        assert_eq!(line["cold"], index == 0);
        assert_eq!(
            line["status"].as_u64(),
            Some(if expected.contains("200") { 200 } else { 400 })
        );
    }
    function.terminate();
    assert_eq!(function.wait().code(), Some(0));
    assert_eq!(function.finish().1, Vec::<String>::new());
}

/// What a function asks of [`Calls`].
enum Call {
    Next(TcpStream),
    Post(String, String),
}

/// A Runtime API that tells of every request on any connection, and lets the test answer those for events.
struct Calls {
    address: String,
    calls: Receiver<Call>,
}

impl Calls {
    /// Says `reply` to what is posted.
    fn start(reply: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (sender, calls) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                thread::spawn(move || pass_on(&stream, reply, &sender));
            }
        });
        Self { address, calls }
    }

    fn call(&self) -> Call {
        self.calls
            .recv_timeout(Duration::from_secs(20))
            .expect("the function goes on")
    }

    fn next(&self) -> TcpStream {
        match self.call() {
            Call::Next(stream) => stream,
            Call::Post(line, body) => panic!("{line}: {body}"),
        }
    }

    fn post(&self) -> (String, String) {
        match self.call() {
            Call::Post(line, body) => (line, body),
            Call::Next(_) => panic!("an event was not answered"),
        }
    }
}

/// Tells of every request of one connection, to its end.
fn pass_on(mut stream: &TcpStream, reply: &[u8], calls: &Sender<Call>) {
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = read_request(&mut reader) {
        let call = if line.starts_with(NEXT) {
            Call::Next(stream.try_clone().expect("there are descriptors"))
        } else {
            stream.write_all(reply).expect("the function listens");
            Call::Post(line, body)
        };
        if calls.send(call).is_err() {
            break;
        }
    }
}

const EVENT: &str = r#"{"values": [[5.9, 3.0, 5.1, 2.3]]}"#;
const RESPONSE: &str = r#"{"statusCode": 200, "body": "{\"prediction\": [2]}"}"#;

fn start_function(address: &str, variables: &[(&str, &str)]) -> Process {
    let lambda_s = [
        ("AWS_LAMBDA_RUNTIME_API", address),
        ("AWS_LAMBDA_FUNCTION_NAME", "iris"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ];
    Process::start(&[&lambda_s, variables].concat())
}

fn response_to(id: &str) -> String {
    format!("POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1")
}

/// On managed instances.
#[test]
fn takes_as_many_events_at_once_as_lambda_sends() {
    const CONCURRENCY: usize = 4;
    let api = Calls::start(ACCEPTED);
    let concurrency = CONCURRENCY.to_string();
    let mut function = start_function(
        &api.address,
        &[("AWS_LAMBDA_MAX_CONCURRENCY", &concurrency)],
    );
    // All of them wait at once, so none of them waits for another's answer.
    let waiting: Vec<_> = (0..CONCURRENCY).map(|_| api.next()).collect();
    for (index, stream) in waiting.iter().enumerate() {
        write_event(stream, head(index), EVENT);
    }
    let mut answered = Vec::new();
    while answered.len() < CONCURRENCY {
        if let Call::Post(line, body) = api.call() {
            assert_eq!(body, RESPONSE);
            answered.push(line);
        }
    }
    answered.sort();
    let expected: Vec<_> = (0..CONCURRENCY)
        .map(|index| response_to(&format!("request-{index}")))
        .collect();
    assert_eq!(answered, expected);
    function.terminate();
    assert_eq!(function.wait().code(), Some(0));
}

/// What callers may send beside an event, and what a Runtime API may leave out.
#[test]
fn whatever_comes_with_an_event_it_is_answered() {
    let context = |context: &[u8]| {
        let header = b"Lambda-Runtime-Client-Context: ";
        [
            header,
            context,
            b"\r\n",
            DEADLINE.as_bytes(),
            ARN.as_bytes(),
        ]
        .concat()
    };
    let identity = |identity: &[u8]| {
        let header = b"Lambda-Runtime-Cognito-Identity: ";
        [
            header,
            identity,
            b"\r\n",
            DEADLINE.as_bytes(),
            ARN.as_bytes(),
        ]
        .concat()
    };
    let large = format!(r#"{{"custom": {{"a": "{}"}}}}"#, "x".repeat(3_000_000));
    let heads = [
        context(br#"{"custom":{"a":1}}"#),
        context(br#"{"custom":{"a":{"b":[null]}}}"#),
        context(br#"{"client":{}}"#),
        context(br#"{"client":[]}"#),
        context(br#"{"environment":null}"#),
        context("{\"custom\":{\"name\":\"Zo\u{eb}\"}}".as_bytes()),
        context(b"{\"custom\":{\"name\":\"Zo\xeb\"}}"),
        context(b"{\"custom\":{\"name\":\"\x7f\"}}"),
        context(b"\x01"),
        context(b"not JSON"),
        context(b"null"),
        context(b""),
        context(large.as_bytes()),
        identity(br#"{"cognitoIdentityId":"a"}"#),
        identity(br#"{"cognitoIdentityId":1,"cognitoIdentityPoolId":null}"#),
        identity(b"\xff"),
        identity(b"[]"),
        identity(b""),
        DEADLINE.into(),
        ARN.into(),
        b"Lambda-Runtime-Deadline-Ms: soon\r\n".into(),
        b"Lambda-Runtime-Deadline-Ms: \xff\r\nLambda-Runtime-Invoked-Function-Arn: \xff\r\n".into(),
        b"Lambda-Runtime-Trace-Id: \xff\r\nLambda-Runtime-Invocation-Id: \xff\r\n".into(),
        Vec::new(),
    ];
    for concurrency in ["1", "4"] {
        let api = Calls::start(ACCEPTED);
        let mut function =
            start_function(&api.address, &[("AWS_LAMBDA_MAX_CONCURRENCY", concurrency)]);
        let mut events = heads.iter().enumerate();
        let mut waiting = Vec::new();
        let mut answered = Vec::new();
        // The last one has not even an id.
        while answered.len() <= heads.len() {
            match api.call() {
                Call::Next(stream) => {
                    if let Some((index, rest)) = events.next() {
                        let head = [request_id(index).as_bytes(), rest].concat();
                        write_event(&stream, head, EVENT);
                    } else if answered.len() == heads.len() || concurrency != "1" {
                        waiting.push(stream);
                    }
                }
                Call::Post(line, body) => {
                    assert_eq!(body, RESPONSE, "{line}");
                    answered.push(line);
                }
            }
            if answered.len() == heads.len()
                && let Some(stream) = waiting.pop()
            {
                write_event(&stream, DEADLINE, EVENT);
            }
        }
        let expected = (0..heads.len()).map(|index| response_to(&format!("request-{index}")));
        let mut expected: Vec<_> = expected.chain([response_to("")]).collect();
        expected.sort();
        answered.sort();
        assert_eq!(answered, expected);
        function.terminate();
        assert_eq!(function.wait().code(), Some(0), "concurrency {concurrency}");
    }
}

#[test]
fn goes_on_when_an_answer_is_refused() {
    let api = Calls::start(
        b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 39\r\n\r\n{\"errorType\":\"RequestEntityTooLarge\"}\r\n",
    );
    let mut function = start_function(&api.address, &[]);
    for index in 0..3 {
        write_event(&api.next(), head(index), EVENT);
        assert_eq!(api.post().0, response_to(&format!("request-{index}")));
        assert_eq!(function.log()["message"], "answered");
        let line = function.log();
        assert_eq!(line["message"], "the answer was not taken");
        assert_eq!(line["request_id"], format!("request-{index}"));
        assert_eq!(
            line["error"],
            r#"413 Payload Too Large: {"errorType":"RequestEntityTooLarge"}"#
        );
    }
    function.terminate();
    assert_eq!(function.wait().code(), Some(0));
}

#[test]
fn goes_on_when_an_event_does_not_come_to_its_end() {
    let api = Calls::start(ACCEPTED);
    let mut function = start_function(&api.address, &[]);
    let failures: [&[u8]; 3] = [
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"no HTTP at all\r\n\r\n",
        b"",
    ];
    for failure in failures {
        let mut stream = api.next();
        stream.write_all(failure).expect("the function listens");
        if !failure.starts_with(b"HTTP") {
            stream.shutdown(Shutdown::Both).expect("it is open");
        }
        assert_eq!(function.log()["message"], "no event came");
    }
    let mut stream = api.next();
    let half = format!(
        "HTTP/1.1 200 OK\r\n{}Content-Length: 100\r\n\r\n{{",
        head(0)
    );
    stream
        .write_all(half.as_bytes())
        .expect("the function listens");
    stream.shutdown(Shutdown::Both).expect("it is open");
    let (line, body) = api.post();
    assert_eq!(
        line,
        "POST /2018-06-01/runtime/invocation/request-0/error HTTP/1.1"
    );
    let report: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
    assert_eq!(report["errorType"], "Runtime.InvalidEvent");
    write_event(&api.next(), head(1), EVENT);
    assert_eq!(api.post(), (response_to("request-1"), RESPONSE.into()));
    function.terminate();
    assert_eq!(function.wait().code(), Some(0));
}

#[test]
fn answers_what_is_under_way_before_it_ends() {
    let slow = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/slow.onnx");
    for concurrency in ["1", "2"] {
        let api = Calls::start(ACCEPTED);
        let variables = [
            ("IRIS_MODEL", slow),
            ("AWS_LAMBDA_MAX_CONCURRENCY", concurrency),
        ];
        let mut function = start_function(&api.address, &variables);
        write_event(&api.next(), head(0), &common::values(200));
        thread::sleep(Duration::from_millis(100));
        function.terminate();
        let line = loop {
            if let Call::Post(line, _) = api.call() {
                break line;
            }
        };
        assert_eq!(line, response_to("request-0"));
        assert_eq!(function.wait().code(), Some(0));
    }
}

#[test]
fn tells_why_it_cannot_start() {
    let api = Calls::start(ACCEPTED);
    let function = start_function(&api.address, &[("IRIS_MODEL", "no/such.onnx")]);
    let (line, body) = api.post();
    assert_eq!(line, "POST /2018-06-01/runtime/init/error HTTP/1.1");
    let report: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
    assert_eq!(report["errorType"], "Runtime.InitError");
    let (status, lines) = function.finish();
    assert_eq!(status.code(), Some(1));
    assert_eq!(lines.len(), 1);
    let message = report["errorMessage"].as_str().expect("it is text");
    assert!(
        message.starts_with("IRIS_MODEL: no/such.onnx: "),
        "{message}"
    );
}

#[test]
fn ends_with_json_lines_where_there_is_no_runtime_api() {
    let free = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = free.local_addr().expect("it is bound").to_string();
    drop(free);
    let variables = [
        ("AWS_LAMBDA_RUNTIME_API", address.as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "iris"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ];
    // Without the rest of Lambda's environment, and with it but nobody there.
    for variables in [&variables[..1], &variables[..]] {
        let (status, lines) = Process::start(variables).finish();
        assert!(!status.success());
        assert!(!lines.is_empty());
        for line in lines {
            serde_json::from_str::<serde_json::Value>(&line)
                .unwrap_or_else(|error| panic!("{error}: {line}"));
        }
    }
}
