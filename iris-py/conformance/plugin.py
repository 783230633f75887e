"""A pytest plugin: puts a runtime behind `onnxruntime.InferenceSession`, and writes each outcome as a line of JSON.

Loaded with `-p conformance.plugin`; CONFORMANCE_RUNTIME, CONFORMANCE_LOG and CONFORMANCE_SKIP say what to do.
"""

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import iris_core
import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi import onnxruntime_inference_collection

LOG = Path(os.environ["CONFORMANCE_LOG"])
MODELS = LOG.with_suffix(".models")


class Note(NamedTuple):
    """What a session of ours refused, and the model it was."""

    error: str
    model: object


# What happened in the test that is running.
sessions = 0
refused: list[Note] = []


class InferenceSession:
    """iris_core's session, which counts itself and remembers its errors: tests wrap them, or swallow them."""

    def __init__(self, path_or_bytes, *args, **kwargs):
        global sessions
        sessions += 1
        self._model = path_or_bytes
        self._session = self._noting(iris_core.InferenceSession, path_or_bytes, *args, **kwargs)

    def run(self, *args, **kwargs):
        return self._noting(self._session.run, *args, **kwargs)

    def __getattr__(self, name):
        return getattr(self._session, name)

    def _noting(self, call, *args, **kwargs):
        try:
            return call(*args, **kwargs)
        except BaseException as error:
            refused.append(Note(f"{type(error).__name__}: {error}", self._model))
            raise


class NotUsed:
    """Behind every session of onnxruntime: none may be made while ours take their place."""

    def __init__(self, *args, **kwargs):
        raise AssertionError("onnxruntime itself was used")


if os.environ["CONFORMANCE_RUNTIME"] == "iris_core":
    onnxruntime.InferenceSession = InferenceSession
    onnxruntime_inference_collection.C.InferenceSession = NotUsed


def write(**record):
    with LOG.open("a") as log:
        log.write(json.dumps(record) + "\n")


def message(report) -> str:
    """What the failed test itself says: its exception's first lines that say something."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = [line.strip() for line in str(crash.message if crash else report.longrepr).splitlines()]
    said = [line for line in lines if re.search(r"\w", line)]
    return " | ".join(said[:3])[:400]


def keep_model(test: str, note: Note) -> None:
    model = note.model if isinstance(note.model, bytes) else Path(note.model).read_bytes()
    MODELS.mkdir(exist_ok=True)
    (MODELS / (re.sub(r"\W+", "_", test) + ".onnx")).write_bytes(model)


def pytest_collection_modifyitems(config, items):
    """Leaves out what CONFORMANCE_SKIP lists: what an earlier process did, or died of."""
    skip = set(json.loads(Path(os.environ["CONFORMANCE_SKIP"]).read_text()))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in skip])
    items[:] = [item for item in items if item.nodeid not in skip]


def pytest_collectreport(report):
    if report.failed:
        write(test=report.nodeid, outcome="failed", says=message(report), error="", sessions=0, seconds=0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    global sessions
    sessions = 0
    refused.clear()
    # Many tests draw their data without a seed: both runtimes get the same.
    np.random.seed(0)
    write(start=item.nodeid)


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    error = ""
    if report.failed and refused:
        error = refused[-1].error
        keep_model(report.nodeid, refused[-1])
    write(
        test=report.nodeid,
        outcome=report.outcome,
        says=message(report) if not report.passed else "",
        error=error[:2000],
        sessions=sessions,
        seconds=round(report.duration, 3),
    )
