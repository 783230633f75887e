"""LightGBM and XGBoost models, as onnxmltools converts them."""

from collections.abc import Iterator

import onnxmltools
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools.convert.common.data_types import FloatTensorType
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from . import datasets
from .estimators import Case, methods, title

LIGHTGBM = {"n_estimators": 20, "verbose": -1, "n_jobs": 1}
XGBOOST = {"n_estimators": 20, "n_jobs": 1}
CLASSES = (datasets.three_classes, datasets.two_classes, datasets.incomplete)
NUMBERS = (datasets.numbers, datasets.incomplete_numbers)
MODELS = [
    (LGBMClassifier(**LIGHTGBM), CLASSES),
    (LGBMClassifier(boosting_type="dart", **LIGHTGBM), CLASSES),
    (LGBMRegressor(**LIGHTGBM), NUMBERS),
    (LGBMRegressor(boosting_type="dart", **LIGHTGBM), NUMBERS),
    (LGBMRegressor(objective="poisson", **LIGHTGBM), (datasets.positive_numbers,)),
    (XGBClassifier(**XGBOOST), CLASSES),
    (XGBRFClassifier(**XGBOOST), CLASSES),
    (XGBRegressor(**XGBOOST), NUMBERS),
    (XGBRegressor(objective="count:poisson", **XGBOOST), (datasets.positive_numbers,)),
    (XGBRFRegressor(**XGBOOST), NUMBERS),
]


def cases() -> Iterator[Case]:
    for model, data_sets in MODELS:
        for data in data_sets:
            name = type(model).__name__
            yield Case(title(name, model, data), model, data, methods(name, model))


def convert(model, test) -> bytes:
    types = [("X", FloatTensorType([None, test.shape[1]]))]
    if isinstance(model, LGBMClassifier):
        return onnxmltools.convert_lightgbm(model, initial_types=types, zipmap=False).SerializeToString()
    if isinstance(model, LGBMRegressor):
        return onnxmltools.convert_lightgbm(model, initial_types=types).SerializeToString()
    return onnxmltools.convert_xgboost(model, initial_types=types).SerializeToString()
