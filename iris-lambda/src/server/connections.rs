//! Connections: how many there may be, and how long each may take for what.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::Function;
use super::body::SMALL_BYTES;
use super::writing::TimedWrites;

/// What clients may take of the server.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Connections at once. Further ones wait in the listener's queue, which is the kernel's, for one of these to end.
    pub(super) connections: usize,
    /// From the connection to the end of the head of its first request.
    pub(super) first_head: Duration,
    /// From one answer to the end of the head of the next request, the time in between among it.
    pub(super) next_head: Duration,
    /// From the end of the head to the end of the body.
    pub(super) body: Duration,
    /// For the client to take an answer.
    pub(super) answer: Duration,
    /// Requests at once whose bodies are not small.
    pub(super) large_bodies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // With heads and small bodies of 64 KiB each, these take 250 MiB at the very most.
            connections: 2000,
            // Who connects has something to ask, and a head has a few hundred bytes.
            first_head: Duration::from_secs(30),
            // A load balancer of AWS and nginx end connections that are idle for 60 s. It has to be they who do: what they
            // send on a connection that ends just then is lost, and their client told 502.
            next_head: Duration::from_secs(65),
            // The largest body, of 6 MiB, comes in that time at 1.7 megabits a second; so does the largest answer go.
            body: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            // A body of 6 MiB, its numbers and their answer are 18 MiB: these take 300 MiB.
            large_bodies: 16,
        }
    }
}

/// How long to wait when a connection cannot be accepted: something has to end first, such as others that hold all file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often that is logged at most: often enough to see how long it lasts, and no flood.
const ACCEPT_LOG_PAUSE: Duration = Duration::from_secs(10);

/// Serves connections until `asked_to_end` is over, and then until those that there are have their answers.
pub(super) async fn serve(
    listener: TcpListener,
    function: Arc<Function>,
    limits: &Limits,
    asked_to_end: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &connections, &function, limits) => {}
        () = asked_to_end => {}
    }
    drop(listener);
    connections.shutdown().await;
}

/// Accepts connections for ever.
async fn accept(
    listener: &TcpListener,
    connections: &GracefulShutdown,
    function: &Arc<Function>,
    limits: &Limits,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.next_head)
        // Of a head, or of a body between two looks at it.
        .max_buf_size(SMALL_BYTES);
    let mut logged: Option<Instant> = None;
    loop {
        // The semaphore is never closed, so that there is a permit.
        let place = Arc::clone(&places).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // The client has gone before it came to its turn.
            Err(error) if is_client_s(&error) => continue,
            Err(error) => {
                if logged.is_none_or(|at| at.elapsed() >= ACCEPT_LOG_PAUSE) {
                    tracing::error!(error = error.to_string(), "cannot accept connections");
                    logged = Some(Instant::now());
                }
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = Connection {
            stream,
            http: http.clone(),
            function: Arc::clone(function),
            limits: limits.clone(),
            watcher: connections.watcher(),
        };
        tokio::spawn(async move {
            connection.serve().await;
            drop(place);
        });
    }
}

fn is_client_s(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

struct Connection {
    stream: TcpStream,
    http: http1::Builder,
    function: Arc<Function>,
    limits: Limits,
    watcher: Watcher,
}

impl Connection {
    async fn serve(self) {
        let Self {
            stream,
            http,
            function,
            limits,
            watcher,
        } = self;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = error.to_string(), "cannot set TCP_NODELAY");
        }
        let stream = TimedWrites::new(TokioIo::new(stream), limits.answer);
        let has_asked = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&has_asked);
        let service = service_fn(move |request| {
            asks.store(true, Ordering::Relaxed);
            let function = Arc::clone(&function);
            async move { Ok::<_, Infallible>(function.answer(request).await) }
        });
        let served = watcher.watch(http.serve_connection(stream, service));
        let asks_late = async {
            sleep(limits.first_head).await;
            if has_asked.load(Ordering::Relaxed) {
                std::future::pending().await
            }
        };
        tokio::select! {
            biased;
            served = served => if let Err(error) = served {
                tracing::debug!(error = crate::error::chain(&error), "a connection has ended early");
            },
            () = asks_late => tracing::debug!("a connection has ended without a request"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, SocketAddr, TcpStream};
    use std::thread;

    use iris_core::Model;
    use tokio::runtime::Runtime;
    use tokio::sync::oneshot;

    use super::*;
    use crate::handler::Handler;
    use crate::model::Served;

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

    /// A server in a runtime of its own, ended with the value.
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
            let function = Arc::new(Function::new(handler, &limits));
            let (end, asked_to_end) = oneshot::channel();
            let asked_to_end = async { drop(asked_to_end.await) };
            let ended = thread::spawn(move || {
                runtime.block_on(serve(listener, function, &limits, asked_to_end));
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

    /// Waits for the server to end the connection; what it sends before, and when it ends.
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
        struct Case {
            what: &'static str,
            limits: Limits,
            sent: &'static str,
            trickles: &'static str,
            answer: &'static str,
        }
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
        let cases = [
            Case {
                what: "silence",
                limits: first_head.clone(),
                sent: "",
                trickles: "",
                answer: "",
            },
            Case {
                what: "half a head",
                limits: first_head.clone(),
                sent: "POST /predict HTTP/1.1\r\nHost: te",
                trickles: "",
                answer: "",
            },
            Case {
                what: "a head byte by byte",
                limits: first_head,
                sent: "POST /predict HTTP/1.1\r\nX: ",
                trickles: "x",
                answer: "",
            },
            Case {
                what: "an idle connection",
                limits: next_head.clone(),
                sent: GET,
                trickles: "",
                answer: "HTTP/1.1 200 OK\r\n",
            },
            Case {
                what: "half a second head",
                limits: next_head.clone(),
                sent: "GET /health HTTP/1.1\r\nHost: test\r\n\r\nGET /health HT",
                trickles: "",
                answer: "HTTP/1.1 200 OK\r\n",
            },
            Case {
                what: "no body",
                limits: body.clone(),
                sent: "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\n",
                trickles: "",
                answer: "HTTP/1.1 408 Request Timeout\r\n",
            },
            Case {
                what: "half a body",
                limits: body.clone(),
                sent: "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 99\r\n\r\n{\"values",
                trickles: "",
                answer: "HTTP/1.1 408 Request Timeout\r\n",
            },
            Case {
                what: "a body byte by byte",
                limits: body.clone(),
                sent: "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9999\r\n\r\n",
                trickles: "{",
                answer: "HTTP/1.1 408 Request Timeout\r\n",
            },
            Case {
                what: "chunk by chunk",
                limits: body,
                sent: "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n",
                trickles: "1\r\n{\r\n",
                answer: "HTTP/1.1 408 Request Timeout\r\n",
            },
        ];
        for case in cases {
            let what = case.what;
            let server = Server::start(case.limits);
            let start = Instant::now();
            let stream = server.begin(case.sent);
            if !case.trickles.is_empty() {
                trickle(&stream, case.trickles);
            }
            let (answer, time) = ended(&stream, start);
            assert!(answer.starts_with(case.answer), "{what}: {answer}");
            assert_eq!(
                answer.is_empty(),
                case.answer.is_empty(),
                "{what}: {answer}"
            );
            assert!(time >= SHORT && time < LONG / 4, "{what}: {time:?}");
            server.end();
        }
    }

    /// Answers of several MiB, more than the kernel takes for a client that does not read.
    #[test]
    fn clients_that_do_not_read_are_left() {
        let limits = Limits {
            answer: SHORT,
            ..patient()
        };
        let row = "[5.9,3,5.1,2.3],";
        let rows = row.repeat(60_000);
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
                    assert!(answer.len() < 4_000_000, "{}", answer.len());
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
        // Small ones do not.
        let mut small = server.begin(POST);
        assert_eq!(small.read(&mut [0]).expect("it is answered"), 1);
        first.shutdown(Shutdown::Both).expect("it is open");
        second.set_read_timeout(Some(LONG)).expect("it is not zero");
        let (answer, _) = ended(&second, Instant::now());
        assert!(answer.contains("Missing input values"), "{answer}");
        drop(small);
        server.end();
    }
}
