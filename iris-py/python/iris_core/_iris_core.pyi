from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

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

__version__: Final[str]

class InputError(ValueError):
    """The input does not fit the model. The message names the input, row or column, and what was expected."""

class ModelError(Exception):
    """The model cannot be used. The message names the culprit."""

def predict(X: ArrayLike) -> list[int]:
    """Predicts the iris class of each row of a batch [n_samples, 4]: 0 (setosa), 1 (versicolor) or 2 (virginica)."""

def predict_proba(X: ArrayLike) -> NDArray[np.float32]:
    """Predicts the probabilities of the three iris classes for each row of a batch [n_samples, 4]: [n_samples, 3]."""

@final
class Model:
    """An ONNX model with the methods of the scikit-learn estimator it came from.

    Columns are found by name where the model takes one input a column, and else taken in the order in which they lie.
    """

    def __new__(
        cls,
        path_or_bytes: str | PathLike[str] | bytes,
        *,
        threads: int | None = None,
        limits: dict[str, int] | None = None,
        external_data: bool = False,
    ) -> Model: ...
    @staticmethod
    def iris() -> Model:
        """The embedded iris model, which iris_core.predict asks."""

    # int64 or str labels, or numbers, as the model gives them.
    def predict(self, X: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[Any]:
        """Labels, clusters, 1 and -1 for inliers and outliers, or targets [n_samples], or [n_samples, n_outputs]."""

    # In truth a list of such arrays for an estimator of several outputs.
    def predict_proba(self, X: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[np.float32]:
        """The probability of each class for each sample: float32 [n_samples, n_classes], or a list of such arrays."""

    def decision_function(self, X: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """The decision scores of each sample: [n_samples, n_classes], or [n_samples] for two classes."""

    # Numbers or text, as the model gives them.
    def transform(self, X: ArrayLike | Mapping[str, ArrayLike]) -> NDArray[Any]:
        """Each sample as a transformer transforms it, or its distances to a clusterer's centres."""

    @property
    def classes_(self) -> NDArray[Any]:
        """A classifier's classes, in the order of predict_proba's columns."""

    @property
    def n_features_in_(self) -> int:
        """How many features a row has."""

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The names of the columns of a model that takes one input a column."""

@final
class NodeArg:
    """An input or output of a model."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def shape(self) -> list[int | str | None]: ...

@final
class ModelMetadata:
    """A model's file, as it describes itself."""

    @property
    def producer_name(self) -> str: ...
    @property
    def graph_name(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def graph_description(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def custom_metadata_map(self) -> dict[str, str]: ...

@final
class InferenceSession:
    """Runs any graph on named arrays, as onnxruntime.InferenceSession does."""

    def __new__(
        cls,
        path_or_bytes: str | PathLike[str] | bytes,
        sess_options: object = None,
        providers: object = None,
        provider_options: object = None,
        *,
        threads: int | None = None,
        limits: dict[str, int] | None = None,
        external_data: bool = False,
        **ignored: object,
    ) -> InferenceSession: ...
    def get_inputs(self) -> list[NodeArg]:
        """The inputs of the model."""

    def get_outputs(self) -> list[NodeArg]:
        """The outputs of the model."""

    def get_modelmeta(self) -> ModelMetadata:
        """The model's file, as it describes itself."""

    def get_providers(self) -> list[str]:
        """The place where models run, which is the CPU, in onnxruntime's words."""

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        """The providers and their options: the CPU, which has none."""

    def set_providers(self, providers: object = None, provider_options: object = None) -> None:
        """Ignores the providers, as the constructor does: models run on the CPU."""

    def get_overridable_initializers(self) -> list[NodeArg]:
        """Initializers that a feed could replace: none can be replaced."""

    def run(
        self, output_names: Iterable[str] | None, input_feed: Mapping[str, Any], run_options: object = None
    ) -> list[Any]:
        """Computes the named outputs (all, for None or none) from a mapping of input names to arrays."""
