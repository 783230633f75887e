"""test.py, against the running function: the lines of the original assignment, to the character."""

import importlib.util
import sys

import pytest
from support import ROOT

LINES = """{'statusCode': 200, 'body': '{"prediction": [0]}'}
{'statusCode': 200, 'body': '{"prediction": [2]}'}
"""
INVOCATIONS = "/2015-03-31/functions/function/invocations"


@pytest.fixture
def assignment(monkeypatch):
    """Runs the script with arguments; `local` is where it takes the local server to be."""
    spec = importlib.util.spec_from_file_location("assignment", ROOT / "test.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(*arguments, local=None):
        monkeypatch.setattr(sys, "argv", ["test.py", *arguments])
        if local is not None:
            monkeypatch.setattr(script, "LOCAL_URL", local + INVOCATIONS)
        return script.main()

    run.script = script
    return run


def test_looks_where_make_run_serves(assignment):
    assert assignment.script.LOCAL_URL == "http://localhost:8080" + INVOCATIONS


def test_prints_the_originals_lines(assignment, server, capsys):
    assert assignment(local=server) == 0
    assert capsys.readouterr().out == LINES


def test_asks_a_deployed_api(assignment, server, capsys):
    assert assignment("--url", f"{server}/dev/predict") == 0
    assert capsys.readouterr().out == "{'prediction': [0]}\n{'prediction': [2]}\n"


def test_fails_where_an_answer_differs(assignment, server, monkeypatch, capsys):
    monkeypatch.setattr(assignment.script.iris_core, "predict", lambda values: [1])
    assert assignment(local=server) == 1
    assert "iris_core predicts [1]" in capsys.readouterr().err


def test_fails_where_no_one_answers(assignment, capsys):
    assert assignment("--url", "http://127.0.0.1:9/predict") == 1
    assert "no answer from" in capsys.readouterr().err
