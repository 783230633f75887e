"""What a row costs from 100 rows to 1,000,000, and a tree and a support vector from few to many.

Beside nanoseconds a row stand what two threads gain and the memory a call takes. Each of these models runs in a
process of its own, whose resident memory after a first small call is taken off the peak.
"""

import argparse
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import iris_core
import numpy as np
from compare.models import models
from skl2onnx import to_onnx
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVR

# The bytes of a model, and rows for it.
Part = tuple[bytes, np.ndarray]

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
TREES = (50, 100, 200, 400, 800)
SUPPORT_VECTORS = (250, 500, 1_000, 2_000, 4_000)
# Rows for each of these.
MANY = 10_000
# Seconds for all calls of one number of rows, at least one call.
PATIENCE = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="measure this one, and print its line")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results.md"))
    arguments = parser.parse_args()
    if arguments.model is not None:
        print(line(arguments.model))
        return
    warnings.simplefilter("ignore")
    lines = [measured(name) for name in MODELS]
    header = " | ".join(f"{rows:,} rows" for rows in ROWS)
    text = f"""# From 100 rows to 1,000,000, and from few trees to many

Written by `make scaling`; do not edit. Nanoseconds a row from Python through `InferenceSession.run`, distinct
rows, one thread: the best of several calls. The call itself takes about a micro-second, of which each of 100 rows has a
share: "less the call" compares what rows cost beyond the time of one. The gain of two threads and the memory are those
of {MOST:,} rows: how much more than before the call, less the outputs, the process had at most.

| model | {header} | slowest to fastest | less the call | two threads | memory |
|---|{"--:|" * (len(ROWS) + 4)}
{chr(10).join(lines)}

Nanoseconds a row and tree, or support vector, for {MANY:,} rows:

{table("trees of a random forest, breast cancer", TREES, forest)}

{table("support vectors of an SVR of 10 features", SUPPORT_VECTORS, machine)}
"""
    arguments.out.write_text(text)
    print(text)


def measured(name: str) -> str:
    command = [sys.executable, "-m", "scaling", "--model", name]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def table(name: str, sizes: tuple[int, ...], fit: Callable[[int], Part]) -> str:
    """A line of what each part of models of these sizes costs."""
    costs = []
    for size in sizes:
        onnx, rows = fit(size)
        session = iris_core.InferenceSession(onnx, threads=1)
        costs.append(best(session, rows) / len(rows) / size * 1e9)
    header = " | ".join(f"{size:,}" for size in sizes)
    cells = " | ".join(f"{cost:.2f}" for cost in costs)
    spread = f"{max(costs) / min(costs):.2f}"
    rule = "--:|" * (len(sizes) + 1)
    return f"| {name} | {header} | slowest to fastest |\n|---|{rule}\n| | {cells} | {spread} |"


def forest(n_trees: int) -> Part:
    x, y = load_breast_cancer(return_X_y=True)
    estimator = RandomForestClassifier(n_trees, random_state=0).fit(x, y)
    return exported(estimator, x, {"zipmap": False})


def machine(n_vectors: int) -> Part:
    """Without a margin every sample is a support vector."""
    x, y = make_regression(n_vectors, 10, random_state=0)
    return exported(SVR(epsilon=0).fit(x, y), x)


def exported(estimator: BaseEstimator, x: np.ndarray, options: dict | None = None) -> Part:
    random = np.random.default_rng(0)
    rows = x[random.integers(0, len(x), MANY)] + random.normal(0, 0.02, (MANY, x.shape[1])) * x.std(axis=0)
    rows = rows.astype(np.float32)
    options = {id(estimator): options} if options else None
    return to_onnx(estimator, rows[:1], options=options).SerializeToString(), rows


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
    call = best(one, rows[:1])
    times = [best(one, rows[:n]) for n in ROWS]
    costs = [time / n * 1e9 for time, n in zip(times, ROWS, strict=True)]
    more = [(time - call) / (n - 1) for time, n in zip(times, ROWS, strict=True)]
    gain = best(one, rows) / best(two, rows)
    cells = " | ".join(f"{cost:,.0f}" for cost in costs)
    spreads = f"{max(costs) / min(costs):.2f} | {max(more) / min(more):.2f}"
    return f"| {name} | {cells} | {spreads} | {gain:.2f} | {extra / 1e6:.0f} MB |"


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
