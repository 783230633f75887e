//! The process: how it starts, what it logs, how it ends.

mod common;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use common::{HOST, Process, Server, values};
use serde_json::{Value, json};

#[test]
fn logs_one_object_for_each_request() {
    let server = Server::start(&[]);
    server.invoke(values(3));
    server.invoke("{");
    server.request("POST", "/", values(1));
    let mut lines = [(); 3].map(|()| server.process.log());
    for line in &mut lines {
        let line = line.as_object_mut().expect("it is an object");
        assert!(line.remove("micros").is_some_and(|micros| micros.is_u64()));
        assert!(
            line.remove("timestamp")
                .is_some_and(|timestamp| timestamp.is_string())
        );
        line.remove("target");
    }
    let expected = [
        json!({"level": "INFO", "message": "answered", "request_id": "local-1", "status": 200, "rows": 3, "cold": true}),
        json!({"level": "INFO", "message": "answered", "request_id": "local-2", "status": 400, "rows": 0, "cold": false,
            "error_class": "InvalidInput", "error": "event: not valid JSON: EOF while parsing an object at line 1 column 1"}),
        json!({"level": "INFO", "message": "answered", "request_id": "local-3", "status": 200, "rows": 1, "cold": false}),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn metrics_are_lines_between_the_others() {
    let server = Server::start(&[("IRIS_METRICS", "emf"), ("AWS_LAMBDA_FUNCTION_NAME", "f")]);
    server.invoke(values(3));
    server.invoke("{");
    for (rows, cold_starts, errors) in [(3, 1, 0), (0, 0, 1)] {
        let line = server.process.log();
        let metrics = server.process.log();
        assert_eq!(metrics["request_id"], line["request_id"]);
        assert_eq!(metrics["error_class"], line["error_class"]);
        assert_eq!(metrics["Latency"], line["micros"]);
        assert_eq!(metrics["FunctionName"], "f");
        let counted = ["Rows", "ColdStarts", "Errors"].map(|name| metrics[name].as_u64());
        assert_eq!(counted, [rows, cold_starts, errors].map(Some));
    }
}

#[test]
fn the_log_can_be_filtered() {
    for variable in ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"] {
        let process = Process::start(&[HOST, (variable, "ERROR"), ("PORT", "x")]);
        let (_, lines) = process.finish();
        assert_eq!(lines.len(), 1, "{lines:?}");
    }
    let server = Process::start(&[HOST, ("RUST_LOG", "a=b=c"), ("PORT", "0")]);
    assert_eq!(server.log()["message"], "bad log filter, using info");
    assert_eq!(server.log()["message"], "listening");
}

#[test]
fn a_bad_setting_ends_it_with_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let cases = [
        (
            "PORT",
            "http",
            "PORT: expected a number from 0 to 65535, got \"http\"",
        ),
        (
            "PORT",
            "65536",
            "PORT: expected a number from 0 to 65535, got \"65536\"",
        ),
        ("PORT", &port, "cannot listen on 127.0.0.1:"),
        (
            "IRIS_HOST",
            "localhost",
            "IRIS_HOST: expected an IP address, got \"localhost\"",
        ),
        ("IRIS_MODEL", "no/such.onnx", "IRIS_MODEL: no/such.onnx: "),
        ("IRIS_MODEL", here, "IRIS_MODEL: "),
        (
            "IRIS_METRICS",
            "statsd",
            "IRIS_METRICS: expected emf, got \"statsd\"",
        ),
    ];
    for (name, value, message) in cases {
        let process = Process::start(&[HOST, ("PORT", "0"), (name, value)]);
        let (status, lines) = process.finish();
        assert_eq!(status.code(), Some(1), "{name}={value}");
        let [line] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        let line: Value = serde_json::from_str(line).expect("it is JSON");
        assert_eq!(line["level"], "ERROR");
        assert!(
            line["error"]
                .as_str()
                .is_some_and(|error| error.starts_with(message)),
            "{line}"
        );
    }
}

#[test]
fn ends_when_asked_whatever_clients_do() {
    let mut server = Server::start(&[]);
    let idle = server.connect();
    let mut kept = server.connect();
    kept.write_all(b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n")
        .expect("the request is taken");
    assert_eq!(kept.read(&mut [0]).expect("there is a reply"), 1);
    let mut half = server.connect();
    half.write_all(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{")
        .expect("it is taken");
    assert_eq!(server.request("POST", "/", values(1)).status, 200);
    server.end();
    drop(idle);
}

/// A model of which a batch takes seconds.
const SLOW_MODEL: [(&str, &str); 1] = [(
    "IRIS_MODEL",
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/slow.onnx"),
)];

/// Asks for predictions that take seconds, of more clients than there are processors.
fn ask_for_long_predictions(server: &Server) -> Vec<TcpStream> {
    let clients = 2 + thread::available_parallelism().map_or(1, usize::from);
    let body = values(2500);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let ask = |_| {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).expect("it is taken");
        stream
    };
    let clients = (0..clients).map(ask).collect();
    thread::sleep(Duration::from_millis(300));
    clients
}

fn assert_health_is_prompt(server: &Server) {
    for _ in 0..20 {
        let start = Instant::now();
        assert_eq!(server.request("GET", "/health", "").status, 200);
        // Machines that run tests are busy: alone, this takes milliseconds, and as long as a prediction where it waits for one.
        assert!(
            start.elapsed() < Duration::from_millis(500),
            "{:?}",
            start.elapsed()
        );
        thread::sleep(Duration::from_millis(25));
    }
}

/// What is computed has some seconds to be answered.
fn assert_ends_in_time(server: &mut Server) {
    let time = server.end();
    assert!((4..8).contains(&time.as_secs()), "{time:?}");
}

#[test]
fn health_does_not_wait_for_long_predictions() {
    let server = Server::start(&SLOW_MODEL);
    // What it learns of short ones does not mislead it.
    for _ in 0..3 {
        server.request("POST", "/", values(1));
    }
    let clients = ask_for_long_predictions(&server);
    assert_health_is_prompt(&server);
    drop(clients);
}

#[test]
fn ends_in_time_whatever_it_computes() {
    let mut server = Server::start(&SLOW_MODEL);
    let clients = ask_for_long_predictions(&server);
    assert_ends_in_time(&mut server);
    drop(clients);
}

#[test]
fn ends_at_once_when_asked_again() {
    let mut server = Server::start(&SLOW_MODEL);
    let clients = ask_for_long_predictions(&server);
    let start = Instant::now();
    server.process.terminate();
    thread::sleep(Duration::from_millis(200));
    server.end();
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    drop(clients);
}

#[test]
fn goes_on_while_nobody_reads_its_log() {
    let mut server = Server::start_reading(1, &SLOW_MODEL);
    // Each is quoted in a line: a pipe is full after the first of them, and what waits for it after some more.
    let method = "M".repeat(20_000);
    for _ in 0..80 {
        assert_eq!(server.request(&method, "/", "").status, 405);
    }
    assert_eq!(server.request("POST", "/", values(1)).status, 200);
    let clients = ask_for_long_predictions(&server);
    assert_health_is_prompt(&server);
    assert_ends_in_time(&mut server);
    drop(clients);
}

#[test]
#[cfg(target_os = "linux")]
fn recovers_from_a_lack_of_descriptors() {
    let server = Server::start(&[]);
    let limit = format!("--nofile=32:{}", 32);
    let set = std::process::Command::new("prlimit")
        .args(["--pid", &server.process.id().to_string(), &limit])
        .status();
    let Ok(set) = set else {
        return;
    };
    assert!(set.success());
    let clients: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(server.address).expect("the kernel takes it"))
        .collect();
    let line = server.process.log();
    assert_eq!(line["message"], "cannot accept connections");
    drop(clients);
    assert_eq!(server.request("POST", "/", values(1)).status, 200);
    // One line has told of it all.
    assert_eq!(server.process.log()["message"], "answered");
}
