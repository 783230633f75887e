"""Writes cases.json: operators of ai.onnx that are ours, inputs, and what onnxruntime answers. See README.md."""

import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
from onnx import helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.neural_network import MLPClassifier

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import TO_THE_OPTIMUM, TYPES, case, reference_case

warnings.filterwarnings("ignore")

NAN, INF = np.nan, np.inf
FLOATS = (np.float32, np.float64)
NUMBERS = (np.float32, np.float64, np.int32, np.int64)
FEEDS = "xyz"


def onnx_type(array):
    return next((kind for kind, dtype in TYPES.values() if array.dtype == dtype), TYPES["string"][0])


def one(
    name, op_type, feeds, version, attributes=None, constants=None, dims=None, outputs=("Y",), types=None, record=case
):
    """One node: `feeds` and then `constants` are its inputs; dimensions of the inputs are unknown unless `dims` says."""
    feeds, constants = dict(zip(FEEDS, feeds, strict=False)), dict(zip("abc", constants or [], strict=False))
    node = helper.make_node(op_type, [*feeds, *constants], outputs)
    for key, value in (attributes or {}).items():
        node.attribute.append(helper.make_attribute(key, value))
    first = next(iter(feeds.values()))
    types = types or [onnx_type(first)]
    if len(types) < len(outputs):
        types = [*types, *[TYPES["i64"][0]] * (len(outputs) - len(types))]
    graph = helper.make_graph(
        [node],
        "math",
        [
            helper.make_tensor_value_info(
                key, onnx_type(array), (dims or {}).get(key, [f"{key}{i}" for i in range(array.ndim)])
            )
            for key, array in feeds.items()
        ],
        [helper.make_tensor_value_info(key, kind, None) for key, kind in zip(outputs, types, strict=False) if key],
        [numpy_helper.from_array(np.asarray(array), key) for key, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", version)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8 if version > 6 else 3)
    return record(name, model.SerializeToString(deterministic=True), feeds)


def quarters(rng, shape, dtype=np.float32):
    """Multiples of 1/4: exact in every float type and short in JSON."""
    values = rng.integers(-8, 9, size=shape)
    return values.astype(dtype) if np.issubdtype(dtype, np.integer) else (values / 4).astype(dtype)


def gemm(rng):
    for dtype, trans_a, trans_b, c in itertools.product(
        FLOATS, (0, 1), (0, 1), ((), (2,), (1, 2), (3, 1), (3, 2), None)
    ):
        a = quarters(rng, (4, 3) if trans_a else (3, 4), dtype)
        b = quarters(rng, (2, 4) if trans_b else (4, 2), dtype)
        rest = [b] if c is None else [b, quarters(rng, c, dtype)]
        attributes = {"transA": trans_a, "transB": trans_b, "alpha": 0.5, "beta": -2.0}
        dims = {"x": [4, "n"] if trans_a else ["n", 4]}
        yield one(f"Gemm/{dtype.__name__}-{trans_a}{trans_b}-{c}", "Gemm", [a], 13, attributes, rest, dims)
    for version, (alpha, beta) in itertools.product((7, 9, 11, 13), ((None, None), (1.0, 0.0), (0.0, 1.0))):
        attributes = {key: value for key, value in (("alpha", alpha), ("beta", beta)) if value is not None}
        a, rest = (
            quarters(rng, (2, 3), np.float64),
            [quarters(rng, (3, 2), np.float64), quarters(rng, (2,), np.float64)],
        )
        yield one(f"Gemm/{version}-{alpha}-{beta}", "Gemm", [a], version, attributes, rest, {"x": [None, 3]})
    yield one("Gemm/zero_rows", "Gemm", [np.zeros((0, 3))], 13, {}, [np.ones((3, 2)), np.ones(2)], {"x": [None, 3]})
    yield one(
        "Gemm/inputs",
        "Gemm",
        [np.ones((2, 3)), np.ones((3, 2)), np.ones((1, 2))],
        13,
        {"alpha": 3.0},
        [],
        {"x": ["n", 3], "y": [3, 2], "z": [1, 2]},
    )
    yield one("Gemm/string_alpha", "Gemm", [np.ones((2, 3))], 13, {"alpha": "1"}, [np.ones((3, 2))], {"x": [None, 3]})
    yield one("Gemm/wrong_inner", "Gemm", [np.ones((2, 3))], 13, {}, [np.ones((4, 2))], {"x": [None, 3]})


REDUCERS = ("ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare")


def reduce(rng):
    for op_type, dtype, axes, keep in itertools.product(REDUCERS, NUMBERS, (None, [0], [-1], [0, 2], [1]), (0, 1)):
        x = np.abs(quarters(rng, (2, 3, 2), dtype)) + 1
        attributes = {"keepdims": keep}
        name = f"{op_type}/{dtype.__name__}-{axes}-{keep}"
        old = attributes if axes is None else attributes | {"axes": axes}
        yield one(f"{name}-11", op_type, [x], 11, old)
        yield one(f"{name}-18", op_type, [x], 18, attributes, None if axes is None else [np.array(axes)])
    for op_type, version in itertools.product(REDUCERS, (1, 13)):
        yield one(f"{op_type}/{version}", op_type, [np.ones((2, 3), np.float32)], version, {"axes": [1]})
    for op_type in REDUCERS:
        x = np.array([[1, 2], [3, 4]], np.float32)
        for noop in (0, 1):
            attributes = {"noop_with_empty_axes": noop}
            yield one(f"{op_type}/noop-{noop}", op_type, [x], 18, attributes)
            yield one(f"{op_type}/empty_axes-{noop}", op_type, [x], 18, attributes, [np.zeros(0, np.int64)])
        yield one(f"{op_type}/zero_rows", op_type, [x[:0]], 11, {"axes": [1]}, dims={"x": [None, 2]})
        yield one(f"{op_type}/scalar", op_type, [np.array(2.5)], 18)
        yield one(f"{op_type}/axis_out_of_range", op_type, [x], 11, {"axes": [2]})
        yield one(f"{op_type}/unknown_attribute", op_type, [x], 11, {"axis": 1})
    for dtype in FLOATS:
        big = np.array(
            [[1000, 2000], [-1000, -2000], [88, 89], [-200, 0], [INF, 1], [-INF, 1], [-INF, -INF], [NAN, 1]], dtype
        )
        for version in (11, 18):
            old, new = ({"axes": [1]}, None) if version == 11 else ({}, [np.array([1])])
            yield one(f"ReduceLogSumExp/big-{dtype.__name__}-{version}", "ReduceLogSumExp", [big], version, old, new)


def elementwise(rng):
    x = np.array([[0, -0.0, 0.5, 1.5, -2.5], [INF, -INF, NAN, 800, -800], [1e-3, 0.49999997, 2.5, -0.5, 3.3]])
    for dtype in FLOATS:
        kind = onnx_type(x.astype(dtype))
        boolean = [TYPES["bool"][0]]
        for version in (6, 13):
            yield one(f"Sigmoid/{dtype.__name__}-{version}", "Sigmoid", [x.astype(dtype)], version, types=[kind])
        for version in (11, 22):
            yield one(f"Round/{dtype.__name__}-{version}", "Round", [x.astype(dtype)], version, types=[kind])
        for version in (9, 13, 20):
            yield one(f"IsNaN/{dtype.__name__}-{version}", "IsNaN", [x.astype(dtype)], version, types=boolean)
        for negative, positive, version in itertools.product((0, 1), (0, 1), (10, 20)):
            attributes = {"detect_negative": negative, "detect_positive": positive}
            yield one(
                f"IsInf/{dtype.__name__}-{negative}{positive}-{version}",
                "IsInf",
                [x.astype(dtype)],
                version,
                attributes,
                types=boolean,
            )
        yield one(f"IsInf/{dtype.__name__}", "IsInf", [x.astype(dtype)], 10, types=boolean)
        for op_type, types in (("Sigmoid", [kind]), ("Round", [kind]), ("IsNaN", boolean), ("IsInf", boolean)):
            yield one(f"{op_type}/{dtype.__name__}-scalar", op_type, [np.array(0.5, dtype)], 20, types=types)
            yield one(f"{op_type}/{dtype.__name__}-empty", op_type, [np.zeros((0, 2), dtype)], 20, types=types)
    for op_type in ("Round", "IsNaN", "IsInf", "Sigmoid"):
        yield one(f"{op_type}/int64", op_type, [np.array([1])], 20)
    for version in (9, 13):
        yield one(f"Erf/{version}", "Erf", [np.linspace(-5, 5, 23, dtype=np.float32)], version)
    for strange in (np.array([0, -0.0, np.inf, -np.inf, 1e-30]), np.array(0.5), np.zeros((0, 2))):
        yield one(f"Erf/{strange.shape}", "Erf", [strange.astype(np.float32)], 13)
    yield one("Erf/float64", "Erf", [np.ones(2)], 13)
    yield one("Sigmoid/unknown_attribute", "Sigmoid", [np.ones(2)], 13, {"alpha": 1.0})


def constant_of_shape(rng):
    for dtype in (*NUMBERS, np.bool_):
        value = numpy_helper.from_array(np.array([3], dtype))
        types = [onnx_type(np.array([3], dtype))]
        yield one(
            f"ConstantOfShape/{dtype.__name__}",
            "ConstantOfShape",
            [np.array([2, 3])],
            9,
            {"value": value},
            types=types,
            dims={"x": [2]},
        )
    float_ = [TYPES["f32"][0]]
    for version, shape in itertools.product((9, 20), ([], [0], [4], [2, 0], [1, 2, 3])):
        yield one(
            f"ConstantOfShape/{version}-{shape}",
            "ConstantOfShape",
            [np.array(shape, np.int64)],
            version,
            types=float_,
            dims={"x": [len(shape)]},
        )
    yield one("ConstantOfShape/negative", "ConstantOfShape", [np.array([2, -3])], 9, types=float_, dims={"x": [2]})
    yield one(
        "ConstantOfShape/huge", "ConstantOfShape", [np.array([1 << 40, 1 << 40])], 9, types=float_, dims={"x": [2]}
    )
    value = numpy_helper.from_array(np.array([1, 2], np.float32))
    yield one(
        "ConstantOfShape/two_values",
        "ConstantOfShape",
        [np.array([2])],
        9,
        {"value": value},
        types=float_,
        dims={"x": [1]},
    )
    # As skl2onnx exports the kernels of Gaussian processes.
    for dtype, index in itertools.product(FLOATS, (np.array(0), np.array([0]))):
        nodes = [
            helper.make_node("Shape", ["x"], ["shape"]),
            helper.make_node("Gather", ["shape", "index"], ["n"]),
            *([helper.make_node("Unsqueeze", ["n", "index_1"], ["n_1"])] if index.ndim == 0 else []),
            helper.make_node("Concat", ["n" if index.ndim else "n_1", "one"], ["wanted"], axis=0),
            helper.make_node(
                "ConstantOfShape", ["wanted"], ["ones"], value=numpy_helper.from_array(np.array([1], dtype))
            ),
            helper.make_node("MatMul", ["ones", "w"], ["Y"]),
        ]
        kind = onnx_type(np.zeros(1, dtype))
        constants = {"index": index, "index_1": np.array([0]), "one": np.array([1]), "w": np.array([[1, 2, 3]], dtype)}
        graph = helper.make_graph(
            nodes,
            "math",
            [helper.make_tensor_value_info("x", kind, [None, 2])],
            [helper.make_tensor_value_info("Y", kind, [None, 3])],
            [numpy_helper.from_array(array, key) for key, array in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
        yield case(
            f"ConstantOfShape/of_shape-{dtype.__name__}-{index.ndim}",
            model.SerializeToString(deterministic=True),
            {"x": np.ones((3, 2), dtype)},
        )


def compress(rng):
    strings = np.array([["a", "b"], ["c", "d"], ["e", "f"]], object)
    for x in (*(quarters(rng, (3, 2), dtype) for dtype in NUMBERS), strings, quarters(rng, (3, 2)) > 0):
        for axis in (None, 0, 1, -1):
            attributes = {} if axis is None else {"axis": axis}
            for length in (0, 1, 2, 3):
                condition = np.arange(length) % 2 == 0
                name = f"Compress/{x.dtype}-{axis}-{length}"
                if x.dtype == np.float32 or length == 2:
                    yield one(f"{name}-input", "Compress", [x, condition], 11, attributes)
                    yield one(f"{name}-constant", "Compress", [x], 11, attributes, [condition], {"x": [None, 2]})
    x = np.ones((2, 2), np.float32)
    condition = np.array([True, False, True, True, True])
    yield one("Compress/9", "Compress", [x, condition], 9, {"axis": 1})
    yield one("Compress/long", "Compress", [x, condition], 11)
    yield one("Compress/vector", "Compress", [x[0], condition[:2]], 11, {"axis": 0})
    yield one("Compress/axis_out_of_range", "Compress", [x, condition], 11, {"axis": 2})
    yield one("Compress/condition_of_numbers", "Compress", [x, np.array([1, 0])], 11)


def top_k(rng):
    ties = np.array([[1, NAN, 3, 3, -1, NAN], [INF, 0, -0.0, -INF, 2, 2]])
    names = ("V", "I")
    for dtype, version in itertools.product(FLOATS, (1, 9)):
        for axis, k in ((None, 2), (0, 1), (1, 3), (-1, 6)):
            attributes = {"k": k} if axis is None else {"k": k, "axis": axis}
            yield one(
                f"TopK/{version}-{dtype.__name__}-{axis}-{k}",
                "TopK",
                [ties.astype(dtype)],
                version,
                attributes,
                outputs=names,
            )
    for dtype, version, largest, k in itertools.product(NUMBERS, (10, 11, 24), (0, 1), (1, 2, 4)):
        if version == 10 and (dtype not in FLOATS or not largest):
            continue
        x = quarters(rng, (2, 4, 2), dtype)
        attributes = {"axis": 1} if version == 10 else {"axis": 1, "largest": largest}
        name = f"TopK/{version}-{dtype.__name__}-{largest}-{k}"
        yield one(name, "TopK", [x], version, attributes, [np.array([k])], outputs=names, dims={"x": [None, 4, 2]})
        yield one(f"{name}-input", "TopK", [x, np.array([k])], version, attributes, outputs=names, dims={"y": [1]})
    for largest, dtype in itertools.product((0, 1), FLOATS):
        yield one(
            f"TopK/ties-{largest}-{dtype.__name__}",
            "TopK",
            [ties.astype(dtype)],
            11,
            {"largest": largest},
            [np.array([6])],
            outputs=names,
        )
    x = np.array([[3, 1, 2]], np.float32)
    yield one("TopK/zero_rows", "TopK", [x[:0]], 11, {}, [np.array([2])], outputs=names, dims={"x": [None, 3]})
    yield one("TopK/values_only", "TopK", [x], 11, {}, [np.array([2])], outputs=("V",))
    yield one("TopK/indices_only", "TopK", [x], 11, {}, [np.array([2])], outputs=("", "I"), types=[1, 7])
    yield one("TopK/k_too_large", "TopK", [x], 11, {}, [np.array([4])], outputs=names, dims={"x": [1, 3]})
    yield one("TopK/k_too_large-input", "TopK", [x, np.array([4])], 11, {}, outputs=names, dims={"y": [1]})
    yield one("TopK/k_negative", "TopK", [x, np.array([-1])], 11, {}, outputs=names, dims={"y": [1]})
    yield one("TopK/k_missing", "TopK", [x], 9, {}, outputs=names)
    yield one("TopK/axis_out_of_range", "TopK", [x], 11, {"axis": 2}, [np.array([1])], outputs=names)


def mat_mul(rng):
    shapes = (
        ((3, 2), (2, 4)),
        ((2,), (2, 3)),
        ((3, 2), (2,)),
        ((5, 3, 2), (2, 4)),
        ((5, 1, 3, 2), (2, 2, 4)),
        ((0, 2), (2, 3)),
        ((3, 0), (0, 2)),
    )
    for dtype, (a, b) in itertools.product((np.int32, np.int64, np.float64), shapes):
        yield one(
            f"MatMul/{dtype.__name__}-{a}-{b}",
            "MatMul",
            [quarters(rng, a, dtype)],
            13,
            {},
            [quarters(rng, b, dtype)],
            {"x": list(a)},
        )
    a, b = quarters(rng, (3, 2), np.int64), quarters(rng, (2, 4), np.int64)
    for version in (9, 13):
        yield one(f"MatMul/{version}", "MatMul", [a], version, {}, [b], {"x": [None, 2]})
    yield one("MatMul/wrong_inner", "MatMul", [a], 13, {}, [a], {"x": [None, 2]})


def power(rng):
    for base, exponent in itertools.product(NUMBERS, NUMBERS):
        x = np.array([[1, 2, 3], [4, 5, 6]], base)
        for y in (np.array(2), np.array([2]), np.array([[3], [0]]), np.array([1, 2, 3])):
            name = f"Pow/{base.__name__}-{exponent.__name__}-{y.tolist()}"
            yield one(name, "Pow", [x], 15, {}, [y.astype(exponent)])
    for version in (7, 12, 13):
        yield one(f"Pow/{version}", "Pow", [np.array([[1.5, 2]], np.float32)], version, {}, [np.array([2], np.float32)])
    yield one("Pow/roots", "Pow", [np.array([1, 4, 10, 0])], 13, {}, [np.array(0.5)])
    yield one("Pow/negative", "Pow", [np.array([1, -1, 2])], 13, {}, [np.array(-1)])


def det(rng):
    for dtype, shape in itertools.product(FLOATS, ((1, 1), (2, 2), (4, 4), (3, 2, 2), (2, 3, 3, 3), (0, 2, 2))):
        for version in (11, 22):
            record = case if dtype == np.float32 else reference_case
            yield one(
                f"Det/{dtype.__name__}-{shape}-{version}", "Det", [quarters(rng, shape, dtype)], version, record=record
            )
    yield one("Det/singular", "Det", [np.array([[1, 2], [2, 4]], np.float32)], 11)
    yield one("Det/not_square", "Det", [np.ones((2, 3), np.float32)], 11)


def unique(rng):
    names = ("Y", "indices", "inverse", "counts")
    strings = np.array([["b", "a"], ["c", "a"], ["b", "a"]], object)
    for x in (*(rng.integers(0, 3, (4, 2)).astype(dtype) for dtype in (np.float32, np.float64, np.int64)), strings):
        for axis, is_sorted in itertools.product((None, 0, 1, -1), (0, 1)):
            attributes = {"sorted": is_sorted} | ({} if axis is None else {"axis": axis})
            yield one(f"Unique/{x.dtype}-{axis}-{is_sorted}", "Unique", [x], 11, attributes, outputs=names)
    x = np.array([2, 0, 2, -1])
    yield one("Unique/vector", "Unique", [x], 11, outputs=names)
    yield one("Unique/inverse_only", "Unique", [x], 11, outputs=("Y", "", "inverse"))
    yield one("Unique/values_only", "Unique", [x], 11)
    yield one("Unique/empty", "Unique", [x[:0]], 11, outputs=names)
    yield one("Unique/axis_out_of_range", "Unique", [x], 11, {"axis": 1}, outputs=names)


def cast_1(rng):
    x = np.array([[1.5, -2.5, 0]], np.float32)
    for to in ("FLOAT", "DOUBLE", "INT32", "INT64", "BOOL"):
        kind = {"FLOAT": "f32", "DOUBLE": "f64", "INT32": "i32", "INT64": "i64", "BOOL": "bool"}[to]
        yield one(f"Cast/1-{to}", "Cast", [x], 1, {"to": to}, types=[TYPES[kind][0]])
    yield one("Cast/1-unknown", "Cast", [x], 1, {"to": "FLOATS"})
    yield one("Cast/1-number", "Cast", [x], 1, {"to": 1})


def sparse(name, array, indices, values=None, dims=None):
    values = array.ravel()[np.flatnonzero(array)] if values is None else values
    tensors = numpy_helper.from_array(values, name), numpy_helper.from_array(np.array(indices, np.int64))
    return helper.make_sparse_tensor(*tensors, array.shape if dims is None else dims)


def constants(rng):
    """Spellings of constants that tract does not read: `x` times the constant."""

    def multiplied(name, array, node=None, sparse_initializer=None, version=13):
        nodes = [helper.make_node("Mul", ["x", "c"], ["Y"])]
        if node is not None:
            nodes.insert(0, node)
        kind = onnx_type(array)
        graph = helper.make_graph(
            nodes,
            "math",
            [helper.make_tensor_value_info("x", kind, [])],
            [helper.make_tensor_value_info("Y", kind, None)],
            sparse_initializer=[sparse_initializer] if sparse_initializer is not None else None,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)
        return case(name, model.SerializeToString(deterministic=True), {"x": np.array(2, array.dtype)})

    def constant(**attributes):
        return helper.make_node("Constant", [], ["c"], **attributes)

    for dtype in NUMBERS:
        array = np.array([[0, 3, 0], [5, 0, -7]], dtype)
        for spelling, indices in (("linear", [1, 3, 5]), ("coordinates", [[0, 1], [1, 0], [1, 2]])):
            name = f"Constant/sparse-{dtype.__name__}-{spelling}"
            yield multiplied(name, array, constant(sparse_value=sparse("c", array, indices)))
            name = f"Constant/sparse_initializer-{dtype.__name__}-{spelling}"
            yield multiplied(name, array, sparse_initializer=sparse("c", array, indices))
    array = np.zeros((2, 2), np.float32)
    one_value = np.array([1], np.float32)
    nothing = sparse("c", array, np.zeros(0), one_value[:0])
    yield multiplied("Constant/sparse-nothing", array, constant(sparse_value=nothing))
    for name, indices in (("outside", [4]), ("negative", [-1]), ("outside_row", [[2, 0]]), ("too_many", [0, 1])):
        bad = sparse("c", array, indices, one_value)
        yield multiplied(f"Constant/sparse-{name}", array, constant(sparse_value=bad))
    for name, value, array in (
        ("int", 3, np.array(3)),
        ("ints", [3, 4], np.array([3, 4])),
        ("float", 1.5, np.array(1.5, np.float32)),
        ("floats", [1.5, 2.5], np.array([1.5, 2.5], np.float32)),
    ):
        yield multiplied(f"Constant/{name}", array, constant(**{f"value_{name}": value}))


def reshape_1(rng):
    x = quarters(rng, (2, 3))
    for shape in ([3, 2], [-1], [1, 2, 3], [0, -1, 1]):
        yield one(f"Reshape/1-{shape}", "Reshape", [x], 1, {"shape": shape})
    yield one("Reshape/1-wrong", "Reshape", [x], 1, {"shape": [4]}, dims={"x": [2, 3]})
    yield one("Reshape/1-none", "Reshape", [x], 1)


def whole(name, nodes, feeds, constants=None, dims=None, kind=TYPES["f32"][0], version=13):
    """Some nodes that make `Y` of `feeds` and `constants`; dimensions of the inputs are unknown unless `dims` says."""
    graph = helper.make_graph(
        nodes,
        "math",
        [
            helper.make_tensor_value_info(key, onnx_type(array), (dims or {}).get(key, [None] * array.ndim))
            for key, array in feeds.items()
        ],
        [helper.make_tensor_value_info("Y", kind, None)],
        [numpy_helper.from_array(np.asarray(array), key) for key, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)
    return case(name, model.SerializeToString(deterministic=True), feeds)


def broadcast_products(rng):
    """Broadcasts before matrix products, which tract takes out."""
    node = helper.make_node
    f32 = np.float32
    x, w, row = np.arange(8, dtype=f32).reshape(4, 2), np.arange(6, dtype=f32).reshape(2, 3), np.array([[1, 2]], f32)
    dims = {"x": [None, 2]}
    to_x = [node("Shape", ["x"], ["s"]), node("Expand", ["row", "s"], ["e"])]
    to_s = [node("Expand", ["x", "s"], ["e"])]
    for product, extra in (("MatMul", {}), ("Gemm", {})):
        times_w = node(product, ["e", "w"], ["Y"], **extra)
        name = f"{product}/broadcast"
        yield whole(f"{name}-row", [*to_x, times_w], {"x": x}, {"row": row, "w": w}, dims)
        yield whole(f"{name}-scalar", [*to_x, times_w], {"x": x}, {"row": f32(3), "w": w}, dims)
        column = {"x": x[:, 1:]}
        yield whole(f"{name}-columns", [*to_s, times_w], column, {"s": np.array([1, 2]), "w": w}, {"x": [None, 1]})
        yield whole(f"{name}-fixed", [*to_s, times_w], {"x": row}, {"s": np.array([4, 2]), "w": w}, {"x": [1, 2]})
        both = [*to_s, node("Expand", ["row", "t"], ["f"]), node(product, ["e", "f"], ["Y"])]
        constants = {"s": np.array([1, 2]), "row": row, "t": np.array([2, 2])}
        yield whole(f"{name}-both", both, column, constants, {"x": [None, 1]})
        cast = [*to_s, node("Cast", ["e"], ["d"], to=TYPES["f64"][0]), node(product, ["d", "w"], ["Y"])]
        constants = {"s": np.array([1, 2]), "w": w.astype(np.float64)}
        yield whole(f"{name}-cast", cast, column, constants, {"x": [None, 1]}, TYPES["f64"][0])
        zero = [node("Mul", ["x", "z"], ["e"]), times_w]
        yield whole(f"{name}-zero", zero, column, {"z": np.zeros((1, 2), f32), "w": w}, {"x": [None, 1]})
    right = [*to_x, node("MatMul", ["w", "e"], ["Y"])]
    wide = rng.integers(-4, 5, (2, 4)).astype(f32)
    yield whole("MatMul/broadcast-right", right, {"x": x}, {"row": row, "w": wide}, dims)
    yield whole("MatMul/broadcast-right_scalar", right, {"x": x}, {"row": f32(2), "w": wide}, dims)
    batch = [*to_s, node("MatMul", ["e", "w"], ["Y"])]
    yield whole("MatMul/broadcast-batch", batch, {"x": x}, {"s": np.array([3, 1, 1]), "w": w}, dims)
    transposed = [*to_x, node("Gemm", ["x", "e"], ["Y"], transB=1)]
    yield whole("Gemm/broadcast-transposed", transposed, {"x": x}, {"row": row}, dims)


def conditional(rng):
    node = helper.make_node
    f32, i64 = TYPES["f32"][0], TYPES["i64"][0]
    x, w = np.arange(6, dtype=np.float32).reshape(3, 2), np.arange(6, dtype=np.float32).reshape(2, 3)

    def branch(nodes, kind=f32):
        return helper.make_graph(nodes, "branch", [], [helper.make_tensor_value_info(nodes[-1].output[0], kind, None)])

    def constant(value, kind=np.float32):
        return [node("Constant", [], ["a"], value=numpy_helper.from_array(np.array(value, kind)))]

    def choice(then_nodes, else_nodes, output="Y", kind=f32):
        return node("If", ["c"], [output], then_branch=branch(then_nodes, kind), else_branch=branch(else_nodes, kind))

    add = node("Add", ["x", "z"], ["Y"])
    of_x = [node("Shape", ["x"], ["s"])]
    inner = choice([node("Neg", ["x"], ["n"])], [node("Abs", ["x"], ["m"])], "inner")
    models = {
        "constants": [choice(constant([1, 2]), constant([3, 4]), "z"), add],
        "shapes": [choice(constant([1, 2]), constant([3]), "z"), add],
        "outer": [choice([node("Neg", ["x"], ["a"])], [node("MatMul", ["x", "w"], ["b"])])],
        "outer_shape": [*of_x, choice([node("Expand", ["one", "s"], ["a"])], [node("Reshape", ["x", "flip"], ["b"])])],
        "then_product": [
            choice([node("Neg", ["x"], ["a"])], [node("Abs", ["x"], ["b"])], "z"),
            node("MatMul", ["z", "w"], ["Y"]),
        ],
        "nested": [choice([inner], [node("Identity", ["x"], ["b"])])],
        "same_outer": [choice([node("Mul", ["x", "x"], ["a"])], [node("Add", ["x", "x"], ["b"])])],
    }
    constants = {"w": w, "one": np.ones(1, np.float32), "flip": np.array([2, -1])}
    for truth, (name, nodes) in itertools.product((True, False), models.items()):
        used = {key: array for key, array in constants.items() if f'"{key}"' in "".join(map(str, nodes))}
        feeds = {"x": x, "c": np.array(truth)}
        yield whole(f"If/{name}-{truth}", nodes, feeds, used, {"x": [None, 2]})
    for truth in (True, False):
        feeds = {"x": x, "c": np.array([truth])}
        numbers = choice([node("Identity", ["s"], ["a"])], constant([7, 8], np.int64), kind=i64)
        yield whole(f"If/numbers-{truth}", [*of_x, numbers], feeds, {}, {"x": [None, 2], "c": [1]}, i64)
        nodes = [choice(constant([1, 2]), constant([[3, 4]]), "z"), add]
        yield whole(f"If/known-{truth}", nodes, {"x": x}, {"c": np.array(truth)}, {"x": [None, 2]})
    ranks = constant([1, 2]), constant([[3, 4], [5, 6], [7, 8]])
    z, y = choice(*ranks, "z"), choice(*ranks[::-1], "y")
    y.input[0] = "d"
    within = choice([z, node("Add", ["z", "x"], ["t"])], [node("ReduceSum", ["x"], ["u"], keepdims=0)])
    for c, d in itertools.product((True, False), (True, False)):
        feeds = {"x": x, "c": np.array(c), "d": np.array(d)}
        twice = [z, y, node("Add", ["x", "z"], ["t"]), node("Add", ["t", "y"], ["Y"])]
        yield whole(f"If/ranks_twice-{c}-{d}", twice, feeds, {}, {"x": [None, 2]})
        only = {key: feeds[key] for key in ("x", "c")}
        if d:
            yield whole(f"If/ranks-{c}", [z, add], only, {}, {"x": [None, 2]})
            yield whole(f"If/ranks_output-{c}", [choice(*ranks)], {"c": only["c"]})
            yield whole(f"If/ranks_within-{c}", [within], only, {}, {"x": [None, 2]})
    nodes = [choice(constant([1, 2]), constant([1, 2], np.int64))]
    yield whole("If/types", nodes, {"c": np.array(True)})
    yield whole("If/many_conditions", models["same_outer"], {"x": x, "c": np.array([True, False])})
    yield whole("If/condition_of_numbers", models["same_outer"], {"x": x, "c": np.array(1)})


def dimensions(rng):
    """What tract counts in symbols, as an output."""
    node = helper.make_node
    x, i64 = np.ones((3, 2), np.float32), TYPES["i64"][0]
    shape = node("Shape", ["x"], ["s"])
    for name, nodes in {
        "Shape": [node("Shape", ["x"], ["Y"])],
        "Size": [node("Size", ["x"], ["Y"])],
        "Shape_times": [shape, node("Mul", ["s", "two"], ["Y"])],
        "Shape_first": [shape, node("Gather", ["s", "zero"], ["Y"])],
    }.items():
        constants = {"two": np.array([2]), "zero": np.array(0)} if len(nodes) > 1 else {}
        yield whole(f"{name}/output", nodes, {"x": x}, constants, {"x": [None, 2]}, i64)
        yield whole(f"{name}/output_declared_otherwise", nodes, {"x": x}, constants, {"x": [None, 2]})
    yield whole("Identity/declared_otherwise", [node("Identity", ["x"], ["Y"])], {"x": x}, kind=i64)


def gemm_rows(rng):
    for a, c in itertools.product((1, 2, 3), ((3, 2), (3, 1), (1, 2), (2, 1))):
        feeds, rest = [quarters(rng, (a, 4))], [quarters(rng, (4, 2)), quarters(rng, c)]
        yield one(f"Gemm/rows-{a}-{c}", "Gemm", feeds, 13, {"beta": 0.5}, rest, {"x": ["n", 4]})
    for c in ((3, 2), (1, 2), (2, 2), (3, 3)):
        feeds = [quarters(rng, (3, 4)), quarters(rng, (4, 2)), quarters(rng, c)]
        yield one(f"Gemm/unknown-{c}", "Gemm", feeds, 13)


def imputer(rng):
    """KNNImputer: functions of another version of ai.onnx, and conditions on what is missing."""
    x = np.array([[1, 2, NAN], [3, 4, 3], [NAN, 6, 5], [8, 8, 7], [2, NAN, 1]], np.float32)
    for n_neighbors in (1, 2):
        model = to_onnx(KNNImputer(n_neighbors=n_neighbors).fit(x), x, target_opset=22)
        for name, rows in (("missing", x), ("complete", x[[1, 3]]), ("one", x[:1])):
            serialized = recording.serialized(model)
            yield case(f"skl2onnx/KNNImputer-{n_neighbors}-{name}", serialized, {model.graph.input[0].name: rows})


def scatter(rng):
    texts = np.array([["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"], ["j", "k", "l"]], object)
    rows, columns = np.array([[3, 0, 1]]), np.array([[2], [0], [1], [-1]])
    axes = {None: rows, 0: rows, -2: -rows, 1: columns, -1: columns}
    for dtype, (axis, indices), version in itertools.product((*NUMBERS, np.bool_, object), axes.items(), (9, 10)):
        if version == 10 and dtype != np.float32:
            continue
        if dtype is object:
            data, updates = texts, np.char.upper(texts[: len(indices), : indices.shape[1]].astype(str)).astype(object)
        else:
            data = quarters(rng, (4, 3)).astype(dtype)
            updates = quarters(rng, indices.shape, np.float32).astype(dtype)
        attributes = {} if axis is None else {"axis": axis}
        name = f"Scatter/{np.dtype(dtype)}-{axis}-{version}"
        yield one(f"{name}-given", "Scatter", [data, indices, updates], version, attributes)
        constants, dims = [indices.astype(np.int32), updates], {"x": [None, 3]}
        yield one(f"{name}-constant", "Scatter", [data], version, attributes, constants, dims)
    x = np.array([NAN, INF, -0.0, 1e-40, 2.5], np.float32)
    for name, indices, updates in (
        ("vector", [4, -5], [NAN, -INF]),
        ("nothing", [], []),
        ("all", [0, 1, 2, 3, 4], [1, 2, 3, 4, 5]),
    ):
        rest = [np.array(indices, np.int64), np.array(updates, np.float32)]
        yield one(f"Scatter/{name}", "Scatter", [x], 9, {}, rest, {"x": [None]})
        yield one(f"Scatter/{name}-given", "Scatter", [x, *rest], 9)
    deep = quarters(rng, (2, 3, 2))
    indices = rng.integers(0, 3, (2, 1, 2))
    yield one("Scatter/deep", "Scatter", [deep, indices, quarters(rng, indices.shape)], 9, {"axis": -2})
    yield one("Scatter/no_rows", "Scatter", [deep[:0], indices[:0], deep[:0, :1]], 9, {"axis": 1})
    one_row = [x[None], np.array([[5]]), np.ones((1, 1), np.float32)]
    yield one("Scatter/outside", "Scatter", one_row, 9, {"axis": 1})
    yield one("Scatter/outside_below", "Scatter", [x[None], np.array([[-6]]), one_row[2]], 9, {"axis": 1})
    yield one("Scatter/axis_outside", "Scatter", one_row, 9, {"axis": 2})
    yield one("Scatter/axis_outside_below", "Scatter", one_row, 9, {"axis": -3})
    yield one("Scatter/shapes", "Scatter", [x[None], np.array([[0, 1]]), one_row[2]], 9, {"axis": 1})
    yield one("Scatter/ranks", "Scatter", [x[None], np.array([0]), x[:1]], 9, {"axis": 1})
    yield one("Scatter/types", "Scatter", [x, np.array([0]), np.array([1.5])], 9)
    yield one("Scatter/unknown_attribute", "Scatter", [x, np.array([0]), x[:1]], 9, {"axes": 0})


def skl2onnx_exports(rng):
    X, y = load_iris(return_X_y=True)
    X = np.round(X * 4) / 4
    estimators = {
        "LogisticRegression": LogisticRegression(**TO_THE_OPTIMUM),
        "LogisticRegression_binary": LogisticRegression(**TO_THE_OPTIMUM),
        "MLPClassifier_logistic": MLPClassifier((3,), activation="logistic", max_iter=20, random_state=0),
        "MultinomialNB": MultinomialNB(),
        "ComplementNB": ComplementNB(),
        "GaussianMixture": GaussianMixture(2, random_state=0),
        "GaussianProcessRegressor": GaussianProcessRegressor(ConstantKernel(2.0) * RBF(1.5), alpha=0.1),
    }
    for (name, estimator), dtype in itertools.product(estimators.items(), FLOATS):
        if dtype == np.float32 and name.startswith(("GaussianProcess", "LogisticRegression")):
            # The first is the difference of large numbers; the others have no operator of this family.
            continue
        rows = slice(None, None, 9 if name.startswith("Gaussian") else 1)
        labels = np.minimum(y, 1) if name.endswith("_binary") else y
        estimator.fit(X[rows], labels[rows])
        is_classifier = hasattr(estimator, "classes_")
        for opset in (13, 18):
            model = to_onnx(
                estimator, X[:1].astype(dtype), options={"zipmap": False} if is_classifier else None, target_opset=opset
            )
            scale = 100 if name.endswith("NB") else 1
            yield case(
                f"skl2onnx/{name}-{dtype.__name__}-{opset}",
                recording.serialized(model),
                {"X": (X[::25] * scale).astype(dtype)},
            )


if __name__ == "__main__":
    families = (
        gemm,
        reduce,
        elementwise,
        constant_of_shape,
        compress,
        top_k,
        mat_mul,
        power,
        det,
        unique,
        cast_1,
        skl2onnx_exports,
        constants,
        reshape_1,
        broadcast_products,
        conditional,
        dimensions,
        gemm_rows,
        imputer,
        scatter,
    )
    recording.write(
        Path(__file__).with_name("cases.json"),
        [entry for seed, family in enumerate(families) for entry in family(np.random.default_rng(seed))],
    )
