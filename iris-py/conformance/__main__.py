"""`python -m conformance`: runs everything and writes results.md; `--quick` checks that nothing recorded is lost."""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import onnxruntime

from . import boosters, estimators, report
from .compare import compare, convert, verdict
from .node_cases import run_node_cases
from .suite import RUNTIMES, run_suite

WORK = Path(__file__).parents[2] / "target" / "conformance"


def main() -> int:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a sample of the suite, on us alone; nothing is written")
    parser.add_argument("--work", type=Path, default=WORK, help="where the suite is unpacked and run")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    # scikit-learn's, about estimators that it will drop, and onnxruntime's, about the graphs.
    warnings.simplefilter("ignore", FutureWarning)
    onnxruntime.set_default_logger_severity(4)
    results = {
        "node cases": timed("node cases", run_node_cases),
        "estimators": timed("estimators", lambda: run_cases(estimators.cases(), convert)),
        "boosters": timed("boosters", lambda: run_cases(boosters.cases(), boosters.convert)),
        "suite": timed(
            "suite",
            lambda: run_suite(
                arguments.work, runtimes=RUNTIMES[1:] if arguments.quick else RUNTIMES, sample=arguments.quick
            ),
        ),
    }
    (arguments.work / "results.json").write_text(json.dumps(results, indent=1))
    lost = report.lost(results) if (report.HERE / "passing.json").exists() else []
    for name in lost:
        print("no longer passes:", name)
    if not arguments.quick:
        report.write(results)
    return 1 if lost else 0


def run_cases(cases, convert) -> dict[str, dict]:
    found = {}
    for case in cases:
        result = compare(case, convert)
        found[case.name] = result | {"verdict": verdict(result)}
    return found


def timed(part: str, run):
    start = time.monotonic()
    result = run()
    print(f"{part}: {time.monotonic() - start:.0f} s", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
