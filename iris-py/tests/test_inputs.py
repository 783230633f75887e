"""Every odd thing one can give to `predict`, beside what scikit-learn's `predict` makes of it."""

import datetime
from decimal import Decimal
from fractions import Fraction

import iris_core
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from sklearn.svm import SVC
from support import ROW, random_rows

NAN, INF = float("nan"), float("inf")
INTS = [5, 3, 5, 2]
F32 = np.array([ROW], np.float32)
MANY = random_rows(12)

SAME = {
    "list": [ROW],
    "tuple of tuples": (tuple(ROW),),
    "list of arrays": [np.array(ROW)],
    "list of NumPy numbers": [list(np.array(ROW, np.float32))],
    "ints": [INTS],
    "mixed": [[5, 3.0, True, np.int8(2)]],
    "bools": [[True, False, True, True]],
    "large ints": [[10**30, 1, 1, 1]],
    "fractions": [[Fraction(1, 2)] * 4],
    "decimals": [[Decimal("0.5")] * 4],
    "ranges": [range(4)],
    "numeric text": [["5.9", "3.0", "5.1", "2.3"]],
    "float32": MANY,
    "float64": MANY.astype(float),
    "float16": MANY.astype(np.float16),
    "longdouble": MANY.astype(np.longdouble),
    "big-endian": MANY.astype(">f8"),
    "int8": MANY.astype(np.int8),
    "int32": MANY.astype(np.int32),
    "int64": MANY.astype(np.int64),
    "uint64": MANY.astype(np.uint64),
    "bool": MANY > 3,
    "object": MANY.astype(object),
    "object with text": np.array([["5.9", 3, 5.1, 2.3]], object),
    "str": np.array([["5.9", "3.0", "5.1", "2.3"]]),
    "bytes": np.array([[b"5.9", b"3.0", b"5.1", b"2.3"]]),
    "Fortran order": np.asfortranarray(MANY),
    "every other row": MANY[::2],
    "every other column": np.repeat(MANY, 2, axis=1)[:, ::2],
    "reversed": MANY[::-1, ::-1],
    "transposed": np.ascontiguousarray(MANY.T).T,
    "broadcast": np.broadcast_to(F32, (5, 4)),
    "read-only": np.frombuffer(MANY.tobytes(), np.float32).reshape(-1, 4),
    "unaligned": np.frombuffer(b"\0" + MANY.tobytes(), np.float32, offset=1).reshape(-1, 4),
    "structured field": np.array([(0, ROW)], [("id", "i1"), ("row", "f4", 4)])["row"],
    "memoryview": memoryview(MANY),
    "masked": np.ma.array(MANY),
    "pandas": pd.DataFrame(MANY),
    "pandas mixed": pd.DataFrame({"a": [5], "b": [3.0], "c": [True], "d": np.array([2], np.int8)}),
    "pandas object": pd.DataFrame([ROW], dtype=object),
    "pandas nullable": pd.DataFrame([INTS], dtype="Int64"),
    "polars": pl.DataFrame(MANY),
    "polars mixed": pl.DataFrame({"a": [5], "b": [3.0], "c": [4], "d": [2]}),
}

DAY = datetime.date(2026, 1, 1)
REFUSED = {
    "text": ([["abc", 1, 2, 3]], "row 0, column 0: could not convert string to float: 'abc'"),
    "text later": ([ROW, [1, 2, "x", 3]], "row 1, column 2: could not convert string to float: 'x'"),
    "None": (None, "expected a 2-D batch .* got one NoneType"),
    "None in a row": ([[1, 2, 3, None]], "row 0, column 3: NaN"),
    "NaN": ([ROW, [1, NAN, 3, 4]], "row 1, column 1: NaN"),
    "inf": ([[1, 2, INF, 4]], "row 0, column 2: inf is not finite"),
    "-inf": (F32 * -INF, "row 0, column 0: -inf is not finite"),
    "NaN array": (np.full((2, 4), NAN), "row 0, column 0: NaN"),
    "number": (5.0, "expected a 2-D batch .* got one float"),
    "0-D": (np.array(5.0), "expected a 2-D batch .* got one ndarray"),
    "1-D list": (ROW, r"expected a 2-D batch .* got list of shape \[4\]; one row is"),
    "1-D": (F32[0], r"expected a 2-D batch .* got ndarray of shape \[4\]; one row is"),
    "3-D": (F32[None], r"expected a 2-D batch .* got ndarray of shape \[1, 1, 4\]"),
    "3-D list": ([[ROW]], r"expected a 2-D batch .* got list of shape \[1, 1, 4\]"),
    "complex": (F32.astype(complex), "expected real numbers"),
    "complex list": ([[1j, 2, 3, 4]], "row 0, column 0: float"),
    "empty list": ([], r"expected a 2-D batch .* got list of shape \[0\]; a batch of no rows is"),
    "empty row": ([[]], "expected 4 features, got 0"),
    "no columns": (np.empty((1, 0)), "expected 4 features, got 0"),
    "no rows of wrong width": (np.empty((0, 3)), "expected 4 features, got 3"),
    "3 columns": ([ROW[:3]], "expected 4 features, got 3"),
    "5 columns": (np.zeros((2, 5)), "expected 4 features, got 5"),
    "ragged": ([ROW, ROW[:3]], "row 1 has 3 features, expected 4"),
    "ragged first": ([ROW[:3], ROW], "row 0 has 3 features, expected 4"),
    "ragged depth": ([ROW, 5.0], "cannot read list as a batch of numbers: .* inhomogeneous"),
    "str itself": ("abc", "cannot read str as a batch of numbers"),
    "bytes itself": (b"abc", "cannot read bytes as a batch of numbers"),
    "dict": ({"a": 1}, "cannot read dict as a batch of numbers"),
    "set": ({1, 2}, "cannot read set as a batch of numbers"),
    "dates": ([[DAY] * 4], "row 0, column 0: float"),
    "too large an int": ([[10**400, 1, 1, 1]], "too large"),
    "sparse": (scipy.sparse.csr_matrix([ROW]), "cannot read csr_matrix as a batch of numbers"),
    "pandas text": (pd.DataFrame([["a"] * 4]), "row 0, column 0: could not convert string to float: 'a'"),
    "pandas NaN": (pd.DataFrame([[1, 2, 3, None]]), "row 0, column 3: NaN"),
    "pandas NA": (pd.DataFrame([[1, 2, 3, None]], dtype="Int64"), "row 0, column 3: NaN"),
    "pandas series": (pd.Series(ROW), r"expected a 2-D batch .* got Series of shape \[4\]"),
    "polars text": (pl.DataFrame([["a"] * 4], orient="row"), "row 0, column 0: could not convert string to float: 'a'"),
    "polars null": (pl.DataFrame([[1.0, 2.0, 3.0, None]], orient="row"), "row 0, column 3: NaN"),
    "polars series": (pl.Series(ROW), r"expected a 2-D batch .* got Series of shape \[4\]"),
    "polars lazy": (pl.LazyFrame({"a": [1]}), "cannot read LazyFrame as a batch of numbers"),
}


@pytest.fixture(scope="module")
def plain_svc(iris):
    return SVC().fit(*iris)


@pytest.mark.parametrize("rows", SAME.values(), ids=SAME)
def test_answers_as_scikit_learn_does(plain_svc, rows):
    expected = plain_svc.predict(rows).tolist()
    assert iris_core.predict(rows) == expected
    assert iris_core.Model.iris().predict(rows).tolist() == expected
    assert iris_core.predict_proba(rows).shape == (len(expected), 3)


@pytest.mark.parametrize(("rows", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses_what_scikit_learn_refuses(plain_svc, rows, message):
    with pytest.raises((ValueError, TypeError, OverflowError)) as theirs:
        plain_svc.predict(rows)
    for ask in (iris_core.predict, iris_core.predict_proba, iris_core.Model.iris().predict):
        with pytest.raises(theirs.type, match=message) as ours:
            ask(rows)
        assert not issubclass(theirs.type, ValueError) or ours.type is iris_core.InputError


def test_generator():
    with pytest.raises(TypeError, match="cannot read generator as a batch of numbers"):
        iris_core.predict(row for row in [ROW])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool, object])
def test_no_rows_are_no_labels(dtype):
    rows = np.empty((0, 4), dtype)
    assert iris_core.predict(rows) == []
    assert iris_core.predict_proba(rows).shape == (0, 3)
    labels = iris_core.Model.iris().predict(rows)
    assert (labels.shape, labels.dtype) == ((0,), np.int64)


def test_takes_np_matrix():
    assert iris_core.predict(np.matrix(ROW)) == [2]


def test_refuses_what_does_not_fit_the_model_s_type():
    with pytest.raises(iris_core.InputError, match=r"row 0, column 1: .*float"):
        iris_core.predict([[1.0, 1e300, 1.0, 1.0]])


def test_rows_may_be_spelled_as_in_scikit_learn():
    model = iris_core.Model.iris()
    assert iris_core.predict(X=[ROW]) == model.predict(X=[ROW]).tolist() == [2]


def test_inputs_are_not_changed():
    rows = MANY.copy()
    iris_core.predict(rows)
    np.testing.assert_array_equal(rows, MANY)


def test_an_input_may_misbehave():
    class Sly(float):
        def __float__(self):
            raise RuntimeError("no")

    class Shrinking:
        def __float__(self):
            row.clear()
            return 1.0

    row = [Shrinking(), 1.0, 1.0, 1.0]
    with pytest.raises(iris_core.InputError):
        iris_core.predict([row])
    assert iris_core.predict([[Sly(5.9), 3.0, 5.1, 2.3]]) == [2]


def test_a_list_that_contains_itself():
    rows = []
    rows.append(rows)
    with pytest.raises((ValueError, TypeError)):
        iris_core.predict(rows)
