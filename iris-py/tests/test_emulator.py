"""The function as it ships under cargo-lambda's emulator, which starts its instances as Lambda would."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import MODELS, ROOT, binary

CARGO_LAMBDA = Path(sys.executable).with_name("cargo-lambda")
EVENTS = ROOT / "iris-lambda" / "tests" / "data"
SETOSA = '{"statusCode": 200, "body": "{\\"prediction\\": [0]}"}'

# `cargo lambda watch` runs what cargo builds: this package's program becomes the function.
MANIFEST = '[package]\nname = "iris-lambda"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
PROGRAM = """use std::os::unix::process::CommandExt;
fn main() {
    let function = std::env::var_os("IRIS_LAMBDA_BINARY").expect("the test sets it");
    panic!("{}", std::process::Command::new(function).exec());
}
"""


@pytest.fixture(scope="module", params=[1, 10], ids=["one at a time", "ten at once"])
def emulator(request, tmp_path_factory):
    """The emulator's address, and how many instances it runs."""
    function = binary("IRIS_LAMBDA_BINARY", "target/debug/iris-lambda", "cargo build -p iris-lambda")
    folder = tmp_path_factory.mktemp("emulator")
    (folder / "src").mkdir()
    (folder / "Cargo.toml").write_text(MANIFEST)
    (folder / "src" / "main.rs").write_text(PROGRAM)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    variables = os.environ | {"IRIS_LAMBDA_BINARY": str(function), "CARGO_TARGET_DIR": str(folder / "target")}
    command = [CARGO_LAMBDA, "lambda", "watch", "--ignore-changes", "--invoke-address", "127.0.0.1"]
    command += ["--invoke-port", port, "--concurrency", str(request.param)]
    with (
        (folder / "log").open("w+") as log,
        subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 120
            while True:
                try:
                    answer = post(f"{url}/2015-03-31/functions/iris-lambda/invocations", {"values": [[0.1, 2, 0.1, 3]]})
                    assert answer == SETOSA
                    break
                except (OSError, AssertionError):
                    if process.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        pytest.fail(f"the emulator does not answer:\n{log.read()}", pytrace=False)
                    time.sleep(0.2)
            yield url, request.param
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def post(url, event):
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=60) as response:
        return response.read().decode()


def test_the_invoke_api_answers_every_event(emulator):
    url, _ = emulator
    for path in sorted(EVENTS.glob("*.json")):
        answer = json.loads(post(f"{url}/2015-03-31/functions/iris-lambda/invocations", json.loads(path.read_text())))
        assert answer["statusCode"] in (200, 204, 400), path
        assert ("headers" in answer or "multiValueHeaders" in answer) == (
            not path.name.startswith(("direct", "original"))
        ), path


def test_cargo_lambda_invoke_answers(emulator):
    port = emulator[0].rpartition(":")[2]
    command = [CARGO_LAMBDA, "lambda", "invoke", "--invoke-address", "127.0.0.1", "--invoke-port", port]
    done = subprocess.run(
        [*command, "iris-lambda", "--data-file", EVENTS / "original_setosa.json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == SETOSA, done.stderr


def test_the_function_url_answers(emulator):
    url, _ = emulator
    assert post(f"{url}/lambda-url/iris-lambda/predict", {"values": [[5.9, 3.0, 5.1, 2.3]]}) == '{"prediction": [2]}'
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{url}/lambda-url/iris-lambda/predict", {})
    assert refused.value.code == 400
    assert json.load(refused.value) == "Error: Missing input values."
    with urllib.request.urlopen(f"{url}/lambda-url/iris-lambda/health", timeout=60) as response:
        assert json.load(response)["model"] == "iris"


def test_many_callers_get_their_own_answers(emulator):
    url, concurrency = emulator
    expected = json.loads((MODELS / "expected_iris.json").read_text())
    rows = list(zip(expected["inputs"], expected["labels"], strict=True))[:100]

    def ask(row):
        answer = json.loads(post(f"{url}/2015-03-31/functions/iris-lambda/invocations", {"values": [row]}))
        return json.loads(answer["body"])["prediction"][0]

    with ThreadPoolExecutor(concurrency) as callers:
        assert list(callers.map(ask, [row for row, _ in rows])) == [label for _, label in rows]


def test_prints_the_originals_lines(emulator):
    url = f"{emulator[0]}/2015-03-31/functions/iris-lambda/invocations"
    script = f"import test; test.LOCAL_URL = {url!r}; raise SystemExit(test.main())"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        """{'statusCode': 200, 'body': '{"prediction": [0]}'}\n{'statusCode': 200, 'body': '{"prediction": [2]}'}\n"""
    )
