"""Labels and scores beside scikit-learn's and onnxruntime's, on many random rows."""

import iris_core
import numpy as np
import onnxruntime
import pytest
from conftest import NAMES
from sklearn.svm import SVC
from support import MODELS, export, random_rows

N_MANY = 1_000_000
N_ROWS = 100_000
CHUNK = 50_000
TOLERANCE = 1e-6


class Tally:
    """How far from scikit-learn a runtime's answers are."""

    def __init__(self):
        self.labels = 0
        self.scores = 0.0

    def add(self, labels, scores, expected_labels, expected_scores):
        self.labels += int((labels != expected_labels).sum())
        self.scores = max(self.scores, float(np.abs(scores - expected_scores).max()))


def compare(classifier, model, rows):
    """Our tally and onnxruntime's."""
    ours, theirs = Tally(), Tally()
    session = iris_core.InferenceSession(model)
    peer = onnxruntime.InferenceSession(model)
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        wide = chunk.astype(np.float64)
        expected = classifier.predict(wide), scores(classifier, wide)
        ours.add(*session.run(None, {"X": chunk}), *expected)
        theirs.add(*peer.run(None, {"X": chunk}), *expected)
    print(f"labels differing: ours {ours.labels}, onnxruntime {theirs.labels}; ", end="")
    print(f"largest score difference: ours {ours.scores:.2e}, onnxruntime {theirs.scores:.2e}")
    return ours, theirs


def scores(classifier, rows):
    """What the second output of an exported SVC stands for."""
    if classifier.probability:
        return classifier.predict_proba(rows)
    decisions = classifier.decision_function(rows)
    # Of two classes skl2onnx exports the decision value and its negative, in this order.
    return decisions if decisions.ndim == 2 else np.stack([decisions, -decisions], axis=1)


def test_iris_rows(svc, iris):
    rows, _ = iris
    assert iris_core.predict(rows) == svc.predict(rows).tolist()
    np.testing.assert_allclose(iris_core.predict_proba(rows), svc.predict_proba(rows), rtol=0, atol=TOLERANCE)


def test_a_million_rows(svc):
    ours, theirs = compare(svc, (MODELS / "iris.onnx").read_bytes(), random_rows(N_MANY))
    assert ours.labels <= theirs.labels
    assert ours.scores <= TOLERANCE


@pytest.mark.parametrize("probability", [True, False], ids=["probabilities", "decisions"])
@pytest.mark.parametrize("task", ["three classes", "two classes", "string labels"])
@pytest.mark.parametrize("kernel", ["linear", "poly", "rbf", "sigmoid"])
def test_every_kind_of_svc(iris, kernel, task, probability):
    rows, classes = iris
    if task == "two classes":
        rows, classes = rows[50:], classes[50:]
    if task == "string labels":
        classes = NAMES[classes]
    classifier = SVC(kernel=kernel, probability=probability, random_state=0).fit(rows, classes)
    ours, theirs = compare(classifier, export(classifier), random_rows(N_ROWS, seed=1))
    assert ours.labels <= theirs.labels
    assert ours.scores <= theirs.scores + TOLERANCE
