"""`python scaling.py`: nanoseconds a row from 100 rows to 1,000,000, what two threads gain, and the memory it takes.

Each model runs in a process of its own, whose resident memory after a first small call is taken off the peak.
"""

import argparse
import subprocess
import sys
import time
import warnings
from pathlib import Path

import iris_core
import numpy as np
from compare.models import models

MODELS = (
    "iris: SVC, probabilities",
    "iris: logistic regression",
    "iris: decision tree",
    "iris: Gaussian naive Bayes",
    "digits: random forest, 100 trees",
    "digits: MLP, 100 hidden",
    "diabetes: SVR",
    "diabetes: ridge",
)
ROWS = (100, 1_000, 10_000, 100_000, 1_000_000)
MOST = ROWS[-1]
# Seconds for all calls of one number of rows, at least one call.
PATIENCE = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="measure this one, and print its line")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("scaling.md"))
    arguments = parser.parse_args()
    if arguments.model is not None:
        print(line(arguments.model))
        return
    lines = [measured(name) for name in MODELS]
    header = " | ".join(f"{rows:,} rows" for rows in ROWS)
    text = f"""# From 100 rows to 1,000,000

Written by `make scaling`; do not edit. Nanoseconds a row from Python through `InferenceSession.run`, distinct
rows, one thread: the best of several calls. The gain of two threads and the memory are those of {MOST:,} rows: how much
more than before the call, less the outputs, the process had at most.

| model | {header} | slowest to fastest | two threads | memory |
|---|{"--:|" * (len(ROWS) + 3)}
{chr(10).join(lines)}
"""
    arguments.out.write_text(text)
    print(text)


def measured(name: str) -> str:
    command = [sys.executable, __file__, "--model", name]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def line(name: str) -> str:
    warnings.simplefilter("ignore")
    fitted = next(model for model in models() if model.name == name).fit()
    rows = fitted.rows(MOST)
    one, two = (iris_core.InferenceSession(fitted.onnx, threads=threads) for threads in (1, 2))
    one.run(None, {"X": rows[:1000]})
    two.run(None, {"X": rows[:100_000]})
    before = reset_peak()
    outputs = one.run(None, {"X": rows})
    extra = peak() - before - sum(output.nbytes for output in outputs)
    del outputs
    costs = [best(one, rows[:n]) / n * 1e9 for n in ROWS]
    gain = best(one, rows) / best(two, rows)
    cells = " | ".join(f"{cost:,.0f}" for cost in costs)
    return f"| {name} | {cells} | {max(costs) / min(costs):.2f} | {gain:.2f} | {extra / 1e6:.0f} MB |"


def best(session: iris_core.InferenceSession, rows: np.ndarray) -> float:
    """Seconds of the fastest of several calls."""
    rows = np.ascontiguousarray(rows)
    fastest, end = float("inf"), time.perf_counter() + PATIENCE
    while True:
        start = time.perf_counter()
        session.run(None, {"X": rows})
        now = time.perf_counter()
        fastest = min(fastest, now - start)
        if now > end:
            return fastest


def reset_peak() -> int:
    """Bytes of resident memory now, from which on the peak is counted."""
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def peak() -> int:
    return status("VmHWM")


def status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":")) * 1024


if __name__ == "__main__":
    main()
