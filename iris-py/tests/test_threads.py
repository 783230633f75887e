"""One model, many threads."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import iris_core
import numpy as np
import pytest
from support import MODELS, export, random_rows

N_THREADS = 8
ROWS = random_rows(4000)


@pytest.fixture(autouse=True)
def switch_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def calls():
    model = iris_core.Model(MODELS / "iris.onnx")
    session = iris_core.InferenceSession(MODELS / "iris_calibrated.onnx")
    return {
        "predict": iris_core.predict,
        "Model.predict": model.predict,
        "Model.predict_proba": model.predict_proba,
        "InferenceSession.run": lambda rows: session.run(["probabilities"], {"X": rows})[0],
    }


@pytest.mark.parametrize("name", calls())
def test_threads_get_the_single_threaded_answers(name):
    call = calls()[name]
    batches = [ROWS[start : start + size] for size in (1, 7, 500) for start in range(0, len(ROWS) - size, 50)]
    expected = [call(batch) for batch in batches]
    start = threading.Barrier(N_THREADS)

    def work(thread):
        start.wait()
        order = np.random.default_rng(thread).permutation(len(batches))
        return all(np.array_equal(call(batches[i]), expected[i]) for i in order)

    with ThreadPoolExecutor(N_THREADS) as pool:
        assert all(pool.map(work, range(N_THREADS)))


def test_other_threads_run_while_a_model_computes(slow_svc):
    model = iris_core.Model(export(slow_svc), threads=1)
    rows = random_rows(1_000_000)
    counted = 0
    running = threading.Event()
    done = threading.Event()

    def count():
        nonlocal counted
        running.set()
        while not done.is_set():
            counted += 1
            time.sleep(0)

    counter = threading.Thread(target=count)
    counter.start()
    running.wait()
    before = counted
    model.predict(rows)
    after = counted
    done.set()
    counter.join()
    # Without the GIL released the counter could only move as predict starts and ends.
    assert after - before > 100
