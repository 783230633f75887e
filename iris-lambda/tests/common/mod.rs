//! Runs the built binary and talks HTTP to it.

#![allow(dead_code, reason = "each test file uses its part of this")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";

/// The loopback interface.
pub(crate) const HOST: (&str, &str) = ("IRIS_HOST", "127.0.0.1");

const PATIENCE: Duration = Duration::from_secs(20);

/// The function's process, ended with the value.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts the binary with no environment but `variables`.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_reading(usize::MAX, variables)
    }

    /// A function whose log nobody reads beyond some lines.
    pub(crate) fn start_reading(n_lines: usize, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_iris-lambda"))
            .env_clear()
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (sender, lines) = channel();
        let mut output = BufReader::new(child.stderr.take().expect("stderr is piped"));
        thread::spawn(move || {
            for line in output.by_ref().lines().take(n_lines).map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
            if n_lines < usize::MAX {
                // Keeps the other end of the pipe.
                thread::park();
            }
        });
        Self { child, lines }
    }

    /// The next line of the log, which has to be a JSON object.
    pub(crate) fn log(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line is logged");
        let json: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(json.is_object(), "{line}");
        json
    }

    /// What is logged up to the end of the process, which comes by itself.
    pub(crate) fn finish(mut self) -> (ExitStatus, Vec<String>) {
        let status = self.wait();
        (status, self.lines.iter().collect())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("the process does not end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The function as a local HTTP server on a free port of the loopback interface.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_reading(usize::MAX, variables)
    }

    /// A function whose log nobody reads beyond some lines, but for the first.
    pub(crate) fn start_reading(n_lines: usize, variables: &[(&str, &str)]) -> Self {
        let here = [HOST, ("PORT", "0")];
        let process = Process::start_reading(n_lines, &[&here, variables].concat());
        let line = process.log();
        assert_eq!(line["message"], "listening");
        let address = line["address"]
            .as_str()
            .and_then(|address| address.parse().ok());
        Self {
            process,
            address: address.expect("the address is logged"),
        }
    }

    /// A connection on which nothing is said yet.
    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).expect("the server listens")
    }

    /// Asks the process to end, and says how long it takes; nothing may go wrong.
    pub(crate) fn end(&mut self) -> Duration {
        let start = Instant::now();
        self.process.terminate();
        assert_eq!(self.process.wait().code(), Some(0));
        start.elapsed()
    }

    pub(crate) fn request(&self, method: &str, path: &str, body: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect();
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("the timeout is not zero");
        let body = body.as_ref();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream
            .write_all(&[head.as_bytes(), body].concat())
            .expect("the request is taken");
        let mut reply = Vec::new();
        stream
            .read_to_end(&mut reply)
            .expect("the reply comes to its end");
        Reply::parse(&reply)
    }

    pub(crate) fn invoke(&self, event: impl AsRef<[u8]>) -> String {
        let reply = self.request("POST", INVOCATIONS, event);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        reply.body
    }
}

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let text = str::from_utf8(bytes).expect("the reply is text");
        let (head, body) = text.split_once("\r\n\r\n").expect("the head ends");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.expect("there is a status"),
            head: head.to_lowercase(),
            body: body.into(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// `values` of as many equal rows.
pub(crate) fn values(n_samples: usize) -> String {
    let mut event = String::from("{\"values\": [[5.9, 3.0, 5.1, 2.3]");
    for _ in 1..n_samples {
        write!(event, ",[5.9,3,5.1,2.3]").expect("strings take all");
    }
    event + "]}"
}
