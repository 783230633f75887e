"""Writes cases.json: Mish, Gelu and Hardmax, inputs, and what onnxruntime answers. See README.md."""

import itertools
import math
import sys
from pathlib import Path

import numpy as np
from onnx import helper, load_from_string

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "lowering"))
import recording
from make_lowering import FLOATS, ints, one, quarters, special, widths
from recording import answered_case, case

NAN, INF = np.nan, np.inf
NUMBERS = (1e-5, -1e-5, 0.25, 0.5, -0.5, 1.0, -1.0, 2.5, -2.5, 5.0, -5.0, 10.0, -10.0, 20.0, -20.0, 90.0, -90.0)


def attributes(model):
    """Those of the node that is not a cast."""
    node = next(node for node in load_from_string(model).graph.node if node.op_type != "Cast")
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def mish(x, _):
    return x * math.tanh(max(x, 0.0) + math.log1p(math.exp(-abs(x))))


def gelu(x, attributes):
    if attributes.get("approximate") == b"tanh":
        return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


def by_definition(function, dtype):
    """Records the answers of a definition in double, rounded once to `dtype`."""

    def record(name, model, feeds):
        (x,) = feeds.values()
        values = np.array([function(float(value), attributes(model)) for value in x.ravel()]).reshape(x.shape)
        return answered_case(name, model, feeds, [values.astype(dtype)])

    return record


def elementwise(rng):
    variants = {
        "Mish": ("Mish", 18, {}, mish),
        "Gelu": ("Gelu", 20, {}, gelu),
        "Gelu/none": ("Gelu", 20, {"approximate": "none"}, gelu),
        "Gelu/tanh": ("Gelu", 20, {"approximate": "tanh"}, gelu),
    }
    for (name, (op_type, version, given, function)), dtype in itertools.product(variants.items(), FLOATS):
        # onnxruntime has no error function of double.
        has_kernel = op_type == "Mish" or dtype == np.float32 or given.get("approximate") == "tanh"
        numbers = special(dtype, *NUMBERS) if has_kernel else np.array([0.0, -0.0, *NUMBERS, NAN], dtype).reshape(-1, 5)
        record = case if has_kernel else by_definition(function, dtype)
        for known, dims in widths(numbers).items():
            name_of = f"{name}/{dtype.__name__}-{known}"
            yield one(name_of, op_type, {"x": numbers}, version, given, dims=dims, record=record)
        scalar, empty = {"x": dtype(0.75)}, {"x": numbers[:0]}
        yield one(f"{name}/{dtype.__name__}-scalar", op_type, scalar, version, given, record=record)
        yield one(f"{name}/{dtype.__name__}-empty", op_type, empty, version, given, record=record)
    for name, (op_type, version, given, function) in variants.items():
        # onnxruntime computes these in float and leaves out the rounding to float16.
        x = np.array([0.0, -0.0, *NUMBERS], np.float16).astype(np.float32)
        record = by_definition(function, np.float16)
        yield one(f"{name}/float16", op_type, {"x": x}, version, given, half=True, record=record)
        yield one(f"{name}/int64", op_type, {"x": ints(1, 2)}, version, given)
        yield one(f"{name}/unknown_attribute", op_type, {"x": x}, version, given | {"alpha": 1.0})
        yield one(f"{name}/too_early", op_type, {"x": x}, version - 1, given)
    yield one("Mish/22", "Mish", {"x": special(np.float32, *NUMBERS)}, 22)
    x = quarters(rng, (2, 3))
    yield one("Gelu/unknown_approximation", "Gelu", {"x": x}, 20, {"approximate": "fast"})


def hardmax(rng):
    def first_largest(name, model, feeds):
        """onnxruntime has no kernel of double: 1 at the first of the largest numbers of each line."""
        (x,) = feeds.values()
        axis = attributes(model)["axis"]
        index = np.argmax(x, axis, keepdims=True)
        answer = np.zeros_like(x)
        np.put_along_axis(answer, index, 1.0, axis)
        return answered_case(name, model, feeds, [answer])

    deep = quarters(rng, (2, 3, 4))
    for version, axis in itertools.product((1, 11, 13), (None, 0, 1, 2, -1, -2)):
        given = {} if axis is None else {"axis": axis}
        for known, dims in widths(deep).items():
            yield one(f"Hardmax/{version}-{axis}-{known}", "Hardmax", {"x": deep}, version, given, dims=dims)
    matrix = quarters(rng, (4, 3))
    for version, axis in itertools.product((11, 13), (0, 1, -1)):
        given = {"axis": axis}
        yield one(f"Hardmax/matrix-{version}-{axis}", "Hardmax", {"x": matrix}, version, given, dims={"x": ["n", 3]})
    for axis in (0, 1, -1):
        double = {"x": matrix.astype(np.float64)}
        yield one(f"Hardmax/double-{axis}", "Hardmax", double, 13, {"axis": axis}, record=first_largest)
    ties = np.array([[1, 1, 1], [0, 2, 2], [2, 0, 2], [-1, -1, -2], [0, -0.0, 0], [-0.0, 0, -0.0]], np.float32)
    infinite = np.array([[INF, 1, 2], [1, -INF, 2], [-INF, -INF, -INF], [INF, INF, 0], [-INF, INF, -INF]], np.float32)
    for name, lines in (("ties", ties), ("infinite", infinite)):
        for known, dims in widths(lines).items():
            yield one(f"Hardmax/{name}-{known}", "Hardmax", {"x": lines}, 13, dims=dims)
    for at, line in enumerate(([NAN, 1, 2], [1, NAN, 2], [1, 2, NAN], [2, 1, NAN], [NAN, NAN, NAN], [NAN, INF, -INF])):
        line = np.array([line], np.float32)
        for known, dims in widths(line).items():
            yield one(f"Hardmax/nan/{at}-{known}", "Hardmax", {"x": line}, 13, dims=dims)
    yield one("Hardmax/float16", "Hardmax", {"x": matrix}, 13, half=True)
    yield one("Hardmax/vector", "Hardmax", {"x": matrix[0]}, 13)
    yield one("Hardmax/scalar", "Hardmax", {"x": np.float32(2)}, 13)
    yield one("Hardmax/one_column", "Hardmax", {"x": matrix[:, :1]}, 13, dims={"x": ["n", 1]})
    yield one("Hardmax/no_rows", "Hardmax", {"x": matrix[:0]}, 13, dims={"x": ["n", 3]})
    yield one("Hardmax/no_columns", "Hardmax", {"x": matrix[:, :0]}, 13, dims={"x": ["n", 0]})
    yield one("Hardmax/int64", "Hardmax", {"x": ints(1, 2)}, 13)
    yield one("Hardmax/axis_out_of_range", "Hardmax", {"x": matrix}, 13, {"axis": 2})
    yield one("Hardmax/axis_out_of_range_below", "Hardmax", {"x": matrix}, 13, {"axis": -3})
    yield one("Hardmax/unknown_attribute", "Hardmax", {"x": matrix}, 13, {"axes": 1})


if __name__ == "__main__":
    recording.write(
        Path(__file__).with_name("cases.json"),
        [*elementwise(np.random.default_rng(0)), *hardmax(np.random.default_rng(1))],
    )
