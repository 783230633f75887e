"""`python -m coldstart`: starts each function many times, in turns; writes results.md, samples.json and the figure."""

import argparse
import json
import os
import sys
from pathlib import Path

from . import figure, report
from .contenders import contenders
from .measure import start
from .runtime_api import RuntimeApi

HERE = Path(__file__).parent
EVENT = HERE.parents[1] / "iris-lambda" / "tests" / "data" / "rest_v1.json"


def take_priority():
    """Puts this process and what it starts before everything else on the machine; says whether that is permitted."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    except PermissionError:
        return False
    return True


def main():
    parser = argparse.ArgumentParser(prog="coldstart", description=__doc__)
    parser.add_argument("--ours", type=Path, required=True, help="the function that ships")
    parser.add_argument("--empty", type=Path, required=True, help="the empty function, built the same way")
    parser.add_argument("--rounds", type=int, default=30, help="starts of each Python function")
    parser.add_argument("--starts", type=int, default=10, help="starts of each Rust function in a round")
    parser.add_argument("--warm", type=int, default=100, help="events after the first one")
    parser.add_argument("--only", action="append", help="measure this contender; may be repeated")
    parser.add_argument("--out", type=Path, default=HERE, help="where the results go")
    arguments = parser.parse_args()
    functions = [c for c in contenders(arguments) if not arguments.only or c.name in arguments.only]
    event = json.dumps(json.loads(EVENT.read_text()), separators=(",", ":")).encode()
    goes_first = take_priority()
    starts = []
    with RuntimeApi() as api, open(os.devnull, "wb") as log:

        def measure(contender):
            return start(contender, api, event, arguments.warm, log)

        for contender in functions:
            # Brings its files into the page cache.
            measure(contender)
        for done in range(arguments.rounds):
            # In turns, so that what else the machine does hits all of them.
            for _ in range(arguments.starts):
                starts += [measure(contender) for contender in functions if contender.is_native]
            starts += [measure(contender) for contender in functions if not contender.is_native]
            print(f"\r{done + 1} of {arguments.rounds} rounds", end="", file=sys.stderr)
    print(file=sys.stderr)
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = report.summarize(functions, starts)
    print(report.table(table))
    report.write(arguments.out, functions, starts, table, goes_first)
    figure.draw(arguments.out, table)


if __name__ == "__main__":
    main()
