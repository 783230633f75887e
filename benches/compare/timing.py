"""Times several calls in turns, so that what else the machine does hits all of them."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

# A turn repeats a call for about this long.
TURN = 0.003
MOST_REPEATS = 2000


@dataclass
class Timing:
    """Seconds a call: the median of the turns, and the quartiles around it."""

    median: float
    low: float
    high: float


def measure(calls: dict[str, Callable[[], object]], turns: int, patience: float) -> dict[str, Timing]:
    """The time of each call; none gets more than `patience` seconds in all, but at least three turns."""
    repeats, samples = {}, {name: [] for name in calls}
    for name, call in calls.items():
        once = timed(call, 1)
        repeats[name] = min(MOST_REPEATS, max(1, int(TURN / once)))
    spent = dict.fromkeys(calls, 0.0)
    for turn in range(turns):
        for name, call in calls.items():
            if turn < 3 or spent[name] < patience:
                seconds = timed(call, repeats[name])
                samples[name].append(seconds / repeats[name])
                spent[name] += seconds
    return {name: summary(seconds) for name, seconds in samples.items()}


def timed(call: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return time.perf_counter() - start


def summary(seconds: list[float]) -> Timing:
    low, median, high = statistics.quantiles(seconds, n=4)
    return Timing(median, low, high)
