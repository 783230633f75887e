"""The container image in a real Docker Engine.

What is built is the Dockerfile's last stage, from the function that `make lambda` made on this machine: the build stage
runs the same command, in an image that cannot be pulled here.
"""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import docker_engine
import pytest
from support import MODELS, ROOT

IMAGE = "iris_image"
# An empty, read-only file system, no privileges, little memory.
CONFINED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "64m"]
MEGABYTE = 1_000_000

sys.path.append(str(ROOT / "benches"))


@pytest.fixture(scope="session")
def docker(tmp_path_factory):
    """Runs the docker command; returns what it prints."""
    with contextlib.contextmanager(docker_engine.engine)(tmp_path_factory.mktemp("docker")) as environment:

        def run(*arguments):
            command = ["docker", *map(str, arguments)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
            return done.stdout.strip()

        run.environment = environment
        yield run


@pytest.fixture(scope="session")
def image(docker):
    """Builds the image; what `docker image inspect` says of it."""
    assert (ROOT / "dist" / "iris-lambda").is_file(), "`make lambda` comes first"
    # As it is: what is tested is what was built before.
    command = ["make", "--old-file=lambda", "image"]
    done = subprocess.run(command, cwd=ROOT, env=docker.environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(docker("image", "inspect", IMAGE))[0]


@pytest.fixture
def container(docker, image):
    """Starts a container with what comes before the image's name, and waits for a line of its log."""
    started = []

    def start(*options, until):
        name = docker("run", "--detach", *CONFINED, *options, IMAGE)
        started.append(name)
        deadline = time.monotonic() + 20
        while until not in logs(docker, name):
            assert time.monotonic() < deadline, logs(docker, name)
            time.sleep(0.05)
        return name

    yield start
    for name in started:
        docker("rm", "--force", name)


def logs(docker, name):
    done = subprocess.run(["docker", "logs", name], env=docker.environment, capture_output=True, text=True, timeout=20)
    return done.stdout + done.stderr


def address(docker, name):
    """Where the host reaches port 8080 of the container."""
    return "http://" + docker("port", name, "8080/tcp").splitlines()[0]


def post(url, event):
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=20) as response:
        return json.load(response)


def peak_memory(docker, name):
    pid = docker("inspect", "--format", "{{.State.Pid}}", name)
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def test_is_small_and_says_what_it_is(image):
    assert image["Size"] <= 10 * MEGABYTE
    config = image["Config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["/iris-lambda"]
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "iris-lambda"
    assert labels["org.opencontainers.image.licenses"] == "MIT OR Apache-2.0"
    for name in ("version", "revision", "description"):
        assert labels[f"org.opencontainers.image.{name}"]


def test_has_nothing_but_the_function(docker, image, tmp_path):
    name = docker("create", IMAGE)
    try:
        files = subprocess.run(
            f"docker export {name} | tar --list", shell=True, env=docker.environment, capture_output=True, text=True
        ).stdout.split()
    finally:
        docker("rm", name)
    # Docker itself puts empty mount points into every container.
    assert [file for file in files if not file.startswith(("dev/", "etc/", "proc/", "sys/", ".dockerenv"))] == [
        "iris-lambda"
    ]


def test_prints_the_originals_lines(docker, container):
    name = container("--publish", "127.0.0.1::8080", until="listening")
    url = address(docker, name) + "/2015-03-31/functions/function/invocations"
    script = f"import test; test.LOCAL_URL = {url!r}; raise SystemExit(test.main())"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        """{'statusCode': 200, 'body': '{"prediction": [0]}'}\n{'statusCode': 200, 'body': '{"prediction": [2]}'}\n"""
    )
    assert peak_memory(docker, name) < 10 * MEGABYTE
    docker("stop", "--time", "10", name)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"


def test_serves_another_model(docker, container):
    volume = f"{MODELS / 'iris_calibrated.onnx'}:/model.onnx:ro"
    options = ["--publish", "127.0.0.1::8080", "--volume", volume, "--env", "IRIS_MODEL=/model.onnx"]
    name = container(*options, until="listening")
    with urllib.request.urlopen(address(docker, name) + "/health", timeout=20) as response:
        assert json.load(response)["model"] == "model.onnx"
    assert post(address(docker, name) + "/predict", {"values": [[5.9, 3.0, 5.1, 2.3]]}) == {"prediction": [2]}


def test_is_the_lambda_image(docker, container):
    from coldstart.measure import LAMBDA
    from coldstart.runtime_api import RuntimeApi

    event = json.loads((ROOT / "iris-lambda" / "tests" / "data" / "rest_v1.json").read_text())
    with RuntimeApi() as api:
        variables = LAMBDA | {"AWS_LAMBDA_RUNTIME_API": api.address}
        options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        name = container("--network", "host", *options, until="")
        for _ in range(2):
            _, connection = api.wait_next()
            _, _, body = api.answer(connection, json.dumps(event).encode())
            assert json.loads(body)["body"] == '{"prediction": [2]}'
        api.wait_next()
        assert peak_memory(docker, name) < 10 * MEGABYTE
