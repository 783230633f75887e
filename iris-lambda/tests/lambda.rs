//! The function under a Lambda Runtime API of our own.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
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
            write_event(stream, index, event);
        } else {
            posts.send((line, body)).expect("the test goes on");
            stream.write_all(ACCEPTED).expect("the function listens");
        }
    }
}

fn write_event(mut stream: &TcpStream, index: usize, event: &str) {
    let reply = format!(
        "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: request-{index}\r\n\
         Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:iris\r\n\
         Lambda-Runtime-Trace-Id: Root=1-66f1a2b3-0123456789abcdef01234567\r\n\
         Content-Length: {}\r\n\r\n{event}",
        event.len()
    );
    stream
        .write_all(reply.as_bytes())
        .expect("the function listens");
}

fn read_request(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut next_line = || {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|&length| length > 0)?;
        Some(line.trim_end().to_string())
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
        r#"{"statusCode": 400, "body": "\"Error: event: not valid JSON: expected value at line 1 column 1\""}"#,
        r#"{"statusCode": 200, "statusDescription": "200 OK", "body": "{\"prediction\": [2]}", "headers": {"content-type": "application/json", "access-control-allow-origin": "*"}, "isBase64Encoded": false}"#,
    ];
    let api = RuntimeApi::start(events);
    let mut function = Process::start(&[
        ("AWS_LAMBDA_RUNTIME_API", &api.address),
        ("AWS_LAMBDA_FUNCTION_NAME", "iris"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ]);
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

enum Call {
    Next(TcpStream),
    Post(String, String),
}

/// Tells of every request of one connection, to its end.
fn pass_on(mut stream: &TcpStream, calls: &Sender<Call>) {
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = read_request(&mut reader) {
        let call = if line.starts_with(NEXT) {
            Call::Next(stream.try_clone().expect("there are descriptors"))
        } else {
            stream.write_all(ACCEPTED).expect("the function listens");
            Call::Post(line, body)
        };
        if calls.send(call).is_err() {
            break;
        }
    }
}

/// On managed instances.
#[test]
fn takes_as_many_events_at_once_as_lambda_sends() {
    const EVENT: &str = r#"{"values": [[5.9, 3.0, 5.1, 2.3]]}"#;
    const CONCURRENCY: usize = 4;
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let mut function = Process::start(&[
        ("AWS_LAMBDA_RUNTIME_API", &address),
        ("AWS_LAMBDA_FUNCTION_NAME", "iris"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_MAX_CONCURRENCY", &CONCURRENCY.to_string()),
    ]);
    let (sender, calls) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            thread::spawn(move || pass_on(&stream, &sender));
        }
    });
    let call = || {
        calls
            .recv_timeout(Duration::from_secs(20))
            .expect("the function goes on")
    };
    // All of them wait at once, so none of them waits for another's answer.
    let mut waiting = Vec::new();
    while waiting.len() < CONCURRENCY {
        match call() {
            Call::Next(stream) => waiting.push(stream),
            Call::Post(line, _) => panic!("{line}"),
        }
    }
    for (index, stream) in waiting.iter().enumerate() {
        write_event(stream, index, EVENT);
    }
    let mut answered = Vec::new();
    while answered.len() < CONCURRENCY {
        if let Call::Post(line, body) = call() {
            assert_eq!(
                body,
                r#"{"statusCode": 200, "body": "{\"prediction\": [2]}"}"#
            );
            answered.push(line);
        }
    }
    answered.sort();
    let expected: Vec<_> = (0..CONCURRENCY)
        .map(|index| {
            format!("POST /2018-06-01/runtime/invocation/request-{index}/response HTTP/1.1")
        })
        .collect();
    assert_eq!(answered, expected);
    function.terminate();
    assert_eq!(function.wait().code(), Some(0));
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
