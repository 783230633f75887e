"""`InferenceSession` beside onnxruntime's."""

import collections

import iris_core
import numpy as np
import onnxruntime
import pytest
import skl2onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import DictionaryType, FloatTensorType, StringTensorType
from sklearn.feature_extraction import DictVectorizer
from sklearn.neighbors import KNeighborsRegressor
from support import MODELS, ROW, export, graph, identity, random_rows, total

FILES = ["iris.onnx", "iris_zipmap.onnx", "iris_calibrated.onnx"]
X = np.array([ROW], np.float32)


@pytest.fixture(params=FILES, scope="module")
def both(request):
    path = MODELS / request.param
    return iris_core.InferenceSession(path), onnxruntime.InferenceSession(path)


def assert_same(ours, theirs):
    """Same types all the way down, and the same numbers."""
    assert type(ours) is type(theirs)
    if isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for pair in zip(ours, theirs, strict=True):
            assert_same(*pair)
    elif isinstance(theirs, dict):
        assert [(key, type(key)) for key in ours] == [(key, type(key)) for key in theirs]
        for key in theirs:
            assert_same(ours[key], theirs[key])
    elif isinstance(theirs, np.ndarray):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        if theirs.dtype == np.float32:
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)
        else:
            np.testing.assert_array_equal(ours, theirs)
    else:
        assert ours == pytest.approx(theirs, abs=2e-6)


def test_signature(both):
    ours, theirs = both
    for side in ("get_inputs", "get_outputs"):
        described = [[(n.name, n.type, n.shape) for n in getattr(session, side)()] for session in both]
        assert described[0] == described[1]
        assert [str(n) for n in getattr(ours, side)()] == [str(n) for n in getattr(theirs, side)()]


def test_metadata(both):
    fields = [
        "producer_name",
        "graph_name",
        "domain",
        "description",
        "graph_description",
        "version",
        "custom_metadata_map",
    ]
    ours, theirs = (session.get_modelmeta() for session in both)
    for field in fields:
        assert getattr(ours, field) == getattr(theirs, field)
        assert type(getattr(ours, field)) is type(getattr(theirs, field))


def test_providers(both):
    ours, theirs = both
    assert ours.get_providers() == theirs.get_providers()
    assert ours.get_provider_options().keys() == theirs.get_provider_options().keys()
    assert ours.set_providers(["CPUExecutionProvider"]) is None
    assert ours.get_overridable_initializers() == theirs.get_overridable_initializers()


@pytest.mark.parametrize("n_samples", [1, 2, 1000])
def test_run(both, n_samples):
    ours, theirs = (session.run(None, {"X": random_rows(n_samples)}) for session in both)
    assert_same(ours, theirs)


@pytest.mark.parametrize("file", FILES)
def test_no_rows(file):
    # onnxruntime's ArrayFeatureExtractor refuses an empty batch, so the calibrated model is compared with shapes alone.
    labels, scores = iris_core.InferenceSession(MODELS / file).run(None, {"X": X[:0]})
    assert (labels.shape, labels.dtype) == ((0,), np.int64)
    assert scores == [] if file == "iris_zipmap.onnx" else (scores.shape, scores.dtype) == ((0, 3), np.float32)


def test_output_names(both):
    label, scores = (output.name for output in both[0].get_outputs())
    for names in (None, [], [label], [scores], [label, scores], [scores, label], (scores,), [label, label]):
        ours, theirs = (session.run(names, {"X": random_rows(3)}) for session in both)
        assert_same(ours, theirs)


def test_takes_what_onnxruntime_takes(both):
    rows = random_rows(6)
    feeds = {
        "list": rows.tolist(),
        "list of ints": [[5, 3, 5, 2]],
        "Fortran order": np.asfortranarray(rows),
        "strided": rows[::2],
        "reversed": rows[::-1],
        "broadcast": np.broadcast_to(X, (5, 4)),
        "read-only": np.frombuffer(rows.tobytes(), np.float32).reshape(6, 4),
        "nan": X * np.nan,
    }
    for feed in feeds.values():
        ours, theirs = (session.run(None, {"X": feed}, None) for session in both)
        assert_same(ours, theirs)


def test_takes_more_than_onnxruntime():
    session = iris_core.InferenceSession(MODELS / "iris.onnx")
    unaligned = np.frombuffer(b"\0" + X.tobytes(), np.float32, offset=1).reshape(1, 4)
    for feed in (tuple(ROW for _ in range(1)), X.astype(">f4"), unaligned):
        assert session.run(["label"], {"X": feed})[0].tolist() == [2]
    feeds = collections.ChainMap({"X": X})
    assert session.run(["label"], feeds)[0].tolist() == [2]
    assert session.run(output_names=["label"], input_feed={"X": X}, run_options=None)[0].tolist() == [2]


def test_zip_map_with_string_labels(string_svc):
    model = export(string_svc, zipmap=True)
    sessions = iris_core.InferenceSession(model), onnxruntime.InferenceSession(model)
    assert sessions[0].get_outputs()[1].type == "seq(map(string,tensor(float)))"
    assert_same(*(session.run(None, {"X": random_rows(10)}) for session in sessions))


VALUES = {
    "float": (TensorProto.FLOAT, np.array([[1.5, 2], [3, 4]], np.float32)),
    "double": (TensorProto.DOUBLE, np.array([[1.5, 2], [3, 4]])),
    "int32": (TensorProto.INT32, np.array([[1, 2], [3, 4]], np.int32)),
    "int64": (TensorProto.INT64, np.array([[1, 2], [3, 4]])),
    "uint32": (TensorProto.UINT32, np.array([[1, 2], [3, 2**32 - 1]], np.uint32)),
    "bool": (TensorProto.BOOL, np.array([[True, False]])),
    "str": (TensorProto.STRING, np.array([["a", "ä"], ["", "long"]])),
    "object": (TensorProto.STRING, np.array([["a", "ä"], ["", "long"]], object)),
    "numbers as object": (TensorProto.STRING, np.array([[1, 2.5]], object)),
}


@pytest.mark.parametrize(("element", "array"), VALUES.values(), ids=VALUES)
def test_element_types(element, array):
    model = identity(element)
    ours, theirs = (
        s(model).run(None, {"x": array}) for s in (iris_core.InferenceSession, onnxruntime.InferenceSession)
    )
    assert_same(ours, theirs)


@pytest.mark.parametrize("name", [name for name in VALUES if name not in ("numbers as object", "uint32")])
def test_lists_become_the_element_type(name):
    element, array = VALUES[name]
    model = identity(element)
    (ours,) = iris_core.InferenceSession(model).run(None, {"x": array.tolist()})
    (direct,) = iris_core.InferenceSession(model).run(None, {"x": array})
    assert_same(ours, direct)


MAPS = {
    "floats": {"a": 1.0, "b": 2.5},
    "an integer too": {"a": 1.0, "b": 2},
    "an unknown key": {"b": 2.0, "c": 1.0},
}


def dict_vectorizer() -> bytes:
    vectorizer = DictVectorizer(sparse=False).fit([{"a": 1.0}, {"b": 2.0}])
    types = [("x", DictionaryType(StringTensorType([1]), FloatTensorType([1])))]
    return skl2onnx.to_onnx(vectorizer, initial_types=types).SerializeToString()


@pytest.mark.parametrize("feed", MAPS.values(), ids=MAPS)
def test_maps(feed):
    model = dict_vectorizer()
    ours, theirs = (s(model) for s in (iris_core.InferenceSession, onnxruntime.InferenceSession))
    assert ours.get_inputs()[0].type == theirs.get_inputs()[0].type
    np.testing.assert_array_equal(*(session.run(None, {"x": feed})[0] for session in (ours, theirs)))


WRONG_MAPS = {
    "a list": ([1.0], "got list"),
    "keys": ({1: 1.0}, "got other keys"),
    "values": ({"a": "b"}, "got other values"),
}


@pytest.mark.parametrize(("feed", "message"), WRONG_MAPS.values(), ids=WRONG_MAPS)
def test_wrong_map(feed, message):
    session = iris_core.InferenceSession(dict_vectorizer())
    with pytest.raises(iris_core.InputError, match=rf'input "x": expected map\(string,tensor\(float\)\), {message}'):
        session.run(None, {"x": feed})


@pytest.mark.parametrize("shape", [(2, 3), ("n", None), (None, "m"), (None, None, 2), ()], ids=str)
def test_shapes(shape):
    model = identity(shape=shape)
    ours, theirs = (s(model).get_inputs()[0] for s in (iris_core.InferenceSession, onnxruntime.InferenceSession))
    assert ours.shape == theirs.shape


def test_several_inputs():
    model = total(3)
    feeds = {f"column_{i}": np.full((2, 1), i, np.float32) for i in range(3)}
    ours, theirs = (s(model).run(None, feeds) for s in (iris_core.InferenceSession, onnxruntime.InferenceSession))
    assert_same(ours, theirs)


def test_options_are_ignored():
    session = iris_core.InferenceSession(
        MODELS / "iris.onnx",
        onnxruntime.SessionOptions(),
        ["CUDAExecutionProvider"],
        provider_options=[{}],
        disabled_optimizers=["x"],
    )
    assert session.run(["label"], {"X": X}, onnxruntime.RunOptions())[0].tolist() == [2]


WRONG_FEEDS = {
    "double": ({"X": X.astype(float)}, r'input "X": expected tensor\(float\), got tensor\(double\)'),
    "int64": ({"X": X.astype(int)}, r'input "X": expected tensor\(float\), got tensor\(int64\)'),
    "float16": ({"X": X.astype(np.float16)}, r'input "X": expected tensor\(float\), got tensor\(float16\)'),
    "object": ({"X": X.astype(object)}, r'input "X": expected tensor\(float\), got tensor\(string\)'),
    "text": ({"X": [["a", "b", "c", "d"]]}, r'input "X": expected tensor\(float\), got'),
    "ragged": ({"X": [ROW, ROW[:2]]}, r'input "X": expected tensor\(float\), got a list'),
    "rank 1": ({"X": X[0]}, r'input "X": expected shape \[\?, 4\], got \[4\]'),
    "rank 3": ({"X": X[None]}, r'input "X": expected shape \[\?, 4\], got \[1, 1, 4\]'),
    "rank 40": ({"X": np.zeros((1,) * 40, np.float32)}, r'input "X": expected tensor\(float\), got 40 dimensions'),
    "columns": ({"X": X[:, :3]}, r'input "X": expected shape \[\?, 4\], got \[1, 3\]'),
    "empty list": ({"X": []}, r'input "X": expected shape \[\?, 4\], got \[0\]'),
    "None": ({"X": None}, r'input "X": expected tensor\(float\), got NoneType'),
    "str": ({"X": "abc"}, r'input "X": expected tensor\(float\), got str'),
    "missing": ({}, r'input "X": missing'),
    "unknown": ({"Y": X}, r'input "Y": the model takes "X"'),
    "extra": ({"X": X, "Y": X}, r'input "Y": the model takes "X"'),
}


@pytest.mark.parametrize(("feed", "message"), WRONG_FEEDS.values(), ids=WRONG_FEEDS)
def test_wrong_feed(feed, message):
    session = iris_core.InferenceSession(MODELS / "iris.onnx")
    with pytest.raises(iris_core.InputError, match=message):
        session.run(None, feed)


def test_a_list_is_not_rounded():
    session = iris_core.InferenceSession(identity(TensorProto.INT64))
    with pytest.raises(iris_core.InputError, match=r'input "x": expected tensor\(int64\)'):
        session.run(None, {"x": [[1.5, 2.0]]})


def test_unknown_output():
    session = iris_core.InferenceSession(MODELS / "iris.onnx")
    with pytest.raises(iris_core.InputError, match='output "foo": the model gives "label", "probabilities"'):
        session.run(["foo"], {"X": X})


@pytest.mark.parametrize(
    ("names", "feed"), [("label", {"X": X}), ([1], {"X": X}), (None, [X]), (None, None), (None, {1: X})]
)
def test_wrong_arguments(names, feed):
    session = iris_core.InferenceSession(MODELS / "iris.onnx")
    with pytest.raises(TypeError):
        session.run(names, feed)


def test_runs_do_not_remember_each_other():
    """skl2onnx exports neighbours as a Scan, which keeps something while it runs."""
    rows = np.random.default_rng(0).random((20, 3)).astype(np.float32)
    regressor = KNeighborsRegressor(3).fit(rows, rows.sum(axis=1))
    session = iris_core.InferenceSession(skl2onnx.to_onnx(regressor, rows[:1]).SerializeToString())
    for batch in (rows[:2], rows[5:7], rows[10:11], rows[12:14]):
        (ours,) = session.run(None, {"X": batch})
        np.testing.assert_allclose(ours.ravel(), regressor.predict(batch), atol=1e-5)


def test_conditions_may_change_from_run_to_run():
    def constant(array):
        array = numpy_helper.from_array(np.array(array, np.float32))
        node = helper.make_node("Constant", [], ["value"], value=array)
        output = helper.make_tensor_value_info("value", TensorProto.FLOAT, None)
        return helper.make_graph([node], "branch", [], [output])

    branches = {"then_branch": constant([1, 2]), "else_branch": constant([[3, 4]])}
    nodes = [helper.make_node("If", [name], [f"{name}_value"], **branches) for name in "ab"]
    nodes.append(helper.make_node("Add", ["a_value", "b_value"], ["y"]))
    model = graph(nodes, [(name, TensorProto.BOOL, []) for name in "ab"], [("y", TensorProto.FLOAT, None)])
    sessions = [s(model) for s in (iris_core.InferenceSession, onnxruntime.InferenceSession)]
    for a, b in [(False, False), (True, False), (True, True), (False, True), (True, False), (False, False)]:
        assert_same(*(session.run(None, {"a": np.array(a), "b": np.array(b)}) for session in sessions))
