"""What `predict`, `predict_proba` and `Model` answer."""

import copy
import importlib.metadata
import json
import pickle
import subprocess
import sys

import iris_core
import numpy as np
import pytest
from support import MODELS, ROW, export, identity, random_rows, total

EXPECTED = json.loads((MODELS / "expected_iris.json").read_text())


def test_predict_gives_a_plain_list():
    labels = iris_core.predict([ROW, [0.1, 2, 0.1, 3], [5.1, 3.5, 1.4, 0.2]])
    assert labels == [2, 0, 0]
    assert type(labels) is list
    assert {type(label) for label in labels} == {int}


def test_predict_needs_no_numpy():
    code = f"import sys, iris_core; assert iris_core.predict([{ROW}]) == [2]; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_predict_proba_gives_float32():
    probabilities = iris_core.predict_proba([ROW])
    assert probabilities.shape == (1, 3)
    assert probabilities.dtype == np.float32
    assert probabilities.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("path", [None, MODELS / "iris.onnx", MODELS / "iris_zipmap.onnx"], ids=str)
def test_gives_the_expected_answers(path):
    model = iris_core.Model.iris() if path is None else iris_core.Model(path)
    labels = model.predict(EXPECTED["inputs"])
    assert labels.dtype == np.int64
    assert labels.tolist() == EXPECTED["labels"]
    np.testing.assert_allclose(model.predict_proba(EXPECTED["inputs"]), EXPECTED["probabilities"], rtol=0, atol=1e-6)


def test_functions_ask_the_embedded_model():
    rows = random_rows(1000)
    model = iris_core.Model.iris()
    assert iris_core.predict(rows) == model.predict(rows).tolist()
    np.testing.assert_array_equal(iris_core.predict_proba(rows), model.predict_proba(rows))


def test_takes_a_path_a_pathlike_or_bytes():
    path = MODELS / "iris.onnx"
    for source in (str(path), path, path.read_bytes()):
        assert iris_core.Model(source).predict([ROW]).tolist() == [2]


def test_describes_itself():
    model = iris_core.Model.iris()
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.classes_.dtype == np.int64
    assert model.n_features_in_ == 4
    assert repr(model) == (
        "<iris_core.Model X: tensor(float) [?, 4] -> label: tensor(int64) [?], probabilities: tensor(float) [?, 3]>"
    )
    with pytest.raises(AttributeError, match="feature_names_in_: the model takes all features as one input"):
        _ = model.feature_names_in_


def test_string_labels_are_what_scikit_learn_gives(string_svc):
    model = iris_core.Model(export(string_svc))
    rows = random_rows(100)
    expected = string_svc.predict(rows)
    for ours, theirs in ((model.predict(rows), expected), (model.classes_, string_svc.classes_)):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert model.predict(rows[:0]).dtype == expected.dtype
    assert model.predict(rows[expected == "setosa"]).dtype == expected.dtype


def test_one_input_per_column():
    model = iris_core.Model(total(3))
    assert model.feature_names_in_.tolist() == ["column_0", "column_1", "column_2"]
    assert model.feature_names_in_.dtype == object
    assert model.n_features_in_ == 3


def test_says_what_a_model_lacks():
    model = iris_core.Model(identity())
    with pytest.raises(AttributeError):
        _ = model.classes_
    for method in (model.predict, model.predict_proba, model.decision_function):
        with pytest.raises(AttributeError, match='the model gives "y", none of them '):
            method([[1, 2]])
    with pytest.raises(AttributeError, match="n_features_in_"):
        _ = iris_core.Model(identity(shape=(None, None))).n_features_in_


@pytest.mark.parametrize("make", [pickle.dumps, copy.copy, copy.deepcopy])
def test_cannot_be_pickled(make):
    with pytest.raises(TypeError, match=r"cannot pickle 'iris_core\.Model' object"):
        make(iris_core.Model.iris())


def test_cannot_be_changed():
    with pytest.raises(AttributeError):
        iris_core.Model.iris().classes_ = np.zeros(3)


def test_version_is_the_package_s():
    assert iris_core.__version__ == importlib.metadata.version("iris-core")


def test_exports_what_it_says():
    assert set(iris_core.__all__) == {name for name in vars(iris_core) if not name.startswith("_")} | {"__version__"}
