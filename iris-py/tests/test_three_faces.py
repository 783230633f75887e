"""Rust, Python and HTTP are one function."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import iris_core
import numpy as np
import pytest
from support import ROOT, random_rows

STARTS_WITHIN = 10.0


def binary(variable, default, build):
    path = Path(os.environ.get(variable) or ROOT / default)
    if not path.is_file():
        pytest.fail(f"{path} is not there: build it with `{build}`, or name another in {variable}", pytrace=False)
    return path


@pytest.fixture
def rust():
    path = binary("IRIS_PREDICT_EXAMPLE", "target/debug/examples/predict", "cargo build -p iris-core --example predict")

    def ask(rows):
        answer = subprocess.run([path], input=json.dumps(rows), capture_output=True, text=True, check=True, timeout=60)
        answer = json.loads(answer.stdout)
        return answer["labels"], answer["probabilities"]

    return ask


@pytest.fixture
def http(tmp_path):
    path = binary("IRIS_LAMBDA_BINARY", "target/debug/iris-lambda", "cargo build -p iris-lambda")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_LAMBDA", "IRIS_"))}
    log = (tmp_path / "server.log").open("w+")
    server = subprocess.Popen([path], env=environment | {"PORT": str(port)}, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"

    def ask(rows):
        body = json.dumps({"values": rows, "proba": True}).encode()
        request = urllib.request.Request(f"{url}/predict", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        return answer["prediction"], answer["probability"]

    def is_ready():
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1) as response:
                return response.status == 200
        except OSError:
            return False

    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not is_ready():
            if server.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                pytest.fail(f"{path} does not answer on {url}:\n{log.read()}", pytrace=False)
            time.sleep(0.02)
        yield ask
    finally:
        server.terminate()
        server.wait(10)
        log.close()


def test_three_faces_give_one_answer(rust, http):
    rows = random_rows(1000, seed=2).tolist()
    labels = iris_core.predict(rows)
    probabilities = iris_core.predict_proba(rows)
    assert len(labels) == 1000
    for face in (rust, http):
        face_labels, face_probabilities = face(rows)
        assert face_labels == labels
        # JSON may spell a float32 shorter than its value as a float64: it is the float32 that must be the same.
        np.testing.assert_array_equal(np.array(face_probabilities, np.float32), probabilities)
