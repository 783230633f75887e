"""`Model` has the methods of the estimator that it came from, with its answers, and says which it has not."""

import iris_core
import numpy as np
import pandas as pd
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier, SGDClassifier, SGDOneClassSVM
from sklearn.mixture import GaussianMixture
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, OneClassSVM

METHODS = ("predict", "predict_proba", "decision_function", "transform")
IRIS = load_iris(return_X_y=True)
TWO = IRIS[0][50:], IRIS[1][50:]
DIABETES = load_diabetes(return_X_y=True)
# scikit-learn has the method, skl2onnx exports the other kind of scores.
PROBABILITIES_ONLY = ("decision_function",)
SCORES_ONLY = ("predict_proba",)


def case(estimator, data, options=None, lacks=()):
    name = type(estimator[-1] if hasattr(estimator, "steps") else estimator).__name__
    return pytest.param(estimator, data, options, lacks, id=f"{name}-{len(set(data[1]))}-{options}")


CASES = [
    case(LogisticRegression(max_iter=1000), IRIS, {"zipmap": False}, PROBABILITIES_ONLY),
    case(LogisticRegression(max_iter=1000), TWO, {"zipmap": "columns"}, PROBABILITIES_ONLY),
    case(LogisticRegression(max_iter=1000), IRIS, {"zipmap": False, "raw_scores": True}, SCORES_ONLY),
    case(LogisticRegression(max_iter=1000), TWO, {"zipmap": False, "raw_scores": True}, SCORES_ONLY),
    case(LinearSVC(), IRIS),
    case(LinearSVC(), TWO),
    case(RidgeClassifier(), TWO, {"zipmap": False}),
    case(SGDClassifier(random_state=0), TWO, {"zipmap": False}),
    case(SVC(), IRIS, {"zipmap": False}),
    case(SVC(), TWO, {"zipmap": False}),
    case(RandomForestClassifier(5, random_state=0), IRIS),
    case(GradientBoostingClassifier(n_estimators=5), IRIS, {"zipmap": False}, PROBABILITIES_ONLY),
    case(GradientBoostingClassifier(n_estimators=5), TWO, {"zipmap": False, "raw_scores": True}, SCORES_ONLY),
    case(GaussianMixture(3, random_state=0), IRIS),
    case(KMeans(3, random_state=0), IRIS),
    case(OneClassSVM(), IRIS),
    case(SGDOneClassSVM(random_state=0), IRIS),
    case(LinearRegression(), DIABETES),
    case(SVR(), DIABETES),
    case(RandomForestRegressor(5, random_state=0), DIABETES),
    case(KNeighborsRegressor(), DIABETES),
    case(StandardScaler(), IRIS),
    case(PCA(2), IRIS),
]


def close(got, expected):
    assert got.shape == expected.shape
    if expected.dtype.kind in "iU":
        np.testing.assert_array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("estimator", "data", "options", "lacks"), CASES)
def test_answers_what_the_estimator_answers(estimator, data, options, lacks):
    rows, targets = data
    rows = rows.astype(np.float32)
    estimator.fit(rows, targets)
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    exported = to_onnx(estimator, rows[:1], options=options and {id(last): options})
    model = iris_core.Model(exported.SerializeToString())
    for name in METHODS:
        if hasattr(estimator, name) and name not in lacks:
            close(getattr(model, name)(rows), getattr(estimator, name)(rows))
        else:
            with pytest.raises(AttributeError, match=r"the model gives .*, none of them "):
                getattr(model, name)(rows)


def test_targets_of_several_outputs():
    rows = IRIS[0].astype(np.float32)
    targets = rows[:, :2] * 2 + rows[:, 2:]
    estimator = LinearRegression().fit(rows, targets)
    model = iris_core.Model(to_onnx(estimator, rows[:1]).SerializeToString())
    for n_samples in (1, 2, 150):
        close(model.predict(rows[:n_samples]), estimator.predict(rows[:n_samples]))


@pytest.mark.parametrize(
    "estimator",
    [MultiOutputClassifier(LogisticRegression(max_iter=1000)), RandomForestClassifier(3, random_state=1)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_classes_of_several_outputs(estimator):
    rows = IRIS[0].astype(np.float32)
    estimator.fit(rows, np.stack([IRIS[1], (IRIS[1] + 1) % 3], axis=1))
    exported = to_onnx(estimator, rows[:1], options={id(estimator): {"zipmap": False}})
    model = iris_core.Model(exported.SerializeToString())
    close(model.predict(rows), estimator.predict(rows))
    scores = model.predict_proba(rows)
    assert type(scores) is list
    for got, expected in zip(scores, estimator.predict_proba(rows), strict=True):
        close(got, expected)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame({"age": rng.uniform(18, 80, 60), "city": rng.choice(["Oslo", "Rome", "Kyiv"], 60)})


@pytest.fixture(scope="module")
def columns(frame):
    """A pipeline that takes one input a column, and its model."""
    steps = ColumnTransformer([("age", StandardScaler(), ["age"]), ("city", OneHotEncoder(), ["city"])])
    pipeline = make_pipeline(steps, LogisticRegression()).fit(frame, frame["age"] > 40)
    types = [("city", StringTensorType([None, 1])), ("age", FloatTensorType([None, 1]))]
    exported = to_onnx(pipeline, initial_types=types, options={"zipmap": False})
    return pipeline, iris_core.Model(exported.SerializeToString())


def test_one_input_a_column(frame, columns):
    pipeline, model = columns
    expected = pipeline.predict(frame).astype(np.int64)
    tables = {
        "frame": frame,
        "columns in another order, and one more": frame.assign(name="x")[["age", "name", "city"]],
        "dictionary": {"age": frame["age"].tolist(), "city": frame["city"].to_numpy()},
        "list": frame[["city", "age"]].to_numpy().tolist(),
        "array": frame[["city", "age"]].to_numpy(),
    }
    for name, table in tables.items():
        np.testing.assert_array_equal(model.predict(table), expected, err_msg=name)
    close(model.predict_proba(frame), pipeline.predict_proba(frame))


def test_says_which_column_is_wrong(frame, columns):
    _, model = columns
    wrong = {
        "no such column": frame[["age"]],
        "could not convert string to float: 'old'": frame.assign(age="old"),
        r'2 inputs \("city", "age"\): expected .* \[n_samples, 2\], got shape \[60, 1\]': frame[["age"]].to_numpy(),
    }
    for message, table in wrong.items():
        with pytest.raises(iris_core.InputError, match=message):
            model.predict(table)


def test_text():
    texts = ["one fish two fish", "red fish", "blue fish one", "two"]
    vectorizer = TfidfVectorizer().fit(texts)
    exported = to_onnx(vectorizer, initial_types=[("text", StringTensorType([None]))])
    model = iris_core.Model(exported.SerializeToString())
    close(model.transform(texts), vectorizer.transform(texts).toarray().astype(np.float32))


def test_categories():
    rows = np.array([["a", "x"], ["b", "y"], ["a", "y"]])
    encoder = OrdinalEncoder().fit(rows)
    exported = to_onnx(encoder, initial_types=[("X", StringTensorType([None, 2]))])
    model = iris_core.Model(exported.SerializeToString())
    close(model.transform(rows), encoder.transform(rows))
