"""Runs the load test against the Lambda emulator, once for each function; writes their logs to logs/NAME."""

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from emulator import emulator
from gateway import Gateway

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BIN = Path(sys.executable).parent

sys.path.append(str(ROOT / "benches"))

# The original's.
USERS, SPAWN_RATE = 10, 5
SANDBOXES = 10


def functions(ours):
    """The commands of the functions, and what they need in their environment."""
    from coldstart.contenders import FUNCTIONS, pickled

    path = os.pathsep.join([str(HERE / "functions"), str(FUNCTIONS)])
    original = [sys.executable, "-W", "ignore", "-m", "awslambdaric", "original_function.handler"]
    return {
        "iris-lambda": ([str(ours.resolve(strict=True))], {}),
        "python": (original, {"PYTHONPATH": path, "IRIS_PICKLE": str(pickled())}),
    }


def load(name, command, environment, logs, seconds):
    """One run of Locust; returns its exit status, 0 if no request failed."""
    shutil.rmtree(logs, ignore_errors=True)
    sandboxes = logs / "sandboxes"
    sandboxes.mkdir(parents=True)
    begin = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory() as folder,
        emulator(BIN / "cargo-lambda", command, SANDBOXES, Path(folder), sandboxes, environment) as (port, names),
        Gateway(port, names) as gateway,
    ):
        status = locust(gateway.host, logs, seconds)
    lambda_ids = {sandbox: ids(sandboxes / f"{sandbox}.jsonl") for sandbox in names}
    lines = [json.dumps(entry) + "\n" for entry in gateway.access_log(lambda_ids)]
    (logs / "access.jsonl").write_text("".join(lines))
    about = {
        "function": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "users": USERS,
        "spawn_rate": SPAWN_RATE,
        "seconds": seconds,
        "sandboxes": SANDBOXES,
        "machine": machine(),
        "load_average": [round(begin, 2), round(os.getloadavg()[0], 2)],
    }
    (logs / "about.json").write_text(json.dumps(about, indent=2) + "\n")
    return status


def ids(log):
    """The request ids of a sandbox's events; none where it never started."""
    lines = log.read_text().splitlines() if log.is_file() else []
    return [json.loads(line)["request_id"] for line in lines if '"request_id"' in line]


def locust(host, logs, seconds):
    command = [BIN / "locust", "-f", HERE / "locustfile.py", "--host", host, "--headless"]
    command += ["--users", USERS, "--spawn-rate", SPAWN_RATE, "--run-time", f"{seconds}s"]
    command += ["--csv", logs / "test", "--csv-full-history", "--html", logs / "test_locust_report.html"]
    command += ["--logfile", logs / "test_locust_logs.txt", "--requests-log", logs / "requests.jsonl"]
    command += ["--stop-timeout", 30, "--only-summary"]
    return subprocess.run([str(word) for word in command], check=False).returncode


def machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument("--ours", type=Path, default=ROOT / "dist" / "iris-lambda", help="the function that ships")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--logs", type=Path, default=HERE / "logs")
    arguments = parser.parse_args()
    with contextlib.suppress(PermissionError):
        # Before what else the machine does, Locust and the functions alike.
        os.nice(-10)
    statuses = {}
    for name, (command, environment) in functions(arguments.ours).items():
        print(f"{name}: {arguments.seconds} s", flush=True)
        statuses[name] = load(name, command, environment, arguments.logs / name, arguments.seconds)
    failed = [name for name, status in statuses.items() if status]
    if failed:
        sys.exit(f"requests failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
