"""Writes cases.json: operators of ai.onnx that are made of tract's, inputs, and what onnxruntime answers. See README.md."""

import itertools
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import TYPES, answered_case, case, reference_case

FLOATS = (np.float32, np.float64)
INTS = (np.int32, np.int64)


def onnx_type(dtype):
    return next(kind for kind, known in TYPES.values() if known == dtype)


def one(name, op_type, inputs, version, attributes=None, n_outputs=1, out=None, dims=None, half=False, record=case):
    """One node. `inputs` are arrays by name: upper case are constants, "" is one that is left out. With `half` the node
    computes in float16, between casts from float and to it."""
    feeds = {key: np.asarray(array) for key, array in inputs.items() if key.islower()}
    outputs = [f"Y{i}" for i in range(n_outputs)]
    node = helper.make_node(op_type, ["" if key.startswith("_") else key for key in inputs], outputs)
    for key, value in (attributes or {}).items():
        node.attribute.append(helper.make_attribute(key, value))
    out = onnx_type(out or next(iter(inputs.values())).dtype)
    nodes = [node]
    if half:
        casts = [helper.make_node("Cast", [key], [f"{key}_half"], to=TensorProto.FLOAT16) for key in node.input]
        back = helper.make_node("Cast", ["half"], outputs, to=TensorProto.FLOAT)
        node.input[:], node.output[:] = [cast.output[0] for cast in casts], ["half"]
        nodes = [*casts, node, back]
    graph = helper.make_graph(
        nodes,
        "lowering",
        [
            helper.make_tensor_value_info(
                key, onnx_type(array.dtype), (dims or {}).get(key, [f"{key}{i}" for i in range(array.ndim)])
            )
            for key, array in feeds.items()
        ],
        [helper.make_tensor_value_info(key, out, None) for key in outputs],
        [numpy_helper.from_array(np.asarray(array), key) for key, array in inputs.items() if key.isupper()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)
    return record(name, model.SerializeToString(deterministic=True), feeds)


def quarters(rng, shape, dtype=np.float32):
    """Multiples of 1/4: exact in every float type and short in JSON."""
    values = rng.integers(-8, 9, size=shape)
    return values.astype(dtype) if np.issubdtype(dtype, np.integer) else (values / 4).astype(dtype)


def ints(*values):
    return np.array(values, np.int64)


def slices(rng):
    x = quarters(rng, (3, 5))
    far = 2**62
    ranges = {
        "inside": ([0, 1], [2, 4], None, None),
        "from_the_end": ([-2, -4], [-1, far], None, None),
        "past_the_end": ([1, 4], [far, 9], None, None),
        "empty": ([2], [1], [1], None),
        "one_axis": ([1], [4], [-1], None),
        "steps": ([0, 1], [far, far], [0, 1], [2, 3]),
        "backwards": ([-1, 3], [-far, 0], [0, 1], [-1, -2]),
        "backwards_past_the_end": ([9], [-9], [1], [-2]),
    }
    for (name, (starts, ends, axes, steps)), known in itertools.product(ranges.items(), (True, False)):
        inputs = {"x": x, "S": ints(*starts), "E": ints(*ends)}
        if axes:
            inputs["A"] = ints(*axes)
        if steps:
            inputs["T"] = ints(*steps)
        yield one(f"Slice/{name}-{known}", "Slice", inputs, 13, dims={"x": [3, 5]} if known else None)
    yield one(
        "Slice/9", "Slice", {"x": x}, 9, {"starts": [0, -3], "ends": [2, 9], "axes": [0, 1]}, dims={"x": ["n", 5]}
    )
    yield one("Slice/9-all", "Slice", {"x": x}, 9, {"starts": [1, 1], "ends": [3, -1]}, dims={"x": [3, 5]})
    inputs = {"x": x, "y": ints(1), "z": ints(3), "A": ints(1)}
    yield one("Slice/not_constant", "Slice", inputs, 13, dims={"y": [1], "z": [1]})
    for dtype in INTS:
        yield one(
            f"Slice/{dtype.__name__}", "Slice", {"x": quarters(rng, (2, 4), dtype), "S": ints(1), "E": ints(2)}, 13
        )


def pads(rng):
    x = quarters(rng, (3, 4))
    around = [1, 0, 2, 3]
    for mode, dtype in itertools.product(("constant", "edge", "reflect"), (np.float32, np.float64, np.int64)):
        inputs = {"x": quarters(rng, (3, 4), dtype), "P": ints(*around)}
        yield one(f"Pad/{mode}-{dtype.__name__}", "Pad", inputs, 13, {"mode": mode}, dims={"x": ["n", 4]})
    inputs = {"x": x, "P": ints(*around), "V": np.array(1.5, np.float32)}
    yield one("Pad/value", "Pad", inputs, 13)
    yield one("Pad/axes", "Pad", inputs | {"P": ints(2, 1), "A": ints(-1)}, 18)
    yield one("Pad/2", "Pad", {"x": x}, 10, {"pads": around, "value": 1.5})
    yield one("Pad/2-edge", "Pad", {"x": x}, 2, {"pads": around, "mode": "edge"})


def batch_normalizations(rng):
    for dtype, shape in itertools.product(FLOATS, ((5, 3), (2, 3, 4), (2, 3, 1, 2))):
        names = ("x", "SCALE", "BIAS", "MEAN", "VAR")
        inputs = {name: quarters(rng, shape if name == "x" else 3, dtype) for name in names}
        inputs["VAR"] = np.abs(inputs["VAR"])
        yield one(
            f"BatchNormalization/{len(shape)}-{dtype.__name__}", "BatchNormalization", inputs, 15, {"epsilon": 0.01}
        )


def splits(rng):
    x = quarters(rng, (3, 6))
    dims = {"x": ["n", 6]}
    yield one("Split/11", "Split", {"x": x}, 11, {"axis": 1, "split": [1, 2, 3]}, 3, dims=dims)
    yield one("Split/11-equal", "Split", {"x": x}, 11, {"axis": -1}, 2, dims=dims)
    yield one("Split/13", "Split", {"x": x, "S": ints(4, 2)}, 13, {"axis": -1}, 2, dims=dims)
    yield one("Split/13-equal", "Split", {"x": x}, 13, {"axis": 1}, 3, dims=dims)
    yield one("Split/18-equal", "Split", {"x": x}, 18, {"axis": 1, "num_outputs": 2}, 2, dims=dims)
    yield one("Split/too_few", "Split", {"x": x, "S": ints(4, 1)}, 13, {"axis": 1}, 2, dims=dims)


def dimensions(rng):
    x = quarters(rng, (1, 3, 1, 2))
    dims = {"x": [1, "n", 1, 2]}
    yield one("Squeeze/11", "Squeeze", {"x": x}, 11, {"axes": [0, 2]}, dims=dims)
    yield one("Squeeze/13", "Squeeze", {"x": x, "A": ints(0, -2)}, 13, dims=dims)
    yield one("Squeeze/13-one", "Squeeze", {"x": x, "A": ints(2)}, 13, dims=dims)
    yield one("Squeeze/13-all", "Squeeze", {"x": x}, 13, dims={"x": [1, 3, 1, 2]})
    yield one("Squeeze/not_one", "Squeeze", {"x": x, "A": ints(3)}, 13, dims=dims)
    x = quarters(rng, (3, 2))
    yield one("Unsqueeze/11", "Unsqueeze", {"x": x}, 11, {"axes": [0, 3]})
    yield one("Unsqueeze/13", "Unsqueeze", {"x": x, "A": ints(1)}, 13)
    yield one("Unsqueeze/13-negative", "Unsqueeze", {"x": x, "A": ints(-1, 0)}, 13)
    for version, attributes in (
        (13, {}),
        (15, {}),
        (15, {"start": 1}),
        (15, {"start": -2, "end": -1}),
        (15, {"end": 9}),
    ):
        name = "-".join(map(str, (version, *attributes.values())))
        yield one(f"Shape/{name}", "Shape", {"x": quarters(rng, (2, 3, 4))}, version, attributes, out=np.int64)


def clips(rng):
    for dtype in FLOATS:
        x, low, high = quarters(rng, (2, 5), dtype), dtype(-0.5), dtype(1.25)
        yield one(f"Clip/{dtype.__name__}", "Clip", {"x": x, "A": low, "B": high}, 13)
        yield one(f"Clip/min-{dtype.__name__}", "Clip", {"x": x, "A": low}, 13)
        yield one(f"Clip/max-{dtype.__name__}", "Clip", {"x": x, "_": low, "B": high}, 13)
        yield one(f"Clip/neither-{dtype.__name__}", "Clip", {"x": x}, 13)
        yield one(f"Clip/not_constant-{dtype.__name__}", "Clip", {"x": x, "y": low, "z": high}, 13)
    x = quarters(rng, (2, 5))
    yield one("Clip/6", "Clip", {"x": x}, 6, {"min": -0.5, "max": 1.25})
    yield one("Clip/6-max", "Clip", {"x": x}, 6, {"max": 0.25})


def remainders(rng):
    for dtype in INTS:
        a, b = np.array([7, -7, 7, -7, 6, -6, 0], dtype), np.array([3, 3, -3, -3, 3, -3, 5], dtype)
        yield one(f"Mod/{dtype.__name__}", "Mod", {"x": a, "y": b}, 13, dims={"x": ["n"], "y": ["n"]})
        yield one(f"Mod/constant-{dtype.__name__}", "Mod", {"x": a, "B": np.array([4], dtype)}, 13)
        yield one(f"Mod/fmod-{dtype.__name__}", "Mod", {"x": a, "B": np.array([4], dtype)}, 13, {"fmod": 1})
    for dtype in FLOATS:
        x = quarters(rng, (6,), dtype)
        yield one(f"Mod/fmod-{dtype.__name__}", "Mod", {"x": x, "B": dtype(0.75)}, 13, {"fmod": 1})


def reductions(rng):
    for op_type in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1"):
        x = quarters(rng, (3, 4, 2))
        for keep_dims, axes in itertools.product((0, 1), ([1], [-1, 0], None)):
            name = f"{op_type}/{keep_dims}-{axes}"
            attributes = {"keepdims": keep_dims}
            as_attribute = attributes | ({"axes": axes} if axes else {})
            yield one(f"{name}-11", op_type, {"x": x}, 11, as_attribute)
            inputs = {"x": x} | ({"A": ints(*axes)} if axes else {})
            yield one(f"{name}-18", op_type, inputs, 18, attributes)
        yield one(f"{op_type}/noop", op_type, {"x": x}, 18, {"noop_with_empty_axes": 1})
        yield one(f"{op_type}/double", op_type, {"x": x.astype(np.float64), "A": ints(2)}, 18)
        if op_type != "ReduceMean":
            yield one(f"{op_type}/int64", op_type, {"x": quarters(rng, (3, 2), np.int64), "A": ints(0)}, 18)
    x = quarters(rng, (3, 4))
    yield one("ReduceSum/13", "ReduceSum", {"x": x, "A": ints(1)}, 13, {"keepdims": 0})
    yield one("ReduceMean/13", "ReduceMean", {"x": x}, 13, {"keepdims": 0, "axes": [-1]})
    for op_type, last, axis in itertools.product(("ArgMax", "ArgMin"), (0, 1), (0, -1)):
        attributes = {"axis": axis, "select_last_index": last, "keepdims": last}
        yield one(f"{op_type}/{last}-{axis}", op_type, {"x": x}, 13, attributes, out=np.int64)


def einsums(rng):
    for dtype in FLOATS:
        a, b = quarters(rng, (3, 4), dtype), quarters(rng, (4, 2), dtype)
        stack = quarters(rng, (2, 3, 4), dtype)
        for equation, inputs, dims in (
            ("ij,jk->ik", {"x": a, "B": b}, {"x": ["n", 4]}),
            ("ij,jk->ki", {"x": a, "y": b}, {"x": ["n", 4], "y": [4, 2]}),
            ("ij->j", {"x": a}, None),
            ("ij,ij->i", {"x": a, "A": a}, {"x": ["n", 4]}),
            ("...ij, jk -> ...ik", {"x": stack, "B": b}, {"x": [2, "n", 4]}),
        ):
            yield one(f"Einsum/{equation}-{dtype.__name__}", "Einsum", inputs, 12, {"equation": equation}, dims=dims)


def functions(rng):
    x = np.array([[0, 0, 0], [3, -4, 0], [1, 2, 2]], np.float32)
    for dtype, p in itertools.product(FLOATS, (1, 2)):
        yield one(f"LpNormalization/{p}-{dtype.__name__}", "LpNormalization", {"x": x.astype(dtype)}, 13, {"p": p})
    yield one("LpNormalization/axis", "LpNormalization", {"x": x}, 13, {"axis": 0})
    for op_type, version in itertools.product(("Softmax", "LogSoftmax"), (11, 13)):
        yield one(f"{op_type}/{version}", op_type, {"x": quarters(rng, (2, 2, 3))}, version, dims={"x": ["n", 2, 3]})
        yield one(f"{op_type}/{version}-axis", op_type, {"x": x}, version, {"axis": 0}, dims={"x": [3, 3]})
    for op_type, attributes in (
        ("Elu", {"alpha": 0.5}),
        ("HardSigmoid", {"alpha": 0.25, "beta": 0.5}),
        ("LeakyRelu", {"alpha": 0.25}),
        ("Relu", {}),
        ("Selu", {}),
        ("Softplus", {}),
        ("Softsign", {}),
        ("ThresholdedRelu", {"alpha": 0.5}),
    ):
        yield one(f"{op_type}/activation", op_type, {"x": quarters(rng, (2, 4))}, 13, attributes)
    for exclusive, reverse in itertools.product((0, 1), (0, 1)):
        attributes = {"exclusive": exclusive, "reverse": reverse}
        yield one(f"CumSum/{exclusive}{reverse}", "CumSum", {"x": x, "A": np.int64(1)}, 14, attributes)


def places(rng):
    x = quarters(rng, (3, 3))
    dims = {"x": [3, 3]}
    yield one("EyeLike/k", "EyeLike", {"x": x}, 13, {"k": 1, "dtype": TYPES["f64"][0]}, out=np.float64, dims=dims)
    yield one("Gather/axis", "Gather", {"x": x, "I": ints(2, 0)}, 13, {"axis": 1}, dims={"x": ["n", 3]})
    yield one(
        "GatherElements/axis", "GatherElements", {"x": x, "I": ints(2, 0, 1)[:, None]}, 13, {"axis": 1}, dims=dims
    )
    inputs = {"x": x, "I": np.array([[1, 0, 2]], np.int64), "U": quarters(rng, (1, 3))}
    yield one("ScatterElements/axis", "ScatterElements", inputs, 16, {"axis": 0}, dims=dims)
    yield one("ScatterElements/add", "ScatterElements", inputs, 16, {"axis": 0, "reduction": "add"}, dims=dims)
    inputs = {"x": x, "I": np.array([[1], [0]], np.int64), "U": quarters(rng, (2, 3))}
    yield one("ScatterND/rows", "ScatterND", inputs, 16, dims=dims)
    inputs = {"x": x, "I": np.array([[0, 2], [1, 1]], np.int64)}
    yield one("GatherND/elements", "GatherND", inputs, 13, dims=dims)
    for dtype in (np.float32, *INTS, np.bool_):
        y = quarters(rng, (2, 3)).astype(dtype)
        yield one(f"NonZero/{dtype.__name__}", "NonZero", {"x": y}, 13, out=np.int64)
    yield one("Transpose/perm", "Transpose", {"x": quarters(rng, (2, 3, 4))}, 13, {"perm": [2, 0, 1]})
    yield one("Tile/rows", "Tile", {"x": x, "R": ints(2, 1)}, 13, dims=dims)
    yield one("Expand/rows", "Expand", {"x": x[:1], "S": ints(2, 3)}, 13, dims={"x": [1, 3]})
    yield one("Reshape/zero", "Reshape", {"x": quarters(rng, (2, 6)), "S": ints(0, 3, -1)}, 13, dims={"x": ["n", 6]})


def constants(rng):
    for name, value in {
        "value_int": 3,
        "value_ints": [1, 2],
        "value_float": 0.5,
        "value_floats": [0.5, 0.25],
        "value": numpy_helper.from_array(quarters(rng, (2, 2))),
        "value_string": "a",
        "value_strings": ["a", "é"],
    }.items():
        node = helper.make_node("Constant", [], ["Y"], **{name: value})
        kind = "string" if "string" in name else "i64" if "int" in name else "f32"
        output = helper.make_tensor_value_info("Y", TYPES[kind][0], None)
        x = helper.make_tensor_value_info("x", TYPES["f32"][0], ["n"])
        graph = helper.make_graph(
            [node, helper.make_node("Identity", ["x"], ["X"])],
            "lowering",
            [x],
            [output, helper.make_tensor_value_info("X", TYPES["f32"][0], ["n"])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        yield case(f"Constant/{name}", model.SerializeToString(deterministic=True), {"x": np.zeros(1, np.float32)})


def widths(rows):
    """Dimensions of an input `x` that a graph may know: none, all but the number of rows, all."""
    return {"free": None, "rows": {"x": ["n", *rows.shape[1:]]}, "fixed": {"x": list(rows.shape)}}


def special(dtype, *values):
    """Zeros, subnormal and largest numbers of a type, what is no number, and `values`, in rows of five."""
    limits = np.finfo(dtype)
    ends = (limits.smallest_subnormal, limits.tiny, limits.max, np.inf)
    numbers = [0.0, -0.0, *ends, *(-end for end in ends), np.nan, *values]
    numbers += [0.25] * (-len(numbers) % 5)
    return np.array(numbers, dtype).reshape(-1, 5)


def roundings(rng):
    halves = (0.5, -0.5, 1.0, -1.0, 1.5, -2.5, 3.75, -3.25)
    near = {
        np.float32: (0.49999997, -0.49999997, 0.99999994, 8388607.5, -8388607.5, 16777217.0),
        np.float64: (0.49999999999999994, 0.999999999999, 4503599627370495.5, -4503599627370495.5, 2.0**53),
    }
    for op_type, dtype in itertools.product(("Ceil", "Floor"), FLOATS):
        x = special(dtype, *halves, *near[dtype])
        for (known, dims), version in itertools.product(widths(x).items(), (6, 13)):
            yield one(f"{op_type}/{dtype.__name__}-{known}-{version}", op_type, {"x": x}, version, dims=dims)
        yield one(f"{op_type}/{dtype.__name__}-scalar", op_type, {"x": dtype(-1.5)}, 13)
        yield one(f"{op_type}/{dtype.__name__}-empty", op_type, {"x": x[:0]}, 13, dims={"x": ["n", 5]})
    for op_type in ("Ceil", "Floor"):
        x = special(np.float16, *halves, 0.4998, 1023.5, -1023.5).astype(np.float32)
        yield one(f"{op_type}/float16", op_type, {"x": x}, 13, half=True)
        yield one(f"{op_type}/int64", op_type, {"x": ints(1, 2)}, 13)


def angles(rng):
    turns = [part * np.pi for part in (1 / 6, 1 / 4, 1 / 2, 3 / 4, 1, 3 / 2, 2, 25)]
    values = {
        "Cos": (*turns, *(-turn for turn in turns), 1.0, 2.5, 100.0, -1e4),
        "Sin": (*turns, *(-turn for turn in turns), 1.0, 2.5, 100.0, -1e4),
        "Tanh": (1e-5, -1e-5, 0.5, -0.5, 1.0, -1.0, 3.0, -5.0, 9.0, -9.0, 10.0, 19.0, -20.0, 100.0),
    }
    for (op_type, numbers), dtype in itertools.product(values.items(), FLOATS):
        x = special(dtype, *numbers)
        versions = (6, 13) if op_type == "Tanh" else (7, 22)
        for (known, dims), version in itertools.product(widths(x).items(), versions):
            yield one(f"{op_type}/{dtype.__name__}-{known}-{version}", op_type, {"x": x}, version, dims=dims)
        yield one(f"{op_type}/{dtype.__name__}-scalar", op_type, {"x": dtype(0.75)}, 13)
        yield one(f"{op_type}/{dtype.__name__}-empty", op_type, {"x": x[:0]}, 13, dims={"x": ["n", 5]})
    for op_type, numbers in values.items():
        # onnxruntime computes these in float and leaves out the rounding to float16.
        x = np.array(numbers, np.float16).astype(np.float32)
        yield one(f"{op_type}/float16", op_type, {"x": x}, 13, half=True, record=reference_case)
        yield one(f"{op_type}/int64", op_type, {"x": ints(1, 2)}, 13)


def scaled_tanh(rng):
    """ScaledTanh is in no version of ai.onnx any more; onnxruntime keeps it, of float, up to version 9."""

    def defined(name, model, feeds):
        """Of double onnxruntime has none: alpha * tanh(beta * x), as the operator's definition is."""
        node = onnx.load_from_string(model).graph.node[0]
        scales = {attribute.name: attribute.f for attribute in node.attribute}
        (x,) = feeds.values()
        with np.errstate(invalid="ignore"):
            return answered_case(name, model, feeds, [scales["alpha"] * np.tanh(scales["beta"] * x)])

    numbers = (1e-5, -1e-5, 0.5, -0.5, 1.0, -1.0, 3.0, -5.0, 9.0, 100.0)
    scales = {"unit": (1.0, 1.0), "usual": (1.7159, 0.6667), "negative": (-2.0, 0.5), "flat": (0.5, 0.0)}
    for (name, (alpha, beta)), dtype in itertools.product(scales.items(), FLOATS):
        x = special(dtype, *numbers)
        attributes = {"alpha": alpha, "beta": beta}
        record = case if dtype == np.float32 else defined
        for known, dims in widths(x).items():
            name_of = f"ScaledTanh/{name}-{dtype.__name__}-{known}"
            yield one(name_of, "ScaledTanh", {"x": x}, 1, attributes, dims=dims, record=record)
        empty = {"x": x[:0]}
        yield one(f"ScaledTanh/{name}-{dtype.__name__}-empty", "ScaledTanh", empty, 1, attributes, record=record)
        scalar = {"x": dtype(0.75)}
        yield one(f"ScaledTanh/{name}-{dtype.__name__}-scalar", "ScaledTanh", scalar, 1, attributes, record=record)
    for version in (6, 9):
        attributes = {"alpha": 1.5, "beta": 0.5}
        yield one(f"ScaledTanh/{version}", "ScaledTanh", {"x": quarters(rng, (2, 3))}, version, attributes)
    yield one("ScaledTanh/no_attributes", "ScaledTanh", {"x": quarters(rng, (2, 3))}, 1)


def logic(rng):
    shapes = {
        "same": ((3, 4), (3, 4)),
        "row": ((3, 4), (4,)),
        "column": ((3, 4), (3, 1)),
        "outer": ((3, 1), (1, 4)),
        "higher": ((2,), (3, 1, 2)),
        "scalar": ((3, 4), ()),
        "scalars": ((), ()),
        "no_rows": ((0, 4), (4,)),
        "no_columns": ((3, 0), (1, 1)),
    }
    for op_type, (name, (a, b)) in itertools.product(("And", "Or", "Xor"), shapes.items()):
        x, y = (np.array(rng.integers(0, 2, shape), np.bool_) for shape in (a, b))
        yield one(f"{op_type}/{name}-given", op_type, {"x": x, "y": y}, 7)
        for known, dims in widths(x).items() if a else ():
            yield one(f"{op_type}/{name}-constant-{known}", op_type, {"x": x, "B": y}, 13, dims=dims)
        yield one(f"{op_type}/{name}-fixed", op_type, {"x": x, "y": y}, 7, dims={"x": list(a), "y": list(b)})
    table = np.array([[False, False], [False, True], [True, False], [True, True]])
    for op_type in ("And", "Or", "Xor"):
        inputs = {"x": table[:, :1], "y": table[:, 1:]}
        yield one(f"{op_type}/table", op_type, inputs, 7, dims={"x": ["n", 1], "y": ["n", 1]})
        yield one(f"{op_type}/itself", op_type, {"x": table, "B": ~table}, 7, dims={"x": ["n", 2]})
        yield one(f"{op_type}/wrong_shape", op_type, {"x": table, "y": table[0, :1].repeat(3)}, 7)
        yield one(f"{op_type}/numbers", op_type, {"x": ints(0, 1), "y": ints(1, 1)}, 7, out=np.bool_)


def of_several(rng):
    def mean(name, model, feeds):
        """Of double onnxruntime has none, and the reference evaluator broadcasts none: the sum, divided."""
        graph = onnx.load_from_string(model).graph
        tensors = feeds | {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
        with np.errstate(invalid="ignore"):
            return answered_case(name, model, feeds, [sum(tensors.values()) / len(tensors)])

    shapes = {
        "one": ((3, 4),),
        "same": ((3, 4), (3, 4)),
        "three": ((3, 4), (1, 4), (4,)),
        "outer": ((3, 1), (1, 4)),
        "higher": ((4,), (2, 3, 1)),
        "scalar": ((3, 4), ()),
        "scalars": ((), (), ()),
        "no_rows": ((0, 4), (4,)),
        "no_columns": ((3, 0), (1, 1)),
    }
    for (name, dims), op_type, dtype in itertools.product(shapes.items(), ("Mean", "Min"), (*FLOATS, *INTS)):
        if op_type == "Mean" and dtype in INTS:
            continue
        record = mean if op_type == "Mean" and dtype == np.float64 else case
        arrays = [np.asarray(quarters(rng, shape, dtype)) for shape in dims]
        name = f"{op_type}/{name}-{dtype.__name__}"
        inputs = dict(zip("xyz", arrays, strict=False))
        yield one(f"{name}-given", op_type, inputs, 13, record=record)
        yield one(
            f"{name}-fixed", op_type, inputs, 13, dims=dict(zip("xyz", map(list, dims), strict=False)), record=record
        )
        if dims[0] and len(dims) > 1:
            inputs = dict(zip("xBC", arrays, strict=False))
            known = {"x": ["n", *dims[0][1:]]}
            yield one(f"{name}-rows", op_type, inputs, 13, dims=known, record=record)
    for op_type, version in itertools.product(("Mean", "Min"), (6, 8)):
        x, y = quarters(rng, (2, 3)), quarters(rng, (2, 3))
        yield one(f"{op_type}/{version}", op_type, {"x": x, "y": y}, version, dims={"x": ["n", 3], "y": ["n", 3]})
    numbers = np.array([0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 1e-40, -1e-40])
    left, right = (grid.ravel() for grid in np.meshgrid(numbers, numbers))
    for op_type, dtype in itertools.product(("Mean", "Min"), FLOATS):
        record = mean if op_type == "Mean" and dtype == np.float64 else case
        inputs = {"x": left.astype(dtype)[:, None], "y": right.astype(dtype)[:, None]}
        for known, dims in (("free", None), ("rows", {"x": ["n", 1], "y": ["n", 1]})):
            yield one(f"{op_type}/special-{dtype.__name__}-{known}", op_type, inputs, 13, dims=dims, record=record)
    large = {"x": np.array([[3e38, -3e38]], np.float32), "B": np.array([[3e38, -3e38]], np.float32)}
    for known, dims in widths(large["x"]).items():
        yield one(f"Mean/overflow-{known}", "Mean", large, 13, dims=dims)
    for dtype in INTS:
        limits = np.iinfo(dtype)
        inputs = {"x": np.array([limits.min, limits.max, -1, 0], dtype), "y": np.array([0, -1, limits.min, 5], dtype)}
        yield one(f"Min/ends-{dtype.__name__}", "Min", inputs, 12)
    for op_type in ("Mean", "Min"):
        inputs = {"x": quarters(rng, (3, 4)), "y": quarters(rng, (4,)), "z": quarters(rng, (3, 1))}
        if op_type == "Mean":
            inputs.pop("z")
        yield one(f"{op_type}/float16", op_type, inputs, 13, half=True)
        yield one(f"{op_type}/wrong_shape", op_type, {"x": inputs["x"], "y": inputs["y"][:3]}, 13)
        yield one(f"{op_type}/types", op_type, {"x": inputs["x"], "y": inputs["y"].astype(np.float64)}, 13)


def comparisons(rng):
    numbers = np.array([0.0, -0.0, 1.5, -2.5, np.inf, -np.inf, np.nan, 1e-40])
    left, right = (grid.reshape(-1, 4) for grid in np.meshgrid(numbers, numbers))
    versions = {
        "Equal": (7, 13),
        "Greater": (9, 13),
        "Less": (9, 13),
        "GreaterOrEqual": (12, 16),
        "LessOrEqual": (12, 16),
    }
    for (op_type, since), dtype in itertools.product(versions.items(), (*FLOATS, *INTS)):
        x = left if dtype in FLOATS else rng.integers(-2, 3, (6, 4))
        y = right if dtype in FLOATS else rng.integers(-2, 3, (6, 4))
        x, y = x.astype(dtype), y.astype(dtype)
        version = since[1]
        for known, dims in widths(x).items():
            both = dims and {"x": dims["x"], "y": dims["x"]}
            inputs = {"x": x, "y": y}
            yield one(f"{op_type}/{dtype.__name__}-{known}", op_type, inputs, version, out=np.bool_, dims=both)
        row = {"x": x, "B": y[1]}
        yield one(f"{op_type}/{dtype.__name__}-row", op_type, row, version, out=np.bool_, dims={"x": ["n", 4]})
        scalars = {"x": dtype(2), "y": dtype(2)}
        yield one(f"{op_type}/{dtype.__name__}-scalars", op_type, scalars, version, out=np.bool_)
        empty = {"x": x[:0], "B": y[:1]}
        yield one(f"{op_type}/{dtype.__name__}-no_rows", op_type, empty, version, out=np.bool_, dims={"x": ["n", 4]})
    for op_type, since in versions.items():
        x, y = quarters(rng, (3, 4)), quarters(rng, (3, 1))
        dtype = np.int64 if op_type == "Equal" else np.float32
        inputs = {"x": (4 * x).astype(dtype), "y": (4 * y).astype(dtype)}
        yield one(f"{op_type}/{since[0]}", op_type, inputs, since[0], out=np.bool_)
        yield one(f"{op_type}/wrong_shape", op_type, {"x": x, "y": y[:2]}, since[1], out=np.bool_)
        yield one(f"{op_type}/types", op_type, {"x": x, "y": y.astype(np.float64)}, since[1], out=np.bool_)
    truths = {"x": np.array([[True, False]]), "y": np.array([[True], [False]])}
    yield one("Equal/bool", "Equal", truths, 13, out=np.bool_)
    ends = {"x": ints(2**63 - 1, -(2**63), 2**53 + 1), "y": ints(2**63 - 2, -(2**63) + 1, 2**53)}
    for op_type, (_, version) in versions.items():
        yield one(f"{op_type}/ends", op_type, ends, version, out=np.bool_, dims={"x": [3], "y": [3]})


if __name__ == "__main__":
    families = (
        slices,
        splits,
        dimensions,
        clips,
        remainders,
        reductions,
        einsums,
        functions,
        places,
        constants,
        pads,
        batch_normalizations,
        roundings,
        angles,
        scaled_tanh,
        logic,
        of_several,
        comparisons,
    )
    recording.write(
        Path(__file__).with_name("cases.json"),
        [entry for seed, family in enumerate(families) for entry in family(np.random.default_rng(seed))],
    )
