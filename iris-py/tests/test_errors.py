"""Every way a model cannot be used, and the exception that says so."""

import errno

import iris_core
import numpy as np
import pytest
from onnx import TensorProto, helper
from support import MODELS, ROW, graph, total

IRIS = (MODELS / "iris.onnx").read_bytes()


def one_node(op_type, domain="", **attributes):
    nodes = [helper.make_node(op_type, ["x"], ["y"], name="culprit", domain=domain, **attributes)]
    return graph(nodes, [("x", TensorProto.FLOAT, [None, 4])], [("y", TensorProto.FLOAT, [None, 4])])


BAD_MODELS = {
    "empty": (b"", "not an ONNX model: the file is empty"),
    "truncated": (IRIS[:1000], "not an ONNX model"),
    "random bytes": (np.random.default_rng(0).bytes(5000), "not an ONNX model"),
    "text": (b"import numpy as np\n" * 100, "not an ONNX model"),
    "unknown operator": (one_node("NobodyHasThis"), "NobodyHasThis"),
    "unknown domain": (one_node("Identity", "com.example"), "com.example"),
    "unknown attribute": (one_node("Scaler", "ai.onnx.ml", offset=[0.0], scale=[1.0], spin=1), "culprit"),
}


@pytest.mark.parametrize(("model", "message"), BAD_MODELS.values(), ids=BAD_MODELS)
@pytest.mark.parametrize("load", [iris_core.Model, iris_core.InferenceSession])
def test_bad_model(load, model, message, tmp_path):
    with pytest.raises(iris_core.ModelError, match=message):
        load(model)
    path = tmp_path / "bad.onnx"
    path.write_bytes(model)
    with pytest.raises(iris_core.ModelError, match=r"bad\.onnx: .*" + message):
        load(path)


def test_every_truncation_of_the_iris_model():
    for length in range(len(IRIS)):
        with pytest.raises(iris_core.ModelError):
            iris_core.Model(IRIS[:length])


@pytest.mark.parametrize("load", [iris_core.Model, iris_core.InferenceSession])
def test_missing_file(load, tmp_path):
    path = tmp_path / "no such file.onnx"
    with pytest.raises(FileNotFoundError) as error:
        load(path)
    assert error.value.errno == errno.ENOENT
    assert error.value.filename == str(path)


def test_directory(tmp_path):
    with pytest.raises(IsADirectoryError):
        iris_core.Model(tmp_path)


@pytest.mark.parametrize("source", [None, 3, [IRIS], bytearray(IRIS)], ids=["None", "int", "list", "bytearray"])
def test_neither_path_nor_bytes(source):
    with pytest.raises(TypeError, match=f"expected a model's path .* got {type(source).__name__}"):
        iris_core.Model(source)


def test_two_inputs_given_one():
    session = iris_core.InferenceSession(total(2))
    with pytest.raises(iris_core.InputError, match='input "column_1": missing'):
        session.run(None, {"column_0": np.ones((1, 1), np.float32)})


def test_two_inputs_given_a_batch():
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["label"], to=TensorProto.INT64),
    ]
    inputs = [("a", TensorProto.FLOAT, [None, 4]), ("b", TensorProto.FLOAT, [None, 4])]
    model = iris_core.Model(graph(nodes, inputs, [("label", TensorProto.INT64, [None, 4])]))
    with pytest.raises(iris_core.InputError, match='2 inputs \\("a", "b"\\)'):
        model.predict([ROW])


def test_a_good_request_follows_a_bad_one():
    model = iris_core.Model.iris()
    for bad in ([ROW[:3]], [[np.nan] * 4], "abc", None):
        with pytest.raises(iris_core.InputError):
            model.predict(bad)
        assert model.predict([ROW]).tolist() == [2]


def test_exception_classes():
    assert issubclass(iris_core.InputError, ValueError)
    assert not issubclass(iris_core.ModelError, ValueError)
    assert iris_core.ModelError.__module__ == iris_core.InputError.__module__ == "iris_core"


def test_predict_proba_without_probabilities():
    with pytest.raises(AttributeError, match="none of them probabilities"):
        nodes = [helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0)]
        model = graph(nodes, [("x", TensorProto.FLOAT, [None, 4])], [("label", TensorProto.INT64, [None])])
        iris_core.Model(model).predict_proba([ROW])
