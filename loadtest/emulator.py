"""cargo-lambda's emulator with a fleet of sandboxes: one function of it each, which takes one event at a time."""

import os
import shlex
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30
MANIFEST = '[package]\nname = "sandboxes"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'

# The emulator runs `cargo run --bin NAME` for a sandbox, after `cargo metadata`. This stands in for cargo: the program
# is built already, and what cargo takes to find that out is no part of a start. A sandbox's log is a file of its own,
# as its stream is in CloudWatch. Lambda sets AWS_LAMBDA_MAX_CONCURRENCY on managed instances alone.
CARGO = """#!/bin/sh
case "$1" in
metadata) exec cat {folder}/metadata.json ;;
run)
    for name; do :; done
    unset AWS_LAMBDA_MAX_CONCURRENCY
    exec {command} >{logs}/"$name".jsonl 2>&1 ;;
esac
"""


@contextmanager
def emulator(cargo_lambda, command, n_sandboxes, folder, logs, environment=None):
    """Yields the emulator's port and the names of its sandboxes; `folder` is for what it needs, `logs` for theirs."""
    names = [f"sandbox-{i}" for i in range(n_sandboxes)]
    write_package(folder, names)
    shim = folder / "cargo"
    quoted = {"folder": shlex.quote(str(folder)), "logs": shlex.quote(str(logs)), "command": shlex.join(command)}
    shim.write_text(CARGO.format(**quoted))
    shim.chmod(0o755)
    port = free_port()
    watch = [str(cargo_lambda), "lambda", "watch", "--ignore-changes", "--concurrency", "1"]
    watch += ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    variables = os.environ | {"CARGO": str(shim)} | (environment or {})
    with (
        (logs / "emulator.log").open("w") as log,
        subprocess.Popen(watch, cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            wait_for(port, process, logs / "emulator.log")
            yield port, names
        finally:
            # The sandboxes are groups of their own, which the emulator ends.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)


def write_package(folder, names):
    """A package with a program for each sandbox, never built, and what cargo says of it."""
    programs = folder / "src" / "bin"
    programs.mkdir(parents=True)
    for name in names:
        (programs / f"{name}.rs").write_text("fn main() {}\n")
    (folder / "Cargo.toml").write_text(MANIFEST)
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    metadata = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    (folder / "metadata.json").write_text(metadata)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, log):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the emulator does not listen:\n{Path(log).read_text()}") from None
            time.sleep(0.02)
