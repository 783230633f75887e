"""Runs scikit-learn models exported to ONNX: the embedded iris model, or any file.

>>> import iris_core
>>> iris_core.predict([[5.9, 3.0, 5.1, 2.3]])
[2]
"""

from ._iris_core import (
    InferenceSession,
    InputError,
    Model,
    ModelError,
    ModelMetadata,
    NodeArg,
    __version__,
    predict,
    predict_proba,
)

__all__ = [
    "InferenceSession",
    "InputError",
    "Model",
    "ModelError",
    "ModelMetadata",
    "NodeArg",
    "__version__",
    "predict",
    "predict_proba",
]
