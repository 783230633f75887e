"""One input a column: every value is read, or refused, as in a batch of one tensor, however the columns are held."""

import datetime
from decimal import Decimal
from fractions import Fraction

import iris_core
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from onnx import TensorProto, helper, numpy_helper
from support import graph

NAN, INF = float("nan"), float("inf")
DAY = datetime.date(2026, 1, 2)
NOON = datetime.datetime(2026, 1, 2, 12)
TYPES = {"int64": TensorProto.INT64, "float": TensorProto.FLOAT, "double": TensorProto.DOUBLE}


def model_of(element, op_type=None, shape=("N", 1), **attributes):
    """A model of two columns, `a` of this element type and `b` of floats, which gives `a` back as it reads it."""
    element = TYPES.get(element, element)
    nodes = [helper.make_node("Identity", ["a"], ["y"])]
    if op_type is not None:
        nodes.append(helper.make_node(op_type, ["a"], ["known"], **attributes))
    columns = [("a", element, shape), ("b", TensorProto.FLOAT, ["N", 1])]
    return iris_core.Model(graph(nodes, columns, [("y", element, shape)], ml=4))


def batch_of(element):
    """A model of one tensor of this element type, which gives it back."""
    element = TYPES[element]
    nodes = [helper.make_node("Identity", ["a"], ["y"])]
    return iris_core.Model(graph(nodes, [("a", element, ["N", 2])], [("y", element, ["N", 2])]))


def asked(model, x):
    return model.transform(x).ravel().tolist()


@pytest.fixture(scope="module")
def models():
    return {name: (model_of(name), batch_of(name)) for name in TYPES}


def frame_of(kind):
    def make(column):
        return kind({"b": np.zeros(len(column), np.float32), "a": column})

    return make


def table(column):
    values = column.tolist() if isinstance(column, np.ndarray) and column.dtype.kind not in "Mm" else list(column)
    return [[value, 0.0] for value in values]


# Ways to hold a column that any array or list can take.
HELD = {
    "dictionary": frame_of(dict),
    "pandas": frame_of(pd.DataFrame),
    "pandas objects": lambda column: pd.DataFrame(
        {"a": pd.Series(list(column), dtype=object), "b": np.zeros(len(column))}
    ),
    "list of rows": table,
    "tuple of rows": lambda column: tuple(map(tuple, table(column))),
    "array of objects": lambda column: np.array(table(column), object),
}

# (element type, column, exception, what is wrong): row 1 is.
DIRT = {
    "NaN": ("float", np.array([1, NAN]), ValueError, "row 1: NaN is not a number"),
    "NaN float32": ("double", np.array([1, NAN], np.float32), ValueError, "row 1: NaN is not a number"),
    "infinity": ("float", np.array([1, -INF]), ValueError, "row 1: -inf is not finite"),
    "None": ("float", [1.0, None], ValueError, "row 1: NaN is not a number"),
    "None of ints": ("int64", [1, None], ValueError, "row 1: NaN is not a number"),
    "NaN of ints": ("int64", np.array([9, NAN]), ValueError, "row 1: NaN is not a number"),
    "NA": ("int64", [9, pd.NA], ValueError, "row 1: NaN is not a number"),
    "fraction": ("int64", np.array([4, 4.9]), ValueError, "row 1: 4.9 does not fit the model's input type, int64"),
    "fraction of text": ("int64", ["4", "4.9"], ValueError, "row 1: 4.9 does not fit"),
    "Decimal": ("int64", [4, Decimal("4.9")], ValueError, "row 1: 4.9 does not fit"),
    "uint64": ("int64", np.array([4, 2**63 + 5], np.uint64), ValueError, "row 1: 9223372036854775813 does not fit"),
    "large int": ("int64", [4, 2**63 + 5], ValueError, "row 1: 9223372036854775813 does not fit"),
    "large float": ("int64", np.array([4, 1e20]), ValueError, "row 1: 1e20 does not fit"),
    "too large a double": ("float", np.array([4, 1e300]), ValueError, "row 1: 1e300|row 1: inf is not finite"),
    "complex scalar": ("float", [1, "1", 1j], TypeError, "row 2: .*complex"),
    "NumPy's complex": ("float", [1, "1", np.complex64(1j)], TypeError, "row 2: .*complex64"),
    "text": ("float", ["1", "x"], ValueError, "row 1: could not convert string to float: 'x'"),
    "text of ints": ("int64", [1, "x"], ValueError, "row 1: could not convert string to float: 'x'"),
    "date": ("float", [1, DAY], TypeError, "row 1: .*date.*2026-01-02"),
    "datetime": ("int64", [1, NOON], TypeError, "row 1: .*datetime.*2026-01-02 12:00:00"),
    "time": ("float", [1, NOON.time()], TypeError, "row 1: .*time.*12:00"),
    "duration": ("int64", [1, datetime.timedelta(2)], TypeError, "row 1: .*timedelta.*2 days"),
    "datetime64": ("int64", [1, np.datetime64("2026-01-02", "ns")], TypeError, "row 1: .*datetime64.*2026-01-02"),
    "timedelta64": ("float", [1, np.timedelta64(2, "ns")], TypeError, "row 1: .*timedelta64.*2"),
    "Timestamp": ("float", [1, pd.Timestamp(NOON)], TypeError, "row 1: .*Timestamp.*2026-01-02 12:00:00"),
    "Timedelta": ("float", [1, pd.Timedelta("2D")], TypeError, "row 1: .*Timedelta.*2 days"),
    "Period": ("float", [1, pd.Period("2026")], TypeError, "row 1: .*Period"),
    "NaT": ("float", [1, pd.NaT], TypeError, "row 1: .*NaTType.*NaT"),
    "object": ("float", [1, object()], TypeError, "row 1: .*'object'"),
    "too large an int": ("float", [1, 10**400], OverflowError, "row 1: .*too large"),
}


@pytest.mark.parametrize("hold", HELD.values(), ids=HELD)
@pytest.mark.parametrize(("element", "column", "exception", "message"), DIRT.values(), ids=DIRT)
def test_refused(models, element, column, exception, message, hold):
    try:
        held = hold(column)
    except (TypeError, OverflowError):
        pytest.skip("pandas holds no such column")
    by_column, batch = models[element]
    with pytest.raises(exception, match=f'input "a": ({message})') as error:
        by_column.transform(held)
    assert exception is not ValueError or error.type is iris_core.InputError
    if column[1] is pd.NA:
        return
    # The batch of one tensor raises the same class.
    with pytest.raises((ValueError, TypeError, OverflowError)) as error:
        batch.transform(held if not isinstance(held, dict) else np.array(table(column), object))
    if not (element == "int64" and "does not fit" in message):
        assert issubclass(error.type, exception)


DATES = {
    "datetime64[D]": np.array([DAY, DAY], "M8[D]"),
    "datetime64[ns]": np.array([DAY, DAY], "M8[ns]"),
    "timedelta64": np.array([2, 3], "m8[s]"),
    "pandas": pd.Series([NOON, NOON]),
    "pandas with a zone": pd.Series([NOON, NOON]).dt.tz_localize("Europe/Zurich"),
    "pandas durations": pd.Series(pd.to_timedelta([1, 2], unit="D")),
    "pandas periods": pd.Series(pd.period_range("2026", periods=2, freq="D")),
    "pandas categories": pd.Series([NOON, NOON], dtype="category"),
    "pandas pyarrow": pd.Series([NOON, NOON], dtype=pd.ArrowDtype(pa.timestamp("us"))),
    "pandas pyarrow dates": pd.Series([DAY, DAY], dtype=pd.ArrowDtype(pa.date32())),
    "polars dates": pl.Series([DAY, DAY]),
    "polars datetimes": pl.Series([NOON, NOON]),
    "polars with a zone": pl.Series([NOON, NOON]).dt.replace_time_zone("UTC"),
    "polars durations": pl.Series([datetime.timedelta(1), datetime.timedelta(2)]),
    "polars times": pl.Series([NOON.time(), NOON.time()]),
    "pyarrow dates": pa.chunked_array([[DAY, DAY]]),
    "pyarrow timestamps": pa.chunked_array([[NOON, NOON]]),
    "pyarrow durations": pa.chunked_array([[datetime.timedelta(1), datetime.timedelta(2)]]),
    "pyarrow times": pa.chunked_array([[NOON.time(), NOON.time()]]),
}


def frames(column):
    """The frame that has such a column, with and without one of floats."""
    if isinstance(column, pl.Series):
        return pl.DataFrame({"a": column, "b": [0.0, 0.0]}), pl.DataFrame({"a": column, "b": column})
    if isinstance(column, pa.ChunkedArray):
        return pa.table({"a": column, "b": [0.0, 0.0]}), pa.table({"a": column, "b": column})
    return pd.DataFrame({"a": column, "b": [0.0, 0.0]}), pd.DataFrame({"a": column, "b": column})


@pytest.mark.parametrize("column", DATES.values(), ids=DATES)
@pytest.mark.parametrize("element", TYPES)
def test_dates_and_durations_are_no_numbers(models, element, column):
    by_column, batch = models[element]
    mixed, alone = frames(column)
    for held in (mixed, {"a": column, "b": [0.0, 0.0]}):
        with pytest.raises(TypeError, match='input "a": row 0: '):
            by_column.transform(held)
    for held in (mixed, alone):
        with pytest.raises(TypeError):
            batch.transform(held)


def test_dates_and_durations_are_no_batch():
    for dtype in ("M8[D]", "M8[ns]", "m8[s]"):
        days = np.ones((2, 4), "i8").astype(dtype)
        # NumPy's own objects of nanoseconds are integers.
        objects = pd.DataFrame(days).astype(object).to_numpy()
        for held in (days, list(days), [list(row) for row in days], objects, objects.tolist(), pd.DataFrame(days)):
            for ask in (iris_core.predict, iris_core.Model.iris().predict):
                with pytest.raises(TypeError):
                    ask(held)
    for scalar in (np.datetime64("2026-01-02", "ns"), np.timedelta64(3, "ns"), np.complex64(3j), pd.Timestamp(NOON)):
        for held in ([[1.0, scalar, 1.0, 1.0]], np.array([[1.0, scalar, 1.0, 1.0]], object)):
            with pytest.raises(TypeError, match=rf"row 0, column 1: .*{type(scalar).__name__}"):
                iris_core.predict(held)


def test_complex_arrays_are_refused(models):
    for by_column, _ in models.values():
        with pytest.raises(iris_core.InputError, match='input "a": expected real numbers'):
            by_column.transform({"a": np.ones(2, complex), "b": np.zeros(2)})


def test_text_is_made_of_no_array_of_dates():
    model = model_of(TensorProto.STRING)
    for dates in (np.array([DAY, DAY], "M8[ns]"), pd.Series([NOON, NOON])):
        with pytest.raises(TypeError, match='input "a": expected text, got datetime64'):
            model.transform({"a": dates, "b": [0.0, 0.0]})
    assert asked(model, {"a": ["x", None], "b": [0, 0]}) == ["x", "None"]


WHOLE = [3, -4, 2**53 + 1]
TAKEN = {
    "int64": np.array(WHOLE),
    "list": WHOLE,
    "uint64": np.array([3, 4, 2**53 + 1], np.uint64),
    "big-endian": np.array(WHOLE, ">i8"),
    "text": [str(number) for number in WHOLE],
    "bytes": np.array([str(number).encode() for number in WHOLE]),
    "objects": np.array(WHOLE, object),
    "pandas": pd.Series(WHOLE),
    "pandas nullable": pd.Series(WHOLE, dtype="Int64"),
    "pandas pyarrow": pd.Series(WHOLE, dtype="int64[pyarrow]"),
    "pandas categories": pd.Series(WHOLE, dtype="category"),
    "polars": pl.Series(WHOLE),
    "pyarrow": pa.chunked_array([WHOLE]),
    "whole floats": np.array([3.0, -4.0, 2.0**53]),
    "float16": np.array([3, 4, 2048], np.float16),
    "int8": np.array([3, -4, 127], np.int8),
    "bools": np.array([True, False, True]),
    "nullable bools": pd.Series([True, False, True], dtype="boolean"),
    "mixed": [3, 4.0, True],
    "fractions": [Fraction(6, 2), Decimal("4"), np.float32(5)],
    "strided": np.arange(6)[::2],
    "reversed": np.arange(3)[::-1],
    "column": np.arange(3)[:, None],
    "unaligned": np.frombuffer(b"\0" + np.arange(3).tobytes(), np.int64, offset=1),
    "read-only": np.frombuffer(np.arange(3).tobytes(), np.int64),
    "masked": np.ma.array([3, 4, 5], mask=[False, True, False]),
    "no rows": np.empty(0),
    "no rows of objects": np.empty(0, object),
}


@pytest.mark.parametrize("column", TAKEN.values(), ids=TAKEN)
def test_numbers_are_read_exactly(models, column):
    expected = [int(number) for number in np.asarray(column, object).ravel()]
    held = {"a": column, "b": np.zeros(len(expected))}
    assert asked(models["int64"][0], held) == expected
    for name in ("float", "double"):
        numbers = np.array(expected, np.float32 if name == "float" else np.float64)
        assert asked(models[name][0], held) == numbers.tolist()


HOLDERS = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "pyarrow table": pa.table,
    "pyarrow batch": pa.RecordBatch.from_pydict,
    "structured": lambda columns: np.array(
        list(zip(*columns.values(), strict=True)), [(name, "f8") for name in columns]
    ),
}


@pytest.mark.parametrize("make", HOLDERS.values(), ids=HOLDERS)
def test_columns_are_found_by_name(models, make):
    model, _ = models["int64"]
    for names in ("ab", "ba", "bca", "cab"):
        columns = {name: {"a": [3.0, 4.0], "b": [0.5, 0.5], "c": [9.0, NAN]}[name] for name in names}
        assert asked(model, make(columns)) == [3, 4]
    with pytest.raises(iris_core.InputError, match='input "a": '):
        model.transform(make({"b": [0.5]}))


@pytest.mark.parametrize("nulls", [pl.DataFrame, pa.table, pd.DataFrame])
def test_a_missing_value_of_a_frame_is_refused(models, nulls):
    for name in TYPES:
        with pytest.raises(iris_core.InputError, match='input "a": row 1: NaN is not a number'):
            models[name][0].transform(nulls({"a": [1, None], "b": [0.0, 0.0]}))
        with pytest.raises(iris_core.InputError, match="row 1, column 0: NaN is not a number"):
            models[name][1].transform(nulls({"a": [1, None], "b": [0.0, 0.0]}))


MISSING = {
    "Imputer": {"op_type": "Imputer", "imputed_value_floats": [0.0], "replaced_value_float": NAN},
    "LabelEncoder": {"op_type": "LabelEncoder", "keys_floats": [1.0, NAN], "values_floats": [1.0, 2.0]},
    "LabelEncoder of tensors": {
        "op_type": "LabelEncoder",
        "keys_tensor": numpy_helper.from_array(np.array([1, NAN])),
        "values_tensor": numpy_helper.from_array(np.array([1, 2])),
    },
    "tree": {
        "op_type": "TreeEnsembleRegressor",
        "n_targets": 1,
        "nodes_treeids": [0],
        "nodes_nodeids": [0],
        "nodes_featureids": [0],
        "nodes_modes": ["LEAF"],
        "nodes_values": [0.0],
        "nodes_truenodeids": [0],
        "nodes_falsenodeids": [0],
        "target_treeids": [0],
        "target_nodeids": [0],
        "target_ids": [0],
        "target_weights": [1.0],
    },
}


@pytest.mark.parametrize("node", MISSING.values(), ids=MISSING)
def test_a_column_that_treats_missing_values_takes_them(node):
    element = "double" if "keys_tensor" in node else "float"
    model = model_of(element, domain="ai.onnx.ml", **node)
    for column in ([1.0, None], np.array([1.0, NAN]), pd.Series([1, None], dtype="Int64"), pl.Series([1.0, None])):
        np.testing.assert_array_equal(asked(model, {"a": column, "b": [0.0, 0.0]}), [1.0, NAN])
    # The other column's values go nowhere where missing ones mean something.
    with pytest.raises(iris_core.InputError, match='input "b": row 1: NaN is not a number'):
        model.transform({"a": [1.0, 2.0], "b": [1.0, NAN]})


def test_truth_values():
    model = model_of(TensorProto.BOOL)
    for column in ([True, False], [1, 0.0], np.array([1, 0]), ["1", "0"], pd.Series([True, False], dtype="boolean")):
        assert asked(model, {"a": column, "b": [0, 0]}) == [True, False]
    for bad, message in ((2, "2 does not fit"), (0.5, "0.5 does not fit"), (None, "NaN does not fit")):
        with pytest.raises(iris_core.InputError, match=f'input "a": row 1: {message}'):
            model.transform({"a": [True, bad], "b": [0, 0]})
    for bad, exception in (("no", iris_core.InputError), (DAY, TypeError)):
        with pytest.raises(exception, match='input "a": row 1: '):
            model.transform({"a": [True, bad], "b": [0, 0]})


def test_several_numbers_a_row():
    model = model_of("int64", shape=("N", 2))
    assert asked(model, {"a": [[1, 2], [3, 4]], "b": [0, 0]}) == [1, 2, 3, 4]
    with pytest.raises(iris_core.InputError, match=r'input "a": row 1, column 0: 4\.5 does not fit'):
        model.transform({"a": [[1, 2], [4.5, 4]], "b": [0, 0]})
    with pytest.raises(TypeError, match=r"input .a.: row 0: .*not 'list'"):
        model.transform({"a": [[1, 2], [4]], "b": [0, 0]})
