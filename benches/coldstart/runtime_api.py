"""A Lambda Runtime API for one function at a time, in this thread: what it costs is little and the same for all."""

import select
import socket
import time

ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'
PATIENCE_MS = 30_000


class RuntimeApi:
    """Listens on loopback. `wait_next` and `answer` are one event's two halves."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.poll = select.poll()
        self.poll.register(self.listener, select.POLLIN)
        self.connections = {}
        self.n_events = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.forget()
        self.listener.close()

    def forget(self):
        """Drops the connections of a function that is gone."""
        for connection in list(self.connections):
            self._close(connection)

    def wait_next(self):
        """Waits until the function asks for an event; returns when it did, in ns, and the connection that did."""
        connection, line, _ = self._request()
        now = time.perf_counter_ns()
        if not line.startswith(b"GET /2018-06-01/runtime/invocation/next "):
            raise RuntimeError(f"asked for the next event, got {line!r}")
        return now, connection

    def answer(self, connection, event):
        """Sends the event; returns when the response had come, in ns from the sending, and the response."""
        self.n_events += 1
        request_id = f"00000000-0000-4000-8000-{self.n_events:012}"
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {request_id}\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:iris\r\n"
            f"Content-Length: {len(event)}\r\n\r\n"
        )
        message = head.encode() + event
        start = time.perf_counter_ns()
        connection.sendall(message)
        replying, line, body = self._request()
        end = time.perf_counter_ns()
        if not line.startswith(f"POST /2018-06-01/runtime/invocation/{request_id}/response ".encode()):
            raise RuntimeError(f"sent event {request_id}, got {line!r} {body!r}")
        replying.sendall(ACCEPTED)
        return start, end, body

    def _request(self):
        """The next request on any connection: the connection, the first line, the body."""
        while True:
            ready = self.poll.poll(PATIENCE_MS)
            if not ready:
                raise TimeoutError("the function does nothing")
            for descriptor, _ in ready:
                if descriptor == self.listener.fileno():
                    connection, _ = self.listener.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.connections[connection.fileno()] = connection
                    self.poll.register(connection, select.POLLIN)
                    continue
                request = self._read(descriptor)
                if request is not None:
                    return request

    def _read(self, descriptor):
        connection = self.connections[descriptor]
        data = connection.recv(65536)
        if not data:
            self._close(descriptor)
            return None
        while b"\r\n\r\n" not in data:
            data += self._more(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = self._chunks(connection, body)
        else:
            length = int(headers.get(b"content-length", 0))
            while len(body) < length:
                body += self._more(connection)
        return connection, lines[0], body

    def _chunks(self, connection, data):
        body = b""
        while True:
            while b"\r\n" not in data:
                data += self._more(connection)
            size, _, data = data.partition(b"\r\n")
            size = int(size, 16)
            while len(data) < size + 2:
                data += self._more(connection)
            if size == 0:
                return body
            body += data[:size]
            data = data[size + 2 :]

    @staticmethod
    def _more(connection):
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("the function hung up in the middle of a request")
        return data

    def _close(self, descriptor):
        self.poll.unregister(descriptor)
        self.connections.pop(descriptor).close()
