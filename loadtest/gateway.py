"""What stands between a client and sandboxes on AWS, on loopback: API Gateway's stage `dev`, and Lambda's placement.

A request becomes the event of a REST API with AWS_PROXY integration. It goes to a sandbox that is idle, the one used
last first; where none is, to one that has not been started, which starts for it. That is Lambda's rule: a sandbox has
one event at a time, and a request that finds all of them busy starts one. (The emulator's own `--concurrency` has one
queue for all, so that a request need not be answered by the sandbox that was started for it.)
"""

import http.client
import json
import socket
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STAGE = "dev"
PATIENCE = 60


class Placement:
    """Which sandboxes are idle, and which are not started yet."""

    def __init__(self, names):
        self.unused = list(reversed(names))
        self.idle = []
        self.free = threading.Condition()

    def take(self):
        """A sandbox for one event. Waits where all of them are busy, as Lambda would refuse (429)."""
        with self.free:
            if not self.free.wait_for(lambda: self.idle or self.unused, PATIENCE):
                raise TimeoutError("every sandbox is busy")
            return self.idle.pop() if self.idle else self.unused.pop()

    def give_back(self, name):
        with self.free:
            self.idle.append(name)
            self.free.notify()


class Gateway(ThreadingHTTPServer):
    """Serves `POST /dev/predict` with the emulator's sandboxes; keeps what API Gateway's access log would have."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, emulator_port, names):
        self.emulator_port = emulator_port
        self.placement = Placement(names)
        # A sandbox's, in the order that it answered them.
        self.answered = {name: [] for name in names}
        super().__init__(("127.0.0.1", 0), Request)

    @property
    def host(self):
        """What Locust wants as `--host`."""
        return f"http://127.0.0.1:{self.server_port}/{STAGE}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()

    def invoke(self, event, request_id):
        """Has a sandbox answer the event."""
        name = self.placement.take()
        begin = time.perf_counter()
        try:
            with socket.create_connection(("127.0.0.1", self.emulator_port), timeout=PATIENCE) as connection:
                response = exchange(connection, name, json.dumps(event).encode())
            latency = round((time.perf_counter() - begin) * 1e3, 3)
            entry = {"requestId": request_id, "status": response["statusCode"], "integrationLatency": latency}
            self.answered[name].append(entry)
            return response
        finally:
            self.placement.give_back(name)

    def access_log(self, lambda_ids):
        """The log's lines. `lambda_ids` are those of each sandbox's events in their order: the emulator tells functions
        alone what it calls an event."""
        for name, entries in self.answered.items():
            for entry, lambda_id in zip(entries, lambda_ids[name], strict=True):
                yield entry | {"integrationRequestId": lambda_id}


def exchange(connection, name, event):
    """Sends the event to a sandbox and returns its answer.

    The emulator passes on the head and the body apart where they come apart, and each of its packets that is not
    acknowledged at once holds up the next one for 40 ms: so they are sent together, and acknowledged at once.
    """
    head = f"POST /2015-03-31/functions/{name}/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(event)}"
    connection.sendall(head.encode() + b"\r\n\r\n" + event)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    with http.client.HTTPResponse(connection, method="POST") as response:
        response.begin()
        return json.loads(response.read())


class Request(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body leave together.
    wbufsize = -1

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        request_id = str(uuid.uuid4())
        path = self.path.removeprefix(f"/{STAGE}")
        if path != "/predict":
            self.answer(403, request_id, '{"message":"Missing Authentication Token"}')
            return
        try:
            response = self.server.invoke(self.event(path, body, request_id), request_id)
            self.answer(response["statusCode"], request_id, response["body"])
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            self.answer(502, request_id, '{"message": "Internal server error"}')

    def event(self, path, body, request_id):
        """What API Gateway would send; the fields that functions read."""
        return {
            "resource": path,
            "path": path,
            "httpMethod": "POST",
            "headers": dict(self.headers),
            "multiValueHeaders": {name: self.headers.get_all(name) for name in self.headers},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": {
                "resourcePath": path,
                "httpMethod": "POST",
                "path": f"/{STAGE}{path}",
                "stage": STAGE,
                "requestId": request_id,
                "requestTimeEpoch": time.time_ns() // 1_000_000,
                "identity": {"sourceIp": self.client_address[0], "userAgent": self.headers.get("User-Agent")},
                "apiId": "local",
            },
            "body": body,
            "isBase64Encoded": False,
        }

    def answer(self, status, request_id, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-amzn-RequestId", request_id)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, *_):
        """The access log is enough."""
