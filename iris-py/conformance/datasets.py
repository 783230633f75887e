"""Small data sets, one for each kind of estimator; numbers are about 1, so that differences mean the same in all."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_linnerud
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale


class DataSet(NamedTuple):
    """Rows to fit, their targets, and rows held out: numbers of these fit in a float."""

    train: Any
    target: Any
    test: Any


def split(X, y) -> DataSet:
    X = np.asarray(X)
    numbers = X.dtype.kind == "f"
    # Fitted to doubles, as usual, but to such as floats can be.
    X = X.astype(np.float32).astype(np.float64) if numbers else X
    train, test, target, _ = train_test_split(X, np.asarray(y), test_size=0.4, random_state=0)
    return DataSet(train, target, test.astype(np.float32) if numbers else test)


def three_classes() -> DataSet:
    return split(*load_iris(return_X_y=True))


def two_classes() -> DataSet:
    X, y = load_breast_cancer(return_X_y=True)
    return split(scale(X[:, [0, 1, 4, 5, 6, 8, 9]]), y)


def named_classes() -> DataSet:
    X, y = load_iris(return_X_y=True)
    return split(X, load_iris().target_names[y])


def two_labels_a_row() -> DataSet:
    X, y = load_iris(return_X_y=True)
    return split(X, np.stack([y, np.digitize(X[:, 1], [2.8, 3.2])], axis=1))


def numbers() -> DataSet:
    X, y = load_diabetes(return_X_y=True)
    return split(scale(X), scale(y))


def positive_numbers() -> DataSet:
    X, y = load_diabetes(return_X_y=True)
    return split(scale(X), y / 100)


def three_numbers_a_row() -> DataSet:
    X, y = load_linnerud(return_X_y=True)
    return split(scale(X), scale(y))


def kernel() -> DataSet:
    X = load_iris().data / 5
    return DataSet(X[::3] @ X[::3].T, None, (X[1::3] @ X[::3].T).astype(np.float32))


def counts() -> DataSet:
    X, y = load_iris(return_X_y=True)
    return split(np.floor(X), y)


def incomplete() -> DataSet:
    X, y = load_iris(return_X_y=True)
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    return split(X, y)


def incomplete_numbers() -> DataSet:
    X, y = load_diabetes(return_X_y=True)
    X = scale(X)
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    return split(X, scale(y))


def words() -> DataSet:
    random = np.random.default_rng(0)
    X = random.choice(["red", "green", "blue"], (100, 2)).astype(object)
    return split(X, random.random(100) + (X[:, 0] == "red"))


def word_labels() -> DataSet:
    y = load_iris().target_names[load_iris().target]
    return DataSet(y, None, y[::7])


def texts() -> DataSet:
    train = ["This is the first document.", "This document is the second one!", "And this, the third: one", "Is it?"]
    return DataSet(np.array(train), None, np.array(["the document is the third", "is this one the second one?", "no"]))


def records() -> DataSet:
    train = [{"age": 1.0, "weight": 2.0}, {"age": 0.5}, {"height": 3.0, "weight": 4.5}]
    return DataSet(train, None, [{"age": 2.0}, {"height": 1.0, "weight": 0.5}, {"shoe": 1.0}])
