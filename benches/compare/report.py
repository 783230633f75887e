"""What was measured, as tables: micro-seconds a call, and ours against the best of the others."""

import importlib.metadata
import os
import platform

from .peers import OURS

PACKAGES = "iris_core onnxruntime scikit-learn skl2onnx tract treelite tl2cgen numpy"
# What our time may be of onnxruntime's for one row, and of the best other's for more: the project's bars.
ONE_ROW = 0.35
ONE_ROW_OF_A_LARGE_FOREST = 0.6
BATCH = {"linear": 0.8, "mlp": 0.9}
OTHERS = 0.5


ABOUT = """\
Written by `make compare`; do not edit. Micro-seconds a call from Python, one thread each, distinct rows, float32:
medians of turns taken one after the other, ± half the distance between the quartiles. Answers were checked against
onnxruntime's first. scikit-learn predicts what its estimator predicts: probabilities and labels where the model gives
both."""


def document(lines: list[dict], arguments) -> str:
    parts = ["# Ours and the others", ABOUT, environment()]
    for n_samples in arguments.rows:
        chosen = [line for line in lines if line["rows"] == n_samples]
        parts.append(table(n_samples, chosen, list(arguments.peers)))
    missed = [f"- {summary(line)}" for line in lines if ratio(line) > bar(line)]
    parts.append("## Where we miss our bar\n\n" + ("\n".join(missed) or "Nowhere."))
    wrong = [
        f"- {line['model']}, {line['rows']} rows, {peer}: {what}"
        for line in lines
        for peer, what in line["wrong"].items()
    ]
    parts.append("## Answers that are not onnxruntime's\n\n" + ("\n".join(wrong) or "None."))
    return "\n\n".join(parts) + "\n"


def environment() -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES.split())
    machine = f"Python {platform.python_version()}, {os.cpu_count()} processors"
    return f"{versions}; {machine}, load average {os.getloadavg()[0]:.1f} at the end."


def table(n_samples: int, lines: list[dict], peers: list[str]) -> str:
    head = f"| model | {OURS} | {' | '.join(peers)} | of onnxruntime | of the best | bar |"
    rule = "|---|" + "--:|" * (len(peers) + 4)
    return "\n".join([f"## {n_samples:,} rows", "", head, rule, *(row(line, peers) for line in lines)])


def row(line: dict, peers: list[str]) -> str:
    cells = [line["model"], *(time(line["seconds"].get(peer)) for peer in (OURS, *peers))]
    met = f"{bar(line)}" if ratio(line) <= bar(line) else f"{bar(line)} missed"
    return f"| {' | '.join(cells)} | {of(line, 'onnxruntime'):.2f} | {of_best(line):.2f} | {met} |"


def time(seconds: dict | None) -> str:
    if seconds is None:
        return "-"
    spread = (seconds["high"] - seconds["low"]) / 2
    return f"{seconds['median'] * 1e6:,.1f} ± {spread * 1e6:,.1f}"


def of(line: dict, peer: str) -> float:
    return line["seconds"][OURS]["median"] / line["seconds"][peer]["median"]


def of_best(line: dict) -> float:
    return max(of(line, peer) for peer in line["seconds"] if peer != OURS)


def ratio(line: dict) -> float:
    """What the bar is about."""
    return of(line, "onnxruntime") if line["rows"] == 1 else of_best(line)


def bar(line: dict) -> float:
    if line["rows"] == 1:
        return ONE_ROW_OF_A_LARGE_FOREST if "500 trees" in line["model"] else ONE_ROW
    return BATCH.get(line["kind"], OTHERS)


def summary(line: dict) -> str:
    times = ", ".join(f"{peer} {time(seconds)} µs" for peer, seconds in line["seconds"].items())
    return f"{line['model']}, {line['rows']} rows: {ratio(line):.2f} (bar {bar(line)}); {times}"
