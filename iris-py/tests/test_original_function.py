"""The function beside the original's kind of function in Python, each under a Lambda Runtime API."""

import json
import os
import subprocess
import sys

import pytest
from support import ROOT, binary

sys.path.append(str(ROOT / "benches"))

from coldstart.contenders import FUNCTIONS, pickled
from coldstart.measure import LAMBDA
from coldstart.runtime_api import RuntimeApi

EVENTS = ROOT / "iris-lambda" / "tests" / "data"
ROWS = [[5.9, 3.0, 5.1, 2.3], [0.1, 2, 0.1, 3], [5.1, 3.5, 1.4, 0.2]]
# What the original's own handler fails on, or takes for what it is not: base64, and requests that are not predictions.
BEYOND = ("base64", "preflight", "health", "direct", "no_body", "bad_body")


def events():
    """What both answer: a body of values, whoever sends it, and a body without them."""
    for path in sorted(EVENTS.glob("*.json")):
        if not any(word in path.stem for word in BEYOND):
            yield pytest.param(json.loads(path.read_text()), id=path.stem)
    yield pytest.param({"body": "{}"}, id="no values")
    yield pytest.param({"body": json.dumps({"values": ROWS * 20})}, id="many rows")


class Function:
    """A process that answers events."""

    def __init__(self, command, variables):
        self.api = RuntimeApi()
        variables = LAMBDA | variables | {"AWS_LAMBDA_RUNTIME_API": self.api.address}
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, env=variables, stdout=quiet, stderr=quiet)

    def answer(self, event):
        _, connection = self.api.wait_next()
        _, _, body = self.api.answer(connection, json.dumps(event).encode())
        return json.loads(body)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait(20)
        self.api.__exit__()


@pytest.fixture(scope="module")
def functions():
    """Ours, and the original's."""
    ours = binary("IRIS_LAMBDA_BINARY", "target/debug/iris-lambda", "cargo build -p iris-lambda")
    original = [sys.executable, "-W", "ignore", "-m", "awslambdaric", "sklearn_function.handler"]
    variables = {"IRIS_PICKLE": str(pickled()), "PYTHONPATH": str(FUNCTIONS), "HOME": os.environ.get("HOME", "/")}
    with Function([ours], {}) as ours, Function(original, variables) as original:
        yield ours, original


@pytest.mark.parametrize("event", list(events()))
def test_the_same_fields_have_the_same_values(functions, event):
    ours, original = (function.answer(event) for function in functions)
    # The original gives every sender its two fields alone; what gateways want beside them is ours.
    assert set(original) == {"statusCode", "body"}
    for field, value in original.items():
        assert ours[field] == value, field
    if "requestContext" not in event:
        assert ours == original
