"""Trains the iris models, exports them to ONNX and writes what they must answer.

Every model is compared with scikit-learn through onnxruntime first; a failure raises and writes nothing.
"""

import argparse
import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.svm import SVC

HERE = Path(__file__).parent
LOW = np.array([4.0, 1.5, 0.5, 0.0])
HIGH = np.array([8.5, 5.0, 7.5, 3.0])
N_RANDOM = 200_000
TOLERANCE = 1e-6
DOCUMENTED = {(5.9, 3.0, 5.1, 2.3): 2, (0.1, 2.0, 0.1, 3.0): 0, (5.1, 3.5, 1.4, 0.2): 0}
CORNERS = [
    *DOCUMENTED,
    (0.0, 0.0, 0.0, 0.0),
    (1e6, 1e6, 1e6, 1e6),
    (1e6, -1e6, 1e6, -1e6),
    (-5.9, -3.0, -5.1, -2.3),
    (-1.0, 2.0, -3.0, 4.0),
    tuple(LOW),
    tuple(HIGH),
]

# scikit-learn 1.9 deprecates probability=True, and skl2onnx reads the deprecated probA_ and probB_.
# This model reproduces it on purpose; CalibratedClassifierCV below is its successor.
for name in ("probability", "probA_", "probB_"):
    warnings.filterwarnings("ignore", rf"[\s\S]*`{name}`", FutureWarning)


def random_rows(n, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(LOW, HIGH, size=(n, 4)).astype(np.float32)


def train(X, y):
    svc = SVC(probability=True, random_state=0).fit(X, y)
    assert f"{svc._gamma:.10f}" == "0.0641674486", svc._gamma
    assert svc.n_support_.tolist() == [7, 29, 24], svc.n_support_
    calibrated = CalibratedClassifierCV(SVC(), ensemble=False).fit(X, y)
    return svc, calibrated


def export(classifier, opset, zipmap=False):
    model = to_onnx(
        classifier,
        initial_types=[("X", FloatTensorType([None, 4]))],
        target_opset={"": opset, "ai.onnx.ml": 1},
        options={"zipmap": zipmap},
    )
    # skl2onnx writes the opsets in the order of a set of strings, which Python's hash seed changes.
    model.opset_import.sort(key=lambda opset: opset.domain)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def run(model, rows):
    """Labels and probabilities by onnxruntime; ZipMap's dictionaries become columns again."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    labels, probabilities = session.run(None, {"X": rows})
    if isinstance(probabilities, list):
        probabilities = np.array([[row[label] for label in (0, 1, 2)] for row in probabilities], np.float32)
    return labels, probabilities


def check(name, model, classifier, rows):
    """Raises unless onnxruntime's answers are scikit-learn's; returns the largest probability difference."""
    labels, probabilities = run(model, rows)
    rows = rows.astype(np.float64)
    differing = int((labels != classifier.predict(rows)).sum())
    worst = float(np.abs(probabilities - classifier.predict_proba(rows)).max())
    if differing or not worst <= TOLERANCE:
        raise ValueError(f"{name}: {differing} of {len(rows)} labels differ, probabilities by up to {worst:.2e}")
    return worst


def check_documented(name, model):
    labels, _ = run(model, np.array(list(DOCUMENTED), np.float32))
    if labels.tolist() != list(DOCUMENTED.values()):
        raise ValueError(f"{name}: the documented rows give {labels.tolist()}")


def expected(name, model, classifier, inputs):
    """The expected answers as JSON, one row per line; each number reads back as exactly the one computed."""
    rows = inputs.astype(np.float64)
    columns = {
        "inputs": inputs,
        "labels": classifier.predict(rows),
        "probabilities": classifier.predict_proba(rows),
        "onnxruntime_probabilities": run(model, inputs)[1],
    }
    head = {"model": name, "sha256": hashlib.sha256(model).hexdigest()}
    members = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, values in columns.items():
        lines = ",\n".join(json.dumps(row, allow_nan=False) for row in values.tolist())
        members.append(f"{json.dumps(key)}: [\n{lines}\n]")
    return ("{\n" + ",\n".join(members) + "\n}\n").encode()


def build():
    """Every file by name, each model checked."""
    X, y = load_iris(return_X_y=True)
    svc, calibrated = train(X, y)
    # 9 is the lowest opset skl2onnx writes these nodes in and the oldest tract tests. The calibrated graph is
    # ordinary arithmetic too, so it takes 18, the newest tract tests and nearest to what users export today.
    models = {
        "iris.onnx": (svc, export(svc, 9)),
        "iris_zipmap.onnx": (svc, export(svc, 9, zipmap=True)),
        "iris_calibrated.onnx": (calibrated, export(calibrated, 18)),
    }
    iris_rows = X.astype(np.float32)
    many_rows = random_rows(N_RANDOM, seed=0)
    inputs = np.concatenate([iris_rows, random_rows(100, seed=1), np.array(CORNERS, np.float32)])

    for name, (classifier, model) in models.items():
        check_documented(name, model)
        worst = {
            "iris": check(name, model, classifier, iris_rows),
            "random": check(name, model, classifier, many_rows),
            "expected": check(name, model, classifier, inputs),
        }
        print(name, "differs from scikit-learn by at most", {rows: f"{value:.2e}" for rows, value in worst.items()})

    for name, classifier in (("SVC", svc), ("calibrated", calibrated)):
        rows = many_rows.astype(np.float64)
        other = (classifier.predict(rows) != classifier.predict_proba(rows).argmax(axis=1)).mean()
        print(f"{name}: the label is not the most probable class on {other:.2%} of {N_RANDOM} random rows")

    files = {name: model for name, (_, model) in models.items()}
    for name in ("iris", "iris_calibrated"):
        classifier, model = models[f"{name}.onnx"]
        files[f"expected_{name}.json"] = expected(f"{name}.onnx", model, classifier, inputs)
    return files


def same(path, data):
    """Whether the file holds `data`: to the bit, but for what processors round differently in expected numbers."""
    if not path.is_file():
        return False
    if path.suffix != ".json":
        return path.read_bytes() == data
    return alike(json.loads(path.read_bytes()), json.loads(data))


def alike(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= TOLERANCE
    return a == b


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 unless the files are these")
    only_check = parser.parse_args().check

    files = build()
    stale = [name for name, data in files.items() if only_check and not same(HERE / name, data)]
    for name, data in files.items():
        if not only_check:
            (HERE / name).write_bytes(data)
        print(f"{hashlib.sha256(data).hexdigest()} {len(data):6} {name}{' DIFFERS' if name in stale else ''}")
    sys.exit(bool(stale))


if __name__ == "__main__":
    main()
