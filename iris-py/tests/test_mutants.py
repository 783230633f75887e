"""Thousands of broken models, and odd arrays, in a process of their own: each answers or raises, none ends it."""

import faulthandler
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import iris_core
import numpy as np
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from support import MODELS, ROW, identity, random_rows

MUTANTS = 320
"""Of each model."""
MOST_SECONDS = 1.0
MEMORY = 8 << 30
"""Address space, of which threads and libraries take some without using it."""

WORDS = np.array([["red apple"], ["green pear"], ["red pear"], ["blue plum"]])


def exported(fitted, types):
    model = to_onnx(fitted, initial_types=types, target_opset={"": 18, "ai.onnx.ml": 3})
    return model.SerializeToString()


def originals():
    """Small models, by name, and an array that each answers."""
    rows = random_rows(40)
    classes = (rows[:, 0] > 6).astype(int) + (rows[:, 2] > 3)
    numbers, text = [("X", FloatTensorType([None, 4]))], [("X", StringTensorType([None, 1]))]
    estimators = [
        make_pipeline(StandardScaler(), LogisticRegression()),
        RandomForestClassifier(n_estimators=3, max_depth=3, random_state=0),
        IsolationForest(n_estimators=3, random_state=0),
        GaussianNB(),
        KNeighborsClassifier(3),
        MLPClassifier((5,), max_iter=5, random_state=0),
        KMeans(3, n_init=1, random_state=0),
    ]
    regressors = [GradientBoostingRegressor(n_estimators=3, random_state=0), GaussianProcessRegressor()]
    words = [
        (make_pipeline(OneHotEncoder(handle_unknown="ignore")), WORDS),
        (ColumnTransformer([("words", TfidfVectorizer(), 0)]), WORDS),
    ]
    yield "iris", (MODELS / "iris.onnx").read_bytes(), rows
    yield "any number of columns", identity(shape=("n", "m")), rows
    for fitted in [e.fit(rows, classes) for e in estimators] + [e.fit(rows, rows[:, 1]) for e in regressors]:
        yield type(fitted).__name__, exported(fitted, numbers), rows
    for transformer, given in words:
        yield type(transformer).__name__, exported(transformer.fit(given), text), given.astype(object)


def mutant(random, model, other):
    """`model` with some faults: bytes that are others, of which many load, or parts that are not where they were."""
    data = bytearray(model)
    if random.random() < 0.7:
        for _ in range(random.integers(1, 4)):
            place = random.integers(len(data))
            if random.random() < 0.1:
                data[place : place + 8] = random.bytes(len(data[place : place + 8]))
            elif random.random() < 0.5:
                data[place] ^= 1 << random.integers(8)
            else:
                data[place] = random.choice([0, 1, 2, 0x7F, 0x80, 0xFF])
        return bytes(data)
    place, start, length = random.integers([len(data), len(other), 200])
    match random.integers(5):
        case 0:
            data[place:place] = random.bytes(length)
        case 1:
            del data[place : place + length]
        case 2:
            del data[place:]
        case 3:
            data[place : place + length * random.integers(2)] = other[start : start + length]
        case 4:
            data[place:place] = data[place : place + length]
    return bytes(data)


class Unlike:
    """Says that it is an array, and is not."""

    shape, dtype, ndim = (2, 4), np.dtype(np.float32), 2

    def __array__(self, *_args, **_kwargs):
        raise RuntimeError("not an array")


class Lying:
    """A sequence shorter than it says."""

    def __len__(self):
        return sys.maxsize

    def __getitem__(self, index):
        return ([1.0] * 4, [2.0] * 4)[index]


def odd_arrays(good):
    """What a caller may send by mistake, or not by mistake."""
    numbers = random_rows(5)
    unaligned = np.frombuffer(b"\0" + numbers.tobytes(), np.uint8)[1:].view(np.float32).reshape(5, 4)
    read_only = numbers.copy()
    read_only.flags.writeable = False
    far = np.lib.stride_tricks.as_strided(np.zeros(1 << 20, np.float32), (4, 4), (1 << 20, 1 << 18))
    mixed = np.array([[None, "a", 1.0, b"b"], [object(), [1], {}, np.nan]], dtype=object)
    circle = []
    circle.append(circle)
    # Of a shape that no memory holds, and of one number.
    vast = [
        np.broadcast_to(one, shape)
        for one in [np.float32(1), np.float64(1), np.int64(1), np.int8(1), np.array("x", object)]
        for shape in [(1 << 50, 4), (4, 1 << 50), (1 << 50, 1), (1 << 58,)]
    ]
    return [
        *(good, good[:1], good[:0], good[::-1], good[..., ::-1], good.T, np.asfortranarray(good), good.tolist()),
        *(numbers, numbers * np.nan, numbers * np.inf, numbers * 1e38, numbers[:, :3], numbers[0], numbers[None]),
        *(np.repeat(numbers, 2, axis=1)[:, ::2], unaligned, read_only, far, np.zeros((1,) * 32), np.zeros((1,) * 40)),
        *(np.float32(1), np.array(1.0), np.array("x"), np.array(None), mixed, mixed[:0], *vast),
        *(np.zeros(shape, np.float32) for shape in [(0, 4), (4, 0), (0,), (0, 0), (0, 1 << 60), (1 << 60, 0)]),
        *(np.zeros((1 << n, 0), np.float32) for n in [10, 24, 40]),
        *(numbers.astype(kind) for kind in [">f4", ">f8", "f2", "g", "i1", "u8", ">i4", "?", "F", "S4", "U8", "O"]),
        *(np.zeros((2, 4), kind) for kind in ["M8[s]", "m8[D]", "V4", [("a", "f4"), ("b", "i8")]]),
        *(np.ma.masked_array(numbers, numbers > 3), np.ma.masked_all((2, 4)), np.asmatrix(numbers)),
        *([], [[]], [[1, 2], [3]], circle, [[10**400] * 4], [["\udc80"] * 4], "text", b"bytes", None, {}, {1: 2}),
        *({"X": None}, {"X": numbers}, {"X": circle, "": 1}, {"X": vast[0]}, {"x": vast[0]}, {"x": numbers}),
        *(Unlike(), Lying(), iter(numbers), range(4), memoryview(numbers)),
    ]


class Attack:
    """Calls, and counts what they come to."""

    def __init__(self, model):
        self.model = model
        self.answers = self.errors = 0

    def call(self, what, function, *arguments):
        """What `function` answers, or None where it raises as it may."""
        start = time.thread_time()
        try:
            answer = function(*arguments)
            self.answers += 1
        except Exception as error:
            # A panic is no Exception, and ends this process.
            assert not isinstance(error, SystemError), f"{self.model}: {what}: {error!r}"
            answer = None
            self.errors += 1
        seconds = time.thread_time() - start
        assert seconds < MOST_SECONDS, f"{self.model}: {what}: {seconds:.1f} s"
        return answer

    def ask(self, model, session, arrays):
        for nth, array in enumerate(arrays):
            for name in ["predict", "predict_proba", "decision_function", "transform"]:
                self.call(f"{name} of array {nth}", getattr(model, name), array)
            feed = {argument.name: array for argument in session.get_inputs()}
            self.call(f"run of array {nth}", session.run, None, feed)
            self.call(f"run of no mapping, array {nth}", session.run, None, array)
        for name in ["classes_", "n_features_in_", "feature_names_in_"]:
            self.call(name, getattr, model, name)
        for name in ["get_inputs", "get_outputs", "get_modelmeta"]:
            self.call(name, lambda name=name: repr(getattr(session, name)()))
        self.call("repr", repr, model)


def changed_beside(attack, model, session, array):
    """Asks about an array that another thread writes to."""
    done = threading.Event()
    others = [np.nan, 1e30, 0.0] if array.dtype != object else [None, "x" * 1000, b"", 3, "red"]

    def change():
        while not done.is_set():
            for other in others:
                array[:] = other

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(20):
            attack.ask(model, session, [array])
    finally:
        done.set()
        thread.join()


def main(place):
    """Attacks, and says how much came of it. What is being tried is at `place`, for whoever finds this process dead."""
    faulthandler.enable()
    place.touch()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    random = np.random.default_rng(0)
    models = list(originals())
    tried = loaded = answers = errors = 0
    for nth, (name, original, good) in enumerate(models):
        attack = Attack(name)
        model, session = iris_core.Model(original, threads=1), iris_core.InferenceSession(original, threads=1)
        attack.ask(model, session, odd_arrays(good))
        changed_beside(attack, model, session, np.tile(good, (100, 1)))
        for count in range(MUTANTS):
            data = mutant(random, original, models[(nth + count) % len(models)][1])
            place.write_bytes(data)
            attack.model = f"mutant {count} of {name}"
            model = attack.call("Model", iris_core.Model, data)
            session = attack.call("InferenceSession", iris_core.InferenceSession, data)
            assert (model is None) == (session is None), attack.model
            tried += 1
            if model:
                loaded += 1
                few = [good, good[:0] if good.dtype == object else good * np.nan]
                attack.ask(model, session, odd_arrays(good) if loaded % 50 == 0 else few)
        answers, errors = answers + attack.answers, errors + attack.errors
    assert iris_core.predict([ROW]) == [2]
    assert iris_core.Model.iris().predict(random_rows(9)).tolist() == iris_core.predict(random_rows(9))
    print(tried, loaded, answers, errors)


def test_none_ends_the_process(tmp_path):
    place = tmp_path / "last.onnx"
    attack = f"from pathlib import Path; import test_mutants; test_mutants.main(Path({str(place)!r}))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", attack], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=300
        )
    except subprocess.TimeoutExpired:
        pytest.fail(f"a model or array takes for ever: {place.read_bytes().hex()}")
    assert done.returncode == 0, f"{done.stderr[-5000:]}\nthe last mutant: {place.read_bytes().hex()}"
    tried, loaded, answers, errors = map(int, done.stdout.split())
    assert tried >= 3000
    # Enough of them get far.
    assert min(loaded, tried - loaded) > 200
    assert min(answers, errors) > 1000
