"""What a million requests cost, from measured times and the prices in prices.json."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

PRICES = json.loads((Path(__file__).parent / "prices.json").read_text())
MONTH_S = 30 * 24 * 3600
MILLION = 1_000_000


@dataclass(frozen=True)
class Function:
    """A function as it is configured, and what it takes for an event and for its start, in ms."""

    name: str
    memory_mb: int
    event_ms: float
    init_ms: float
    architecture: str = "x86_64"

    @property
    def gb(self):
        return self.memory_mb / 1024


def compute(function, cold_share):
    """Lambda's charge for duration: each event's time is rounded up to 1 ms, with the start's where it is cold."""
    warm = math.ceil(function.event_ms)
    cold = math.ceil(function.event_ms + function.init_ms)
    seconds = MILLION * (warm * (1 - cold_share) + cold * cold_share) / 1e3
    return seconds * function.gb * PRICES["gb_second"][function.architecture]


def on_demand(function, cold_share):
    return MILLION * PRICES["lambda_request"] + compute(function, cold_share)


def provisioned(function, n_sandboxes, n_millions):
    """A million requests of `n_millions` in a month, with `n_sandboxes` that are always there."""
    held = n_sandboxes * function.gb * MONTH_S * PRICES["provisioned_gb_second"][function.architecture]
    seconds = MILLION * math.ceil(function.event_ms) / 1e3
    duration = seconds * function.gb * PRICES["provisioned_duration_gb_second"][function.architecture]
    return MILLION * PRICES["lambda_request"] + duration + held / n_millions


def snapstart(function, restored_ms, cold_share, n_millions):
    """The same with SnapStart, whose snapshot has the size of the memory: kept all month, restored at each start."""
    kept = function.gb * MONTH_S * PRICES["snapstart_cache_gb_second"]
    restored = MILLION * cold_share * function.gb * PRICES["snapstart_restore_gb"]
    after = Function(function.name, function.memory_mb, function.event_ms, restored_ms, function.architecture)
    return on_demand(after, cold_share) + restored + kept / n_millions


def gateway():
    """What API Gateway takes for a million requests of a REST API."""
    return MILLION * PRICES["rest_api_request"]
