"""Large batches are answered in blocks, on several threads: as their rows are one by one, and in a fork, too."""

import multiprocessing
import os
import signal
import threading
import time

import iris_core
import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support import export, random_rows

ROWS = random_rows(50_001)

# Of all of these a matrix product is a part.
PRODUCTS = {
    "ridge": Ridge(),
    "pca": PCA(2),
    "kmeans": KMeans(3, n_init=1, random_state=0),
    "mlp": MLPClassifier((19, 5), tol=1.0, random_state=0),
}


@pytest.fixture(scope="module", params=["svc", "string_svc", "logistic", "forest", *PRODUCTS])
def model(request, iris):
    rows, classes = iris
    if request.param in ("svc", "string_svc"):
        return export(request.getfixturevalue(request.param))
    if request.param == "logistic":
        pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, classes)
        return to_onnx(pipeline, rows[:1].astype(np.float32), options={"zipmap": False}).SerializeToString()
    if estimator := PRODUCTS.get(request.param):
        options = {"zipmap": False} if request.param == "mlp" else None
        estimator.fit(rows, classes)
        return to_onnx(estimator, rows[:1].astype(np.float32), options=options).SerializeToString()
    forest = RandomForestRegressor(10, random_state=0).fit(rows, rows[:, 0])
    return to_onnx(forest, rows[:1].astype(np.float32)).SerializeToString()


def test_blocks_answer_as_single_rows_do(model):
    one = iris_core.InferenceSession(model, threads=1)
    many = iris_core.InferenceSession(model, threads=3)
    name = one.get_inputs()[0].name
    answers, on_threads = one.run(None, {name: ROWS}), many.run(None, {name: ROWS})
    for index, output in enumerate(one.get_outputs()):
        np.testing.assert_array_equal(answers[index], on_threads[index])
        np.testing.assert_array_equal(answers[index], many.run([output.name], {name: ROWS})[0])
    for start in (0, 4_090, 50_000):
        rows = ROWS[start : start + 20]
        for answer, part in zip(answers, one.run(None, {name: rows}), strict=True):
            np.testing.assert_array_equal(answer[start : start + 20], part)


def answer(model, queue):
    session = iris_core.InferenceSession(model, threads=2)
    queue.put(len(session.run(None, {session.get_inputs()[0].name: ROWS})[0]))


def test_threads_do_not_outlive_a_fork(svc):
    model = export(svc)
    session = iris_core.InferenceSession(model, threads=2)
    session.run(None, {"X": ROWS})
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=answer, args=(model, queue))
    process.start()
    assert queue.get(timeout=60) == len(ROWS)
    process.join(60)
    assert process.exitcode == 0


# Python 3.12 and later warn of every fork of a process that has threads.
FORKS = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@FORKS
def test_a_fork_at_any_moment_answers(svc):
    model = export(svc)
    sessions = [iris_core.InferenceSession(model, threads=threads) for threads in (2, 3, 4, 5)]
    expected = sessions[0].run(["label"], {"X": ROWS})[0]
    stop = threading.Event()

    def work(first):
        while not stop.is_set():
            for session in (sessions[first], sessions[first + 1]):
                session.run(["label"], {"X": ROWS})

    workers = [threading.Thread(target=work, args=(first,)) for first in (0, 1, 2)]
    for worker in workers:
        worker.start()
    try:
        end = time.monotonic() + 20
        for _ in range(100):
            if time.monotonic() > end:
                break
            child = os.fork()
            if child == 0:
                os._exit(0 if all(is_right(session, expected) for session in sessions[:3]) else 1)
            assert ended(child, 10) == 0
    finally:
        stop.set()
        for worker in workers:
            worker.join()


def is_right(session, expected):
    """Whether a fork of this process gets the answers; one that raises must not go on with the tests."""
    try:
        return np.array_equal(session.run(["label"], {"X": ROWS[:9_000]})[0], expected[:9_000])
    except BaseException:
        return False


def ended(child, timeout):
    """The status of a child that ends in time, or None of one that hangs, which is killed."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


@FORKS
def test_a_fork_of_a_fork_answers(svc):
    session = iris_core.InferenceSession(export(svc), threads=3)
    expected = session.run(["label"], {"X": ROWS})[0]
    # More than there are places for pools: those after them answer alone.
    depth = 70
    for generation in range(depth):
        child = os.fork()
        if child:
            status = ended(child, 60)
            if generation == 0:
                assert status == 0
                return
            os._exit(1 if status is None else status)
        if not is_right(session, expected):
            os._exit(1)
    os._exit(0)


def test_threads_that_cannot_be_had_are_done_without(svc):
    start = time.monotonic()
    session = iris_core.InferenceSession(export(svc), threads=10_000)
    answers = session.run(None, {"X": ROWS})
    assert time.monotonic() - start < 5
    one = iris_core.InferenceSession(export(svc), threads=1)
    for answer, expected in zip(answers, one.run(None, {"X": ROWS}), strict=True):
        np.testing.assert_array_equal(answer, expected)


def test_threads_are_as_many_as_asked_for():
    for make in (iris_core.Model, iris_core.InferenceSession):
        with pytest.raises(ValueError, match="threads: expected 1 or more, got 0"):
            make(b"", threads=0)
