"""The models that are measured: scikit-learn estimators, fitted, and exported by skl2onnx."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from skl2onnx import to_onnx
from sklearn.base import BaseEstimator, is_classifier
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

DATA = {"iris": load_iris, "digits": load_digits, "breast cancer": load_breast_cancer, "diabetes": load_diabetes}


@dataclass
class Model:
    name: str
    kind: str
    data: str
    estimator: BaseEstimator

    def fit(self) -> "Fitted":
        rows, targets = load(self.data)
        self.estimator.fit(rows, targets)
        last = self.estimator[-1] if isinstance(self.estimator, Pipeline) else self.estimator
        options = {id(last): {"zipmap": False}} if is_classifier(last) else None
        exported = to_onnx(self.estimator, rows[:1], options=options)
        return Fitted(self, last, exported.SerializeToString())


@dataclass
class Fitted:
    model: Model
    last: BaseEstimator
    onnx: bytes

    def rows(self, n_samples: int) -> np.ndarray:
        """Distinct rows: those of the data set, drawn again and again, each moved a little."""
        rows, _ = load(self.model.data)
        random = np.random.default_rng(n_samples)
        noise = random.normal(0, 0.02, (n_samples, rows.shape[1])) * rows.std(axis=0)
        moved = rows[random.integers(0, len(rows), n_samples)] + noise
        return np.ascontiguousarray(np.maximum(moved, rows.min(axis=0)), dtype=np.float32)

    def sklearn(self) -> Callable[[np.ndarray], object]:
        """What gives in scikit-learn all that the exported model gives."""
        estimator = self.model.estimator
        if hasattr(estimator, "predict_proba"):
            return lambda rows: np.take(self.last.classes_, estimator.predict_proba(rows).argmax(axis=1))
        if self.model.kind == "transformer":
            return estimator.transform
        return estimator.predict


@cache
def load(data: str) -> tuple[np.ndarray, np.ndarray]:
    rows, targets = DATA[data](return_X_y=True)
    return rows.astype(np.float32), targets


def models() -> Iterator[Model]:
    """The 16 lines of the project's first measurements, and others."""
    svc = {"probability": True, "random_state": 0}
    forest = {"random_state": 0, "n_jobs": 1}
    lines = [
        ("SVC, probabilities", "svm", "iris", SVC(**svc)),
        ("logistic regression", "linear", "iris", LogisticRegression(max_iter=1000)),
        ("scaler, logistic regression", "linear", "iris", make_pipeline(StandardScaler(), LogisticRegression())),
        ("decision tree", "trees", "iris", DecisionTreeClassifier(random_state=0)),
        ("Gaussian naive Bayes", "naive Bayes", "iris", GaussianNB()),
        ("k nearest neighbours", "neighbours", "iris", KNeighborsClassifier(n_jobs=1)),
        ("SVC, probabilities", "svm", "digits", SVC(**svc)),
        ("logistic regression", "linear", "digits", LogisticRegression(max_iter=3000)),
        ("random forest, 100 trees", "trees", "digits", RandomForestClassifier(100, **forest)),
        ("MLP, 100 hidden", "mlp", "digits", MLPClassifier((100,), random_state=0)),
        ("gradient boosting, 100 trees", "trees", "breast cancer", GradientBoostingClassifier(random_state=0)),
        ("random forest, 500 trees", "trees", "breast cancer", RandomForestClassifier(500, **forest)),
        ("random forest, 100 trees", "trees", "diabetes", RandomForestRegressor(100, **forest)),
        ("SVR", "svm", "diabetes", SVR()),
        ("ridge", "linear", "diabetes", Ridge()),
        ("linear regression", "linear", "diabetes", LinearRegression()),
        ("SVC, labels alone", "svm", "iris", SVC()),
        ("one-class SVM", "svm", "breast cancer", make_pipeline(StandardScaler(), OneClassSVM())),
        ("extra trees, 100 trees", "trees", "digits", ExtraTreesClassifier(100, **forest)),
        ("gradient boosting, depth 5", "trees", "diabetes", GradientBoostingRegressor(max_depth=5, random_state=0)),
        ("Bernoulli naive Bayes", "naive Bayes", "digits", BernoulliNB()),
        ("multinomial naive Bayes", "naive Bayes", "digits", MultinomialNB()),
        ("k nearest neighbours", "neighbours", "digits", KNeighborsClassifier(n_jobs=1)),
        ("k nearest neighbours", "neighbours", "diabetes", KNeighborsRegressor(n_jobs=1)),
        ("PCA, 8 components", "transformer", "digits", PCA(8, random_state=0)),
        ("k-means, 10 clusters", "neighbours", "digits", KMeans(10, n_init=1, random_state=0)),
    ]
    for name, kind, data, estimator in lines:
        yield Model(f"{data}: {name}", kind, data, estimator)
