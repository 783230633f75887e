"""What several tests need made: classifiers, and the running function."""

import os
import socket
import subprocess
import time
import urllib.request

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.svm import SVC
from support import binary, random_rows

NAMES = np.array(["setosa", "versicolor", "virginica"])


@pytest.fixture(scope="session")
def iris():
    """The 150 rows and their classes."""
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def svc(iris):
    """The classifier that the embedded model is."""
    return SVC(probability=True, random_state=0).fit(*iris)


@pytest.fixture(scope="session")
def string_svc(iris):
    """The same with the species' names as labels."""
    rows, classes = iris
    return SVC(probability=True, random_state=0).fit(rows, NAMES[classes])


@pytest.fixture(scope="session")
def slow_svc():
    """An SVC that takes about 0.8 µs a row: labels without sense make every row a support vector."""
    labels = np.random.default_rng(0).integers(0, 3, 2000)
    return SVC(gamma=10, probability=True, random_state=0).fit(random_rows(2000), labels)


@pytest.fixture
def server(tmp_path):
    """The address of the function's local server, on loopback, for one test."""
    path = binary("IRIS_LAMBDA_BINARY", "target/debug/iris-lambda", "cargo build -p iris-lambda")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_LAMBDA", "IRIS_"))}
    environment |= {"PORT": str(port), "IRIS_HOST": "127.0.0.1"}
    url = f"http://127.0.0.1:{port}"

    def is_ready():
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1) as response:
                return response.status == 200
        except OSError:
            return False

    with (
        (tmp_path / "server.log").open("w+") as log,
        subprocess.Popen([path], env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + 10
            while not is_ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    pytest.fail(f"{path} does not answer on {url}:\n{log.read()}", pytrace=False)
                time.sleep(0.02)
            yield url
        finally:
            process.terminate()
            process.wait(10)
