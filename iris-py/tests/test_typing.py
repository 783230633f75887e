"""Runs, and passes `mypy --strict`: what the stubs promise is what there is."""

import subprocess
import sys
from pathlib import Path
from typing import Any, assert_type

import iris_core
import numpy as np
from numpy.typing import NDArray

MODEL = Path(__file__).parents[2] / "models" / "iris.onnx"
ROWS = [[5.9, 3.0, 5.1, 2.3]]


def test_functions() -> None:
    assert_type(iris_core.predict(ROWS), list[int])
    assert_type(iris_core.predict(np.array(ROWS, np.float32)), list[int])
    assert_type(iris_core.predict_proba(ROWS), NDArray[np.float32])
    assert_type(iris_core.__version__, str)


def test_model() -> None:
    models = [iris_core.Model.iris(), iris_core.Model(MODEL), iris_core.Model(str(MODEL))]
    models.append(iris_core.Model(path_or_bytes=MODEL.read_bytes()))
    for model in models:
        assert_type(model.predict(ROWS), NDArray[Any])
        assert_type(model.predict_proba(ROWS), NDArray[np.float32])
        assert_type(model.classes_, NDArray[Any])
        assert_type(model.n_features_in_, int)


def test_session() -> None:
    session = iris_core.InferenceSession(MODEL, providers=["CPUExecutionProvider"], anything=1)
    node = session.get_inputs()[0]
    assert_type(node.name, str)
    assert_type(node.type, str)
    assert_type(node.shape, list[int | str | None])
    assert_type(session.get_outputs(), list[iris_core.NodeArg])
    assert_type(session.get_providers(), list[str])
    metadata = session.get_modelmeta()
    assert_type(metadata, iris_core.ModelMetadata)
    assert_type(metadata.version, int)
    assert_type(metadata.custom_metadata_map, dict[str, str])
    assert_type(session.run(None, {node.name: np.array(ROWS, np.float32)}), list[Any])
    assert_type(session.run(["label"], {node.name: ROWS}, run_options=None), list[Any])


def test_errors() -> None:
    error: ValueError = iris_core.InputError("x")
    other: Exception = iris_core.ModelError("x")
    assert str(error) == str(other)


def test_mistakes_are_mistakes() -> None:
    try:
        iris_core.Model(3)  # type: ignore[arg-type]
        iris_core.Model.iris().fit(ROWS)  # type: ignore[attr-defined]
    except TypeError:
        return
    raise AssertionError("Model(3) must raise")


def check(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_this_file_type_checks() -> None:
    check("mypy", "--strict", __file__)


def test_stubs_match_the_module() -> None:
    check("mypy.stubtest", "iris_core")
