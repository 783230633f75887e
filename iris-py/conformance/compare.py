"""How far the two runtimes are from scikit-learn on one model."""

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import iris_core
import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DictionaryType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.base import clone

from .estimators import Case

RUNTIMES = {"onnxruntime": onnxruntime.InferenceSession, "iris_core": iris_core.InferenceSession}


def convert(estimator, test) -> bytes:
    settings: dict[str, Any] = {"initial_types": [("X", onnx_type(test))]}
    # Scores as an array and not as dictionaries, where the converter has the choice.
    with contextlib.suppress(NameError):
        return to_latest(estimator, **settings, options={id(estimator): {"zipmap": False}})
    return to_latest(estimator, **settings)


def to_latest(estimator, **settings) -> bytes:
    try:
        return to_onnx(estimator, **settings).SerializeToString()
    except RuntimeError as error:
        if "ai.onnx.ml" not in str(error):
            raise
        # Some converters refuse newer versions than they know.
        return to_onnx(estimator, **settings, target_opset={"": 18, "ai.onnx.ml": 3}).SerializeToString()


def onnx_type(test):
    if isinstance(test, list):
        return DictionaryType(StringTensorType([1]), FloatTensorType([1]))
    types = {"f": FloatTensorType, "i": Int64TensorType}
    return types.get(test.dtype.kind, StringTensorType)([None, *test.shape[1:]])


def compare(case: Case, convert: Callable[[Any, Any], bytes] = convert) -> dict[str, Any]:
    """Each runtime's label flips and largest difference from scikit-learn on held-out rows, or its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = case.data()
        try:
            # Some, such as XGBoost's, keep what they learnt from other data.
            estimator = clone(case.estimator)
            estimator.fit(*([data.train] if data.target is None else data[:2]))
            model = convert(estimator, data.test)
            expected = answers(estimator, case.methods, data.test)
        except Exception as error:
            return {"not converted": first_line(error)}
        return {name: measure(session, model, data.test, expected) for name, session in RUNTIMES.items()}


def answers(estimator, methods, test) -> list[np.ndarray]:
    """scikit-learn's own, in double precision, for the numbers that the float inputs are."""
    rows = test.astype(np.float64) if not isinstance(test, list) and test.dtype.kind == "f" else test
    found = []
    for method in methods:
        # A classifier's scores are its probabilities, where it has them.
        if hasattr(estimator, method) and not (method == "decision_function" and hasattr(estimator, "predict_proba")):
            answer = getattr(estimator, method)(rows)
            # kneighbors gives distances and indices; its graph the other way round.
            found.extend(reversed(answer) if isinstance(answer, tuple) else [answer])
    return [np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer) for answer in found]


def measure(session_type, model: bytes, test, expected: list[np.ndarray]) -> dict[str, Any]:
    flips, largest = 0, 0.0
    try:
        session = session_type(model, providers=["CPUExecutionProvider"])
        (name,) = [node.name for node in session.get_inputs()]
        for output, wanted in zip(run(session, name, test), expected, strict=False):
            # One label is as wrong as any other; a score may be more or less so.
            if "f" in (output.dtype.kind, wanted.dtype.kind) and output.dtype.kind in "fiu":
                largest = max(largest, difference(output, wanted))
            else:
                flips += int(np.sum(output.reshape(wanted.shape) != wanted))
    except Exception as error:
        return {"error": first_line(error)}
    return {"flips": flips, "difference": largest}


def run(session, name: str, test) -> list[np.ndarray]:
    if isinstance(test, list):
        # onnxruntime takes one dictionary at a time.
        rows = [session.run(None, {name: row}) for row in test]
        return [np.concatenate([np.asarray(row[k]) for row in rows]) for k in range(len(rows[0]))]
    # A run must not remember the one before it.
    session.run(None, {name: test[::-1].copy()})
    return [np.asarray(output) for output in session.run(None, {name: test})]


def difference(output: np.ndarray, wanted: np.ndarray) -> float:
    """The largest; infinite where the runtime has no number and scikit-learn has one, or the other way round."""
    if output.size == 2 * wanted.size:
        # A column for each of two classes, where scikit-learn has one score for both.
        return min(difference(column, wanted) for column in output.reshape(-1, 2).T)
    output = output.reshape(wanted.shape).astype(np.float64)
    if not np.array_equal(np.isnan(output), np.isnan(wanted)):
        return float("inf")
    same = (output == wanted) | np.isnan(output)
    return float(np.max(np.abs(output - wanted), initial=0.0, where=~same))


def verdict(result: dict[str, Any]) -> str:
    """Labels must be scikit-learn's, and scores no further from it than onnxruntime's, plus 1e-6."""
    if "not converted" in result:
        return "not converted"
    ours, theirs = result["iris_core"], result["onnxruntime"]
    if "error" in theirs:
        return "passed" if ours.get("flips") == 0 else "neither"
    if "error" in ours or ours["difference"] > theirs["difference"] + 1e-6:
        return "failed"
    if ours["flips"]:
        # The graph itself gives other labels than the estimator, on whatever runs it.
        return "as onnxruntime" if ours["flips"] == theirs["flips"] else "failed"
    return "passed"


def first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]
