"""`python -m compare`: one thread each, answers checked first, calls in turns; writes the results and their plot."""

import argparse
import json
import os
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

import onnxruntime
from threadpoolctl import threadpool_limits

from . import plot, report
from .models import models
from .peers import OURS, PEERS, NoSuchModel, check, prepare
from .timing import measure

ROWS = (1, 100, 10_000)
# Seconds that no call is waited for.
TOO_SLOW = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument("--only", help="models whose name contains this")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS)
    parser.add_argument("--rows", nargs="*", type=int, default=ROWS)
    parser.add_argument("--turns", type=int, default=25)
    parser.add_argument("--patience", type=float, default=2.0, help="seconds for a model, runtime and number of rows")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1], help="where the results go")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    onnxruntime.set_default_logger_severity(4)
    lines = []
    with threadpool_limits(1):
        for model in models():
            if arguments.only is None or arguments.only in model.name:
                fitted = model.fit()
                slow = {}
                for n_samples in arguments.rows:
                    lines.append(line(fitted, n_samples, arguments, slow))
                    print(report.summary(lines[-1]), file=sys.stderr, flush=True)
    wrong = [found for found in lines if OURS in found["wrong"]]
    text = report.document(lines, arguments)
    print(text)
    if arguments.only is None:
        (arguments.out / "results.json").write_text(json.dumps(lines, indent=1) + "\n")
        (arguments.out / "results.md").write_text(text)
        plot.draw(lines, arguments.out)
    return 1 if wrong else 0


def line(fitted, n_samples, arguments, slow) -> dict:
    """One model at one number of rows: seconds by runtime, and why a runtime is missing.

    `slow` holds the seconds a row that each runtime took for fewer rows.
    """
    rows = fitted.rows(n_samples)
    expected = prepare("onnxruntime", fitted, n_samples)(rows)
    calls, missing, wrong = {}, {}, {}
    for peer in (OURS, *arguments.peers):
        if n_samples > 1 and slow.get(peer, 0) * n_samples > TOO_SLOW:
            missing[peer] = f"more than {TOO_SLOW} s a call"
            continue
        try:
            call = prepare(peer, fitted, n_samples)
            answer = call(rows)
        except NoSuchModel as error:
            missing[peer] = str(error)
            continue
        if found := check(peer, answer, expected):
            wrong[peer] = found
        calls[peer] = lambda call=call: call(rows)
    times = measure(calls, arguments.turns, arguments.patience)
    slow.update({peer: timing.median / n_samples for peer, timing in times.items()})
    return {
        "model": fitted.model.name,
        "kind": fitted.model.kind,
        "rows": n_samples,
        "seconds": {peer: asdict(timing) for peer, timing in times.items()},
        "missing": missing,
        "wrong": wrong,
    }


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.exit(main())
