//! Tests of the limits: slow clients are left, and too many of them wait.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use iris_core::Model;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::handler::Handler;
use crate::serve::http::connections::serve;
use crate::serve::http::limits::Limits;
use crate::serve::http::routes::Routes;
use crate::served_model::Served;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);
const GET: &str = "GET /health HTTP/1.1\r\nHost: test\r\n\r\n";
const POST: &str = "POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 34\r\n\r\n\
    {\"values\": [[5.9, 3.0, 5.1, 2.3]]}";

fn patient() -> Limits {
    Limits {
        first_head: LONG,
        next_head: LONG,
        body: LONG,
        answer: LONG,
        ..Limits::default()
    }
}

/// A server in a runtime of its own, which ends when the value is dropped.
struct Server {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    ended: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn start(limits: Limits) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let served = Served {
            name: "iris".into(),
            model: Model::iris().expect("the embedded model loads"),
        };
        let handler = Arc::new(Handler::new(served, None));
        let routes = Arc::new(Routes::new(handler, &limits));
        let (end, asked_to_end) = oneshot::channel();
        let asked_to_end = async { drop(asked_to_end.await) };
        let ended = thread::spawn(move || {
            runtime.block_on(serve(listener, routes, &limits, asked_to_end));
        });
        Self {
            address,
            end: Some(end),
            ended: Some(ended),
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream
            .set_read_timeout(Some(LONG / 2))
            .expect("the time is not zero");
        stream
    }

    fn begin(&self, bytes: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).expect("it is taken");
        stream
    }

    /// Ends the server, which has to have no connection left for that.
    fn end(mut self) {
        drop(self.end.take());
        let ended = self.ended.take().expect("it ends once");
        ended.join().expect("it does not panic");
    }
}

/// Waits for the server to end the connection; gives what it sends before, and how long that takes.
fn ended(mut stream: &TcpStream, since: Instant) -> (String, Duration) {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}"),
    }
    (String::from_utf8_lossy(&bytes).into(), since.elapsed())
}

/// Sends `bytes` one after the other as long as they are taken.
fn trickle(stream: &TcpStream, bytes: &'static str) {
    let mut stream = stream.try_clone().expect("there are descriptors");
    thread::spawn(move || {
        for byte in bytes.bytes().cycle() {
            if stream.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(SHORT / 10);
        }
    });
}

#[test]
fn slow_clients_are_left() {
    let first_head = Limits {
        first_head: SHORT,
        ..patient()
    };
    let next_head = Limits {
        next_head: SHORT,
        ..patient()
    };
    let body = Limits {
        body: SHORT,
        ..patient()
    };
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    const LATE: &str = "HTTP/1.1 408 Request Timeout\r\n";
    // Each case: what the client does, what it sends at once, what it sends again and again, and the start of the answer.
    let cases = [
        ("silence", first_head.clone(), "", "", ""),
        (
            "half a head",
            first_head.clone(),
            "POST /predict HTTP/1.1\r\nHost: te",
            "",
            "",
        ),
        (
            "a head byte by byte",
            first_head,
            "POST /predict HTTP/1.1\r\nX: ",
            "x",
            "",
        ),
        ("an idle connection", next_head.clone(), GET, "", OK),
        (
            "half a second head",
            next_head.clone(),
            "GET /health HTTP/1.1\r\nHost: test\r\n\r\nGET /health HT",
            "",
            OK,
        ),
        (
            "no body",
            body.clone(),
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n",
            "",
            LATE,
        ),
        (
            "half a body",
            body.clone(),
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 99\r\n\r\n{\"values",
            "",
            LATE,
        ),
        (
            "a body byte by byte",
            body.clone(),
            "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9999\r\n\r\n",
            "{",
            LATE,
        ),
        (
            "chunk by chunk",
            body,
            "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1\r\n{\r\n",
            LATE,
        ),
    ];
    for (what, limits, sent, trickles, expected) in cases {
        let server = Server::start(limits);
        let start = Instant::now();
        let stream = server.begin(sent);
        if !trickles.is_empty() {
            trickle(&stream, trickles);
        }
        let (answer, time) = ended(&stream, start);
        assert!(answer.starts_with(expected), "{what}: {answer}");
        assert_eq!(answer.is_empty(), expected.is_empty(), "{what}: {answer}");
        assert!(time >= SHORT && time < LONG / 4, "{what}: {time:?}");
        server.end();
    }
}

/// The answers have almost 6 MiB, more than the kernel takes for a client that does not read.
#[test]
fn clients_that_do_not_read_are_left() {
    let limits = Limits {
        answer: SHORT,
        ..patient()
    };
    let row = "[5.9,3,5.1,2.3],";
    let rows = row.repeat(90_000);
    let body = format!(
        "{{\"proba\": true, \"values\": [{}]}}",
        &rows[..rows.len() - 1]
    );
    for connection in ["close", "keep-alive"] {
        for reads_a_little in [false, true] {
            let server = Server::start(limits.clone());
            let mut stream = server.begin(format!(
                "POST / HTTP/1.1\r\nHost: test\r\nConnection: {connection}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ));
            let mut some = [0; 1024];
            if reads_a_little {
                let mut stream = stream.try_clone().expect("there are descriptors");
                thread::spawn(move || {
                    while stream.read(&mut some).is_ok_and(|n| n > 0) {
                        thread::sleep(SHORT / 30);
                    }
                });
            }
            // The server ends when it has no connection left: the client is still there.
            let start = Instant::now();
            thread::sleep(SHORT);
            server.end();
            assert!(start.elapsed() < LONG / 2, "{connection} {reads_a_little}");
            if !reads_a_little {
                let mut answer = Vec::new();
                let _ = stream.read_to_end(&mut answer);
                // The kernel had taken some of it.
                let answer = String::from_utf8_lossy(&answer);
                let length = answer
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length = length.and_then(|length| length.parse().ok());
                assert!(length.is_some_and(|length| answer.len() < length));
            }
        }
    }
}

#[test]
fn further_connections_wait_for_one_to_end() {
    let limits = Limits {
        connections: 2,
        ..patient()
    };
    let server = Server::start(limits);
    let first = server.connect();
    let second = server.connect();
    let mut third = server.begin(GET);
    third.set_read_timeout(Some(SHORT)).expect("it is not zero");
    third.read(&mut [0]).expect_err("it is not served");
    drop(first);
    third.set_read_timeout(Some(LONG)).expect("it is not zero");
    assert_eq!(third.read(&mut [0]).expect("it is served"), 1);
    drop((second, third));
    server.end();
}

#[test]
fn further_large_bodies_wait_for_one_to_end() {
    let limits = Limits {
        large_bodies: 1,
        ..patient()
    };
    let server = Server::start(limits);
    let large = format!(
        "POST / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n{}",
        " ".repeat(199_999)
    );
    let first = server.begin(&large);
    thread::sleep(SHORT);
    let mut second = server.begin(format!("{large} "));
    second
        .set_read_timeout(Some(SHORT))
        .expect("it is not zero");
    second.read(&mut [0]).expect_err("it waits");
    // Small bodies do not wait.
    let mut small = server.begin(POST);
    assert_eq!(small.read(&mut [0]).expect("it is answered"), 1);
    first.shutdown(Shutdown::Both).expect("it is open");
    second.set_read_timeout(Some(LONG)).expect("it is not zero");
    let (answer, _) = ended(&second, Instant::now());
    assert!(answer.contains("Missing input values"), "{answer}");
    drop(small);
    server.end();
}
