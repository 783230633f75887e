"""Classifiers that several tests train once."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.svm import SVC

NAMES = np.array(["setosa", "versicolor", "virginica"])


@pytest.fixture(scope="session")
def iris():
    """The 150 rows and their classes."""
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def svc(iris):
    """The classifier that the embedded model is."""
    return SVC(probability=True, random_state=0).fit(*iris)


@pytest.fixture(scope="session")
def string_svc(iris):
    """The same with the species' names as labels."""
    rows, classes = iris
    return SVC(probability=True, random_state=0).fit(rows, NAMES[classes])
