"""The functions that are measured, best first."""

import sys
import warnings
from pathlib import Path

from .measure import Contender

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FUNCTIONS = HERE / "functions"
PICKLE = ROOT / "target" / "coldstart" / "iris.pickle"


def contenders(arguments):
    """The empty function, ours, and two in Python, which run in the interpreter that runs this."""
    return [
        native("empty", "empty lambda_runtime function", arguments.empty, predicts=False),
        native("iris-lambda", "iris-lambda", arguments.ours),
        python("onnxruntime", "Python, onnxruntime", {"IRIS_MODEL": str(ROOT / "models" / "iris.onnx")}),
        python("sklearn", "Python, scikit-learn pickle", {"IRIS_PICKLE": str(pickled())}),
    ]


def native(name, title, path, predicts=True):
    return Contender(name, title, (str(path.resolve(strict=True)),), {}, predicts=predicts, is_native=True)


def python(name, title, environment):
    command = (sys.executable, "-m", "awslambdaric", f"{name}_function.handler")
    return Contender(name, title, command, environment | {"PYTHONPATH": str(FUNCTIONS)})


def pickled():
    """The original's model, trained here, since a pickle is read by the version that wrote it."""
    import pickle

    from sklearn.datasets import load_iris
    from sklearn.svm import SVC

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = SVC(probability=True, random_state=0).fit(*load_iris(return_X_y=True))
    PICKLE.parent.mkdir(parents=True, exist_ok=True)
    PICKLE.write_bytes(pickle.dumps(model))
    return PICKLE
