"""What other threads, finalizers and memory itself may do while values are read, and what NumPy lets memory hold."""

import array
import mmap
import subprocess
import sys
import textwrap
import threading
import time

import iris_core
import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper
from support import MODELS, export, graph, identity, random_rows


def choice():
    """A model that negates X where C holds, and gives it back where not."""
    branches = {
        f"{name}_branch": helper.make_graph(
            [helper.make_node(op_type, ["X"], [name])], name, [], [helper.make_tensor_value_info(name, 1, None)]
        )
        for name, op_type in (("then", "Neg"), ("else", "Identity"))
    }
    nodes = [helper.make_node("If", ["C"], ["Y"], **branches)]
    inputs = [("X", TensorProto.FLOAT, ["N", 2]), ("C", TensorProto.BOOL, [1])]
    return graph(nodes, inputs, [("Y", TensorProto.FLOAT, ["N", 2])])


def bytes_of(*values):
    return np.array(values, np.uint8)


@pytest.mark.parametrize("byte", [0, 1, 2, 3, 127, 128, 255])
def test_a_bool_of_any_byte_is_a_truth_value(byte):
    truth = byte != 0
    x = np.ones((1, 2), np.float32)
    session = iris_core.InferenceSession(choice())
    spelled = {
        "frombuffer": np.frombuffer(bytes([byte]), np.bool_),
        "view": bytes_of(byte).view(bool),
        "strided": bytes_of(byte, 7, 7).view(bool)[::3],
        "list of arrays": list(bytes_of(byte).view(bool)),
        "objects": bytes_of(byte).view(bool).astype(object).tolist(),
        "field": np.frombuffer(bytes([0, byte]), [("a", "u1"), ("b", "?")])["b"],
        "masked": np.ma.array(bytes_of(byte).view(bool)),
    }
    for name, value in spelled.items():
        np.testing.assert_array_equal(session.run(None, {"X": x, "C": value})[0], -x if truth else x, err_msg=name)
    bools = bytes_of(byte, 0, 1).view(bool)
    back = iris_core.InferenceSession(identity(TensorProto.BOOL, ("N",)))
    (same,) = back.run(None, {"x": bools})
    assert same.view(np.uint8).tolist() == [truth, 0, 1]
    nodes = [helper.make_node("Identity", ["a"], ["y"])]
    for element in (TensorProto.BOOL, TensorProto.INT64, TensorProto.FLOAT):
        inputs = [("a", element, ["N", 1]), ("b", TensorProto.FLOAT, ["N", 1])]
        model = iris_core.Model(graph(nodes, inputs, [("y", element, ["N", 1])]))
        b = np.zeros(3, np.float32)
        held = [{"a": bools, "b": b}, pd.DataFrame({"a": bools, "b": b}), pd.DataFrame({"a": pd.array(bools), "b": b})]
        held += [np.column_stack([bools, bools]), np.array([[truth, 0], [False, 0], [True, 0]], object)]
        for x in held:
            assert model.transform(x).ravel().tolist() == [truth, 0, 1]
    rows = np.full((2, 4), byte, np.uint8).view(bool)
    assert iris_core.predict(rows) == iris_core.predict(rows.astype(object)) == iris_core.predict([[truth] * 4] * 2)


def ended(code, *, timeout=60):
    """How a Python process of this code ends."""
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert process.returncode == 0, (process.returncode, process.stderr[-2000:])
    return process.stdout


RACE = f"""
import sys, threading, time, warnings
import numpy as np, iris_core
warnings.simplefilter("ignore")
sys.setswitchinterval(1e-6)
model = iris_core.Model({str(MODELS / "iris.onnx")!r})
session = iris_core.InferenceSession({str(MODELS / "iris.onnx")!r})
n, refused, stop = SIZE, 0, False
x = np.ones((n, 4), np.float32)
def spoil():
    global refused
    while not stop:
        try:
            CHANGE
        except ValueError:
            refused += 1
thread = threading.Thread(target=spoil); thread.start()
end = time.time() + 1.5
while time.time() < end:
    for ask in (lambda: session.run(None, {{"X": x}}), lambda: model.predict(x), lambda: iris_core.predict_proba(x)):
        try: ask()
        except (ValueError, TypeError): pass
stop = True; thread.join()
"""

CHANGES = {
    "shape": "for s in [(n, 4), (4 * n,), (n, 2, 2), (1, n, 4, 1, 1), (2 * n, 2)]: x.shape = s",
    "dtype": "x.dtype = np.int8; x.dtype = np.float32",
    "strides": "x.strides = (16, 4); x.strides = (0, 0); x.strides = (16, 4)",
    "resize": "x.resize((1, 4), refcheck=False); x.resize((n, 4), refcheck=False)",
}


@pytest.mark.parametrize("size", [20, 40_000])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_array_may_change_while_it_is_read(change, size):
    ended(RACE.replace("CHANGE", change).replace("SIZE", str(size)))


def test_memory_that_is_read_is_not_given_back(slow_svc):
    model = iris_core.Model(export(slow_svc), threads=1)
    owner = np.concatenate([random_rows(25_000)] * 2)
    views = {"itself": owner, "a view": owner[::2], "a memoryview's": np.asarray(memoryview(owner))[:25_000]}
    for name, rows in views.items():
        done = threading.Event()

        def ask(rows=rows, done=done):
            model.predict(rows)
            done.set()

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.05)
        assert not done.is_set(), name
        with pytest.raises(ValueError, match="cannot resize"):
            owner.resize((1, 4), refcheck=False)
        thread.join()
    owner.resize((1, 4), refcheck=False)


def test_a_map_that_is_read_cannot_be_closed(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(random_rows(5000).tobytes())
    with path.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), 0)
    rows = np.frombuffer(memory, np.float32).reshape(-1, 4)
    iris_core.predict(rows)
    with pytest.raises(BufferError):
        memory.close()
    numbers = array.array("f", random_rows(5000).ravel())
    assert len(iris_core.predict(np.frombuffer(numbers, np.float32).reshape(-1, 4))) == 5000


def test_a_dictionary_may_change_while_it_is_read():
    session = iris_core.InferenceSession(identity())
    x = np.ones((2, 2), np.float32)

    class Value:
        def __init__(self, change):
            self.change = change

        def __array__(self, dtype=None, copy=None):
            self.change()
            return x

        def __index__(self):
            self.change()
            return 7

    feed, held = {}, {}
    for change in (lambda: feed.update(more=1), lambda: feed.clear(), lambda: feed.pop("x")):
        feed.clear()
        feed["x"] = Value(change)
        np.testing.assert_array_equal(session.run(None, feed)[0], x)
    for change in (lambda: held.update(depth=6), lambda: held.clear()):
        for make in (iris_core.Model, iris_core.InferenceSession):
            held.clear()
            held.update(nodes=Value(change), depth=5)
            make(identity(), limits=held)
    array_of_texts = np.array(["a", None, "b"], object)

    class Text:
        def __str__(self):
            array_of_texts[:] = "gone"
            return "here"

    array_of_texts[1] = Text()
    texts = iris_core.InferenceSession(identity(TensorProto.STRING, ("N",)))
    assert texts.run(None, {"x": array_of_texts})[0].tolist() == ["a", "here", "b"]


def test_an_earlier_input_may_change_while_a_later_one_is_read():
    nodes = [helper.make_node("Identity", [name], [f"{name}_"]) for name in "xz"]
    infos = [(name, TensorProto.FLOAT, ["N", 2]) for name in "xz"]
    session = iris_core.InferenceSession(graph(nodes, infos, [(f"{name}_", *rest) for name, *rest in infos]))
    for n in (2, 5000):
        x = np.ones((n, 2), np.float32)
        expected = x.copy()

        class Later:
            def __array__(self, dtype=None, copy=None, x=x, n=n):
                x.shape = (-1,)
                x.dtype = np.int8
                return np.ones((n, 2), np.float32)

        np.testing.assert_array_equal(session.run(["x_"], {"x": x, "z": Later()})[0], expected)


def test_odd_names_of_outputs_are_errors():
    session = iris_core.InferenceSession(identity())
    feed = {"x": np.ones((1, 2), np.float32)}

    class Liar(list):
        def __len__(self):
            return 2**62

    assert len(session.run(Liar(["y"]), feed)) == 1
    assert len(session.run((name for name in "y"), feed)) == 1
    for names in ("y", 3, [3], [None], ["\ud800"], [b"y"]):
        with pytest.raises((TypeError, UnicodeEncodeError)):
            session.run(names, feed)
    for odd in ({3: feed["x"]}, {"\ud800": 1}, [("x", 1)], None):
        with pytest.raises((TypeError, UnicodeEncodeError)):
            session.run(None, odd)


def test_an_output_named_again_is_the_same_array():
    session = iris_core.InferenceSession(MODELS / "iris.onnx")
    rows = random_rows(1000)
    label, scores = session.run(None, {"X": rows})
    names = ["probabilities", "label", "probabilities", "label"]
    again = session.run(names, {"X": rows})
    assert again[0] is again[2] and again[1] is again[3]
    np.testing.assert_array_equal(again[0], scores)
    np.testing.assert_array_equal(again[1], label)


LITTLE = """
import resource, sys
import numpy as np, iris_core
from iris_core import Model, InferenceSession
load = open({path!r}, "rb").read()
session, model = InferenceSession(load, threads=1), Model(load, threads=1)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space")
def test_the_same_output_named_often_takes_no_memory():
    path = MODELS / "iris.onnx"
    code = (
        LITTLE.format(path=str(path))
        + """
x = np.ones((100_000, 4), np.float32)
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
assert len(session.run(["probabilities"] * 20_000, {"X": x})) == 20_000
"""
    )
    ended(code)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space")
def test_an_answer_larger_than_memory_is_a_memory_error(tmp_path):
    path = tmp_path / "same.onnx"
    path.write_bytes(identity(shape=("N",)))
    code = f"""
    import resource, numpy as np, iris_core
    session = iris_core.InferenceSession({str(path)!r}, threads=1)
    x = np.ones(20_000_000, np.float32)
    session.run(None, {{"x": x[:1]}})
    def size(): return int(open("/proc/self/statm").read().split()[0]) * 4096
    kinds = set()
    for more in range(0, 200 << 20, 10 << 20):
        resource.setrlimit(resource.RLIMIT_AS, (size() + more, -1))
        try: session.run(None, {{"x": x}})
        except BaseException as error: kinds.add(type(error).__name__)
    assert kinds <= {{"MemoryError", "ModelError"}}, kinds
    """
    ended(code)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of address space")
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_long_labels_of_many_rows_are_a_memory_error(threads, tmp_path):
    path = tmp_path / "labels.onnx"
    labels = ["a" * 50_000, "b" * 50_000]
    node = helper.make_node(
        "LinearClassifier",
        ["X"],
        ["Y", "P"],
        domain="ai.onnx.ml",
        coefficients=[1.0, 0.0, 0.0, 1.0],
        intercepts=[0.0, 1.0],
        classlabels_strings=labels,
    )
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])]
    outputs = [
        helper.make_tensor_value_info("Y", TensorProto.STRING, None),
        helper.make_tensor_value_info("P", TensorProto.FLOAT, None),
    ]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 1)]
    made = helper.make_model(helper.make_graph([node], "labels", inputs, outputs), opset_imports=opsets, ir_version=8)
    path.write_bytes(made.SerializeToString())
    code = f"""
    import resource, numpy as np, iris_core
    session = iris_core.InferenceSession({str(path)!r}, threads={threads})
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, -1))
    for _ in range(3):
        try: session.run(None, {{"X": np.ones((100_000, 2), np.float32)}})
        except MemoryError: pass
        else: raise AssertionError("5 GB in 2 GB")
    """
    ended(code)


def test_numpy_may_first_be_used_at_the_end_of_the_stack():
    code = """
    import sys, numpy as np, iris_core
    x = np.ones((1, 4), np.float32)
    kinds = set()
    def deep():
        try: deep()
        except RecursionError: pass
        try: iris_core.predict(x)
        except BaseException as error: kinds.add(type(error).__name__)
    deep()
    assert kinds <= {"RecursionError", "ImportError"}, kinds
    """
    ended(code)
