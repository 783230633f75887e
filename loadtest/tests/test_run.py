"""A short load test, and the notebook on its logs as they come; then what the committed logs must show."""

import os
import subprocess
import sys
from pathlib import Path

import analysis
import numpy as np
import pytest

HERE = Path(__file__).resolve().parents[1]
FIGURES = ("response_over_time", "cold_requests", "warm_requests", "cold_start_harness")


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """The logs of 10 s."""
    logs = tmp_path_factory.mktemp("logs")
    command = [sys.executable, HERE / "run.py", "--seconds", "10", "--logs", logs]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return logs


def test_every_answer_is_right_and_starts_are_told(short):
    for run in analysis.read_runs(short):
        assert not run.failed
        assert len(run.times(cold=True)) >= 1, run.name


@pytest.mark.parametrize("logs", ["short", "committed"])
def test_the_notebook_runs_as_it_is(logs, request, tmp_path):
    logs = request.getfixturevalue("short") if logs == "short" else HERE / "logs"
    variables = os.environ | {"LOADTEST_LOGS": str(logs), "LOADTEST_FIGURES": str(tmp_path)}
    jupyter = Path(sys.executable).with_name("jupyter")
    command = [jupyter, "nbconvert", "--to", "notebook", "--execute", "--output-dir", tmp_path]
    command += ["performance_analysis.ipynb"]
    done = subprocess.run(command, cwd=HERE, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for name in FIGURES:
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
        assert (tmp_path / f"{name}.svg").stat().st_size > 10_000


def test_the_committed_logs_show_what_is_claimed():
    runs = {run.name: run for run in analysis.read_runs(HERE / "logs")}
    ours, python = runs["iris-lambda"], runs["python"]
    assert not ours.failed
    assert np.median(python.times(cold=True)) >= 50 * np.median(ours.times(cold=True))
