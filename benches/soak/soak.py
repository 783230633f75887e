"""Good and bad requests, minute after minute, to the local server and to the Python package in threads.

No answer may be wrong, no request lost, and memory must be flat within 2 MB after the first fifth of the time.
Linux only: memory is read from /proc.
"""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

MODELS = Path(__file__).parents[2] / "models"
IRIS = (MODELS / "iris.onnx").read_bytes()
CLIENTS = 3
FLAT = 2 << 20

GOOD_ROWS = np.random.default_rng(0).uniform([4, 1.5, 0.5, 0], [8.5, 5, 7.5, 3], size=(400, 4)).astype(np.float32)
BAD_BODIES = [
    b"",
    b"{",
    b"[" * 100_000,
    b'{"values": [[1, 2, 3]]}',
    b'{"values": [[1, 2, 3, 4], [1, 2, 3]]}',
    b'{"values": [[1, 2, 3, "x"]]}',
    b'{"values": [[1, 2, 3, NaN]]}',
    b'{"values": [[1, 2, 3, 1e400]]}',
    b'{"values": {"a": 1}}',
    b'{"values": null}',
    b'{"values": [[[1]]]}',
    b'{"values": [[1, 2, 3, 4]], "proba": 3}',
    b"\xff\xfe\x00",
    b'{"values": [' + b"[1,2,3,4]," * 2000 + b"]}",
]


def resident(pid):
    """The memory of a process, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise RuntimeError("no VmRSS")


class Tally:
    """What came of the requests, from all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.good = self.bad = 0
        self.faults = []

    def add(self, is_good, fault=None):
        with self.lock:
            if fault is not None:
                self.faults.append(fault)
            elif is_good:
                self.good += 1
            else:
                self.bad += 1

    def __str__(self):
        return f"{self.good} good and {self.bad} bad, {len(self.faults)} wrong or lost"


def ask(connection, body):
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, response.read()


def client(port, expected, until, tally, seed):
    """Asks the server until the time is over."""
    rng = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while time.monotonic() < until:
        is_good = rng.random() < 0.7
        try:
            if is_good:
                start, n = rng.randrange(350), rng.randrange(1, 50)
                rows = GOOD_ROWS[start : start + n].tolist()
                status, answer = ask(connection, json.dumps({"values": rows, "proba": True}))
                labels, scores = expected
                answer = json.loads(answer)
                is_right = (
                    status == 200
                    and answer["prediction"] == labels[start : start + n]
                    and answer["probability"] == scores[start : start + n]
                )
                tally.add(True, None if is_right else f"{status}: {answer}")
            else:
                body = rng.choice(BAD_BODIES)
                status, answer = ask(connection, body)
                json.loads(answer)
                tally.add(False, None if status in (400, 413) else f"{status} for {body[:50]}: {answer[:200]}")
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            tally.add(is_good, f"lost: {error!r}")
            connection.close()


def use_package(until, tally, seed):
    """Loads and asks models through the package until the time is over."""
    import iris_core

    rng = random.Random(seed)
    session = iris_core.InferenceSession(IRIS, threads=1)
    model = iris_core.Model(MODELS / "iris_calibrated.onnx", threads=1)
    answers, labels = session.run(None, {"X": GOOD_ROWS}), model.predict(GOOD_ROWS)
    bad_arrays = [
        np.zeros((3, 5), np.float32),
        np.zeros((0, 1 << 40), np.float32),
        np.array([["a"] * 4], dtype=object),
        np.full((2, 4), np.nan),
        "text",
        None,
        [[1, 2], [3]],
    ]
    while time.monotonic() < until:
        choice = rng.randrange(4)
        try:
            start = rng.randrange(300)
            rows = GOOD_ROWS[start : start + rng.randrange(1, 100)]
            if choice == 0:
                got = session.run(None, {"X": rows})
                is_right = all(
                    np.array_equal(g, a[start : start + len(rows)]) for g, a in zip(got, answers, strict=True)
                )
                tally.add(True, None if is_right else f"run: {got}")
            elif choice == 1:
                is_right = np.array_equal(model.predict(rows), labels[start : start + len(rows)])
                tally.add(True, None if is_right else "predict")
            elif choice == 2:
                broken = bytearray(IRIS)
                for _ in range(rng.randrange(1, 4)):
                    broken[rng.randrange(len(broken))] = rng.randrange(256)
                with contextlib.suppress(iris_core.ModelError, iris_core.InputError, AttributeError):
                    iris_core.Model(bytes(broken)).predict([[5.9, 3.0, 5.1, 2.3]])
                tally.add(False)
            else:
                bad = rng.choice(bad_arrays)
                try:
                    tally.add(False, f"{model.predict(bad)} for {bad!r}")
                except (iris_core.InputError, TypeError, ValueError):
                    tally.add(False)
        except Exception as error:
            tally.add(False, f"{choice}: {error!r}")


def package(minutes, seed, queue):
    """Uses the package in threads, in a process of its own."""
    tally = Tally()
    until = time.monotonic() + 60 * minutes
    threads = [threading.Thread(target=use_package, args=(until, tally, seed + i)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put((str(tally), tally.faults[:5]))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def serve(binary):
    port = free_port()
    variables = os.environ | {"PORT": str(port), "IRIS_HOST": "127.0.0.1", "RUST_LOG": "off"}
    server = subprocess.Popen([binary], env=variables, stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).request("GET", "/health")
            return server, port
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not listen")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--server", required=True)
    options = parser.parse_args()
    import iris_core

    iris = iris_core.Model.iris()
    expected = iris.predict(GOOD_ROWS).tolist(), iris.predict_proba(GOOD_ROWS).tolist()

    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    user = context.Process(target=package, args=(options.minutes, 100, queue))
    user.start()
    server, port = serve(options.server)
    tally = Tally()
    start = time.monotonic()
    until = start + 60 * options.minutes
    threads = [threading.Thread(target=client, args=(port, expected, until, tally, i)) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    memory = {"server": [], "package": []}
    while time.monotonic() < until - 1:
        time.sleep(1)
        memory["server"].append(resident(server.pid))
        if user.is_alive():
            memory["package"].append(resident(user.pid))
    for thread in threads:
        thread.join()
    of_package, faults = queue.get(timeout=60)
    user.join()
    is_alive = server.poll() is None
    server.terminate()
    server.wait(30)

    is_well = is_alive and not tally.faults and not faults
    print(f"{options.minutes:g} minutes; server: {tally}; package: {of_package}")
    for fault in tally.faults[:5] + faults:
        print("  ", fault)
    for name, bytes_ in memory.items():
        warm = max(bytes_[: len(bytes_) // 5])
        grown = max(bytes_[len(bytes_) // 5 :]) - warm
        is_well &= grown <= FLAT
        print(f"{name}: {warm / 2**20:.1f} MB after a fifth of the time, at most {grown / 2**20:+.2f} MB later")
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
