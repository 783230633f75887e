"""skl2onnx's whole test suite, once on each runtime, both at the same time."""

import json
import os
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .fetch import fetch_tests

RUNTIMES = ("onnxruntime", "iris_core")
# A test that takes longer is killed, and counts as failed.
PATIENCE = 1200
SAMPLE = 12
# Minutes each, for scikit-learn to fit 7,500 rows.
SLOW = "::test_x_issue_789"


def run_suite(work: Path, runtimes=RUNTIMES, sample=False) -> dict[str, dict[str, dict]]:
    """Runtime → test → what became of it: outcome, what it says, our error, sessions, seconds."""
    tests = fetch_tests(work)
    with ThreadPoolExecutor() as pool:
        outcomes = pool.map(lambda runtime: run_on(runtime, tests, work, sample), runtimes)
        return dict(zip(runtimes, outcomes, strict=True))


def run_on(runtime: str, tests: Path, work: Path, sample: bool) -> dict[str, dict]:
    """Runs pytest until each test has an outcome: a process that dies takes one test with it, not the rest."""
    folder = work / runtime
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log.jsonl"
    log.write_text("")
    left_out = not_in_sample(tests) if sample else set()
    outcomes: dict[str, dict] = {}
    while True:
        end = run_pytest(runtime, tests, log, left_out | set(outcomes))
        outcomes, running = read_log(log)
        if not outcomes and running is None:
            raise RuntimeError(f"pytest ran nothing: {folder / 'output.txt'} says why")
        if running in outcomes:
            return outcomes
        with log.open("a") as file:
            died = {"test": running, "outcome": "failed", "says": end, "error": end, "sessions": 0, "seconds": 0}
            file.write(json.dumps(died) + "\n")


def run_pytest(runtime: str, tests: Path, log: Path, skip: set[str]) -> str:
    """How the process ended: "" or, where it did not by itself, why."""
    skip_file = log.with_name("skip.json")
    skip_file.write_text(json.dumps(sorted(skip)))
    environment = os.environ | {
        "CONFORMANCE_RUNTIME": runtime,
        "CONFORMANCE_LOG": str(log),
        "CONFORMANCE_SKIP": str(skip_file),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "conformance.plugin"]
    pytest.append("--continue-on-collection-errors")
    # Tests write where they are run.
    with log.with_name("output.txt").open("a") as output:
        process = subprocess.Popen(
            [*pytest, "--rootdir", tests, tests], cwd=log.parent, env=environment, stdout=output, stderr=output
        )
        while process.poll() is None:
            time.sleep(0.5)
            if time.time() - log.stat().st_mtime > PATIENCE:
                process.kill()
                process.wait()
                return f"no end within {PATIENCE} s"
    return f"the process died of signal {-process.returncode}" if process.returncode < 0 else ""


def read_log(log: Path) -> tuple[dict[str, dict], str | None]:
    """The outcomes so far (one failure, as of a subtest, fails the test), and the test that ran last."""
    outcomes: dict[str, dict] = {}
    running = None
    for line in log.read_text().splitlines():
        record = json.loads(line)
        if "start" in record:
            running = record["start"]
        elif outcomes.get(record["test"], {}).get("outcome") != "failed":
            outcomes[record.pop("test")] = record
    return outcomes, running


def not_in_sample(tests: Path) -> set[str]:
    """All but a fixed twelfth of the tests, and of that the slow ones."""
    listing = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", "--rootdir", tests, tests],
        cwd=tests,
        stdout=subprocess.PIPE,
        text=True,
    )
    names = [line for line in listing.stdout.splitlines() if "::" in line]
    return {name for name in names if SLOW in name or zlib.crc32(name.encode()) % SAMPLE}
