"""Rust, Python and HTTP are one function."""

import json
import subprocess
import urllib.request

import iris_core
import numpy as np
import pytest
from support import binary, random_rows


@pytest.fixture
def rust():
    """Asks the example program."""
    path = binary("IRIS_PREDICT_EXAMPLE", "target/debug/examples/predict", "cargo build -p iris-core --example predict")

    def ask(rows):
        answer = subprocess.run([path], input=json.dumps(rows), capture_output=True, text=True, check=True, timeout=60)
        answer = json.loads(answer.stdout)
        return answer["labels"], answer["probabilities"]

    return ask


@pytest.fixture
def http(server):
    """Asks the function's local server."""

    def ask(rows):
        body = json.dumps({"values": rows, "proba": True}).encode()
        request = urllib.request.Request(f"{server}/predict", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        return answer["prediction"], answer["probability"]

    return ask


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
