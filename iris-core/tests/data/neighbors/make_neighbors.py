"""Writes cases.json: what skl2onnx makes of neighbours and distances, inputs, and what onnxruntime answers. See README.md."""

import sys
import warnings
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, RationalQuadratic
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    RadiusNeighborsRegressor,
)

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import case

warnings.filterwarnings("ignore")

X, y = load_iris(return_X_y=True)
RNG = np.random.default_rng(0)
TRAIN = RNG.permutation(len(X))[:70]
FEED = X[RNG.permutation(len(X))[:9]] + RNG.normal(0, 0.05, (9, 4))
NAN = FEED.copy()
NAN[2, 1] = np.nan


def fitted(estimator, dtype=np.float32, target=y):
    """No two rows are as near to a third."""
    return estimator.fit((X + RNG.normal(0, 0.01, X.shape))[TRAIN].astype(dtype), target[TRAIN])


def recorded(name, estimator, feed=FEED, dtype=np.float32, opset=None, target=y, **options):
    fitted(estimator, dtype, target)
    if hasattr(estimator, "classes_"):
        options["zipmap"] = False
    options = {id(estimator): options} if options else None
    model = to_onnx(estimator, X[:1].astype(dtype), target_opset=opset, options=options)
    return case(name, recording.serialized(model), {"X": feed.astype(dtype)})


def cases():
    for opset in (9, 10, 11, 13, 18, 22):
        yield recorded(f"nearest/opset_{opset}", KNeighborsClassifier(), opset=opset)
    for metric in ("euclidean", "manhattan"):
        for dtype in (np.float32, np.float64):
            name = f"nearest/{metric}_{dtype.__name__}"
            yield recorded(name, KNeighborsRegressor(3, metric=metric), dtype=dtype, target=X[:, 2])
    yield recorded("nearest/distances_opset_9", KNeighborsTransformer(n_neighbors=4), opset=9)
    yield recorded("nearest/distances", KNeighborsTransformer(n_neighbors=4))
    yield recorded("nearest/nan", KNeighborsTransformer(n_neighbors=4), NAN)
    yield recorded("nearest/nan_opset_9", KNeighborsTransformer(n_neighbors=4), NAN, opset=9)
    yield recorded("nearest/all", KNeighborsTransformer(n_neighbors=69))
    yield recorded("nearest/weights", KNeighborsRegressor(weights="distance"), target=X[:, 2])
    yield recorded("nearest/no_rows", KNeighborsRegressor(), FEED[:0], target=X[:, 2])
    yield recorded("nearest/many_rows", KNeighborsRegressor(), np.tile(FEED, (15, 1)), target=X[:, 2])
    yield recorded("nearest/cdist_distances", KNeighborsTransformer(n_neighbors=4), optim="cdist")
    yield recorded("nearest/cdist_opset_11", KNeighborsClassifier(), opset=11, optim="cdist")
    yield recorded("nearest/outliers", LocalOutlierFactor(novelty=True))
    for kernel in (RBF(0.7), RationalQuadratic(0.5)):
        for dtype in (np.float32, np.float64):
            name = f"distances/{type(kernel).__name__}_{dtype.__name__}"
            process = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.1)
            yield recorded(name, process, dtype=dtype, target=X[:, 2])
    yield recorded("distances/radius", RadiusNeighborsRegressor(0.8), target=X[:, 2])
    yield recorded("kept/minkowski", KNeighborsRegressor(metric="minkowski", p=3), target=X[:, 2])


recording.write(Path(__file__).with_name("cases.json"), cases())
