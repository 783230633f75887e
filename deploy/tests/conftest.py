"""What the tests deploy to: moto for AWS, Debian's docker-registry for ECR's data, a Docker Engine; all on loopback."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "deploy.sh"
PATIENCE = 60
REGISTRY = """version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}}}
  maintenance: {{readonly: {{enabled: {read_only}}}}}
http: {{addr: 127.0.0.1:{port}}}
log: {{level: warn}}
"""

sys.path.append(str(ROOT / "iris-py" / "tests"))

import docker_engine  # noqa: E402


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(command, port, log):
    """Runs a server until the test has ended."""
    with log.open("w+") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        output.seek(0)
                        pytest.fail(f"{command} does not listen:\n{output.read()}", pytrace=False)
                    time.sleep(0.1)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE)


@pytest.fixture
def variables(tmp_path):
    """An environment with nobody's credentials, region or configuration in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IRIS_", "DOCKER_"))}
    tools = Path(sys.executable).parent
    home = tmp_path / "home"
    home.mkdir()
    return kept | {
        "HOME": str(home),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def cloud(variables, tmp_path):
    """The same with moto for AWS."""
    port = free_port()
    command = [sys.executable, ROOT / "deploy" / "tests" / "moto_server.py", "--port", str(port)]
    with server(command, port, tmp_path / "moto.log") as address:
        yield variables | {
            "AWS_ENDPOINT_URL": f"http://{address}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@pytest.fixture(scope="session")
def docker(tmp_path_factory):
    """What the docker command needs in its environment."""
    with contextlib.contextmanager(docker_engine.engine)(tmp_path_factory.mktemp("docker")) as environment:
        yield {name: value for name, value in environment.items() if name.startswith("DOCKER_")}


@pytest.fixture(scope="session")
def image(docker):
    """The image of the function that `make lambda` made."""
    assert (ROOT / "dist" / "iris-lambda").is_file(), "`make lambda` comes first"
    command = ["make", "--old-file=lambda", "image"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | docker, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return "iris_image"


@pytest.fixture(params=[False])
def registry(request, tmp_path):
    """The address of a registry; with the parameter True one that takes no image."""
    port = free_port()
    config = tmp_path / "registry.yml"
    read_only = str(request.param).lower()
    config.write_text(REGISTRY.format(folder=tmp_path / "registry", read_only=read_only, port=port))
    program = docker_engine.find_program("docker-registry", "docker-registry")
    with server([program, "serve", config], port, tmp_path / "registry.log") as address:
        yield address


class Aws:
    """Asks the AWS CLI."""

    def __init__(self, variables):
        self.variables = variables

    def __call__(self, *words):
        command = ["aws", *words, "--output", "json"]
        done = subprocess.run(command, env=self.variables, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, f"{command}:\n{done.stderr}"
        return json.loads(done.stdout)


def deploy(variables, *options):
    """Runs the script; returns its end."""
    command = [SCRIPT, *options]
    return subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
