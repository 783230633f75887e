"""Ctrl-C ends a long batch soon, and what was interrupted answers the next call."""

import os
import signal
import threading
import time

import iris_core
import numpy as np
import pytest
from support import ROW, export, random_rows

# How long an interrupt may take to be noticed.
SOON = 2.0


@pytest.fixture(scope="module")
def batch():
    """What takes `slow_svc` several seconds, on two threads too."""
    return np.tile(random_rows(100_000), (100, 1))


@pytest.fixture(autouse=True)
def interrupts_raise():
    """Also where the shell that started the tests has them ignored, as it does for what runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(call):
    """How long `call` goes on after a SIGINT half a second into it."""
    sent = []

    def interrupt():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.5, interrupt)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
        return time.monotonic() - sent[0]
    finally:
        timer.cancel()
        timer.join()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_model(slow_svc, batch, method, threads):
    model = iris_core.Model(export(slow_svc), threads=threads)
    assert interrupted(lambda: getattr(model, method)(batch)) < SOON
    assert model.predict([ROW]) == slow_svc.predict([ROW]).tolist()


@pytest.mark.parametrize("threads", [1, 2])
def test_session(slow_svc, batch, threads):
    session = iris_core.InferenceSession(export(slow_svc), threads=threads)
    assert interrupted(lambda: session.run(None, {"X": batch})) < SOON
    assert session.run(None, {"X": batch[:3]})[0].shape == (3,)


def test_handlers_of_the_program_s_own(slow_svc, batch):
    class Stop(Exception):
        pass

    def stop(signum, frame):
        raise Stop

    session = iris_core.InferenceSession(export(slow_svc), threads=1)
    before = signal.signal(signal.SIGUSR1, stop)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(Stop):
            session.run(None, {"X": batch})
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
