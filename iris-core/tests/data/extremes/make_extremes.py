"""Writes cases.json: indices, axes, lengths and counts at the ends of their types, and what onnxruntime answers. See README.md."""

import base64
import itertools
import multiprocessing
import queue
import resource
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import TYPES, case

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
FAR = (
    2**31 - 1, 2**31, 2**31 + 1, 2**32, 2**32 + 1, 2**62, 2**62 + 1, LARGEST,
    -(2**31), -(2**31) - 1, -(2**32), -(2**32) + 1, -(2**62), SMALLEST, SMALLEST + 1,
)  # fmt: skip
X = np.arange(12, dtype=np.float32).reshape(4, 3)
TEXTS = np.array([["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"], ["j", "k", "l"]], np.object_)
# An answer of more than this is refused on both sides, and so is what takes longer to make.
MOST_BYTES = 4 << 30
SECONDS = 20


def ints(*values):
    return np.array(values, np.int64)


def near(dim):
    """Around both ends of a dimension."""
    return (0, 1, dim - 1, dim, dim + 1, -1, -dim, -dim - 1)


def one(name, op_type, inputs, version=18, attributes=None, n_outputs=1, out=None, domain=""):
    """A node whose inputs are arrays by name: those in upper case are constants."""
    feeds = {key: np.asarray(array) for key, array in inputs.items() if key.islower()}
    code = {key: next(kind for kind, known in TYPES.values() if known == array.dtype) for key, array in inputs.items()}
    outputs = [f"Y{index}" for index in range(n_outputs)]
    node = helper.make_node(op_type, list(inputs), outputs, domain=domain, **(attributes or {}))
    out = out or next(iter(code.values()))
    infos = [
        helper.make_tensor_value_info(key, code[key], [f"{key}{axis}" for axis in range(array.ndim)])
        for key, array in feeds.items()
    ]
    graph = helper.make_graph(
        [node],
        "extremes",
        infos,
        [helper.make_tensor_value_info(output, out, None) for output in outputs],
        [numpy_helper.from_array(np.asarray(array), key) for key, array in inputs.items() if key.isupper()],
    )
    opsets = [helper.make_opsetid("", version), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return name, model.SerializeToString(deterministic=True), feeds


def either(name, op_type, data, others, **options):
    """A node some of whose inputs are constants, and the same node that is given them."""
    constants = {key.upper(): array for key, array in others.items()}
    yield one(f"{name}-constant", op_type, data | constants, **options)
    yield one(f"{name}-given", op_type, data | others, **options)


def top_k(name, inputs, axis=-1):
    """The values and indices, which are of two types."""
    name, model, feeds = one(name, "TopK", inputs, attributes={"axis": axis}, n_outputs=2)
    model = onnx.load_from_string(model)
    model.graph.output[1].type.tensor_type.elem_type = onnx.TensorProto.INT64
    return name, model.SerializeToString(deterministic=True), feeds


def indices():
    for index in sorted({*near(4), *FAR}):
        for kind, data in (("float", X), ("string", TEXTS)):
            yield from either(f"Gather/{kind}/{index}", "Gather", {"x": data}, {"i": ints(index, 1)})
            rows = ints(index, 1, 0).reshape(1, 3)
            yield from either(f"GatherElements/{kind}/{index}", "GatherElements", {"x": data}, {"i": rows})
            pairs = ints(index, 1, 2, -1).reshape(2, 2)
            yield from either(f"GatherND/{kind}/{index}", "GatherND", {"x": data}, {"i": pairs})
            updates = data[:1]
            others = {"i": rows, "u": updates}
            yield from either(f"ScatterElements/{kind}/{index}", "ScatterElements", {"x": data}, others)
            others = {"i": ints(index).reshape(1, 1), "u": updates}
            yield from either(f"ScatterND/{kind}/{index}", "ScatterND", {"x": data}, others)
        others = {"i": ints(index).reshape(1, 1)}
        data = {"x": X.T.copy()}
        yield from either(f"Gather/last/{index}", "Gather", data, others, attributes={"axis": -1})
        yield from either(f"ArrayFeatureExtractor/{index}", "ArrayFeatureExtractor", data, others, domain="ai.onnx.ml")
    yield one("Scatter/inside", "Scatter", {"x": X, "I": ints(3, 1, 0).reshape(1, 3), "U": X[:1]}, version=9)
    yield one("Scatter/outside", "Scatter", {"x": X, "I": ints(2**32).reshape(1, 1), "U": X[:1, :1]}, version=9)
    for reduction in ("add", "mul", "max", "min"):
        others = {"I": ints(0, -1, 0).reshape(3, 1), "U": X[1:]}
        yield one(f"ScatterND/{reduction}", "ScatterND", {"x": X, **others}, attributes={"reduction": reduction})
    yield one(
        "GatherND/batch", "GatherND", {"x": X, "I": ints(0, -1, 1, 2).reshape(4, 1)}, attributes={"batch_dims": 1}
    )


def slices():
    for limit in sorted({*near(4), *FAR}):
        for kind, (start, end) in {"start": (limit, LARGEST), "end": (1, limit), "both": (limit, limit)}.items():
            others = {"s": ints(start), "e": ints(end)}
            yield from either(f"Slice/{kind}/{limit}", "Slice", {"x": X}, others)
            for step, (left, right) in itertools.product((-1, 2), (("S", "E"), ("s", "e"))):
                inputs = {"x": X, left: ints(start), right: ints(end), "A": ints(0), "T": ints(step)}
                yield one(f"Slice/{kind}/{limit}/{step}-{'constant' if left == 'S' else 'given'}", "Slice", inputs)
    for step in sorted({*FAR, 0, -1, 3, 4, 5}):
        for start, end in ((0, LARGEST), (LARGEST, SMALLEST)):
            inputs = {"x": X, "S": ints(start), "E": ints(end), "A": ints(0), "T": ints(step)}
            yield one(f"Slice/step/{step}/{start}", "Slice", inputs)
    for axis in sorted({*near(2), *FAR}):
        inputs = {"x": X, "S": ints(1), "E": ints(2), "A": ints(axis)}
        yield one(f"Slice/axis/{axis}", "Slice", inputs)
    yield one("Slice/fewer_starts", "Slice", {"x": X, "S": ints(1), "E": ints(2, 2)})
    yield one("Slice/fewer_steps", "Slice", {"x": X, "S": ints(1, 1), "E": ints(2, 2), "A": ints(0, 1), "T": ints(1)})
    yield one("Slice/more_axes", "Slice", {"x": X, "S": ints(1), "E": ints(2), "A": ints(0, 1)})


def shapes():
    for size in sorted({*near(12), *FAR, 2, 6}):
        for kind, shape in {"only": [size], "first": [size, -1], "last": [2, size], "twice": [size, size]}.items():
            yield one(f"Reshape/{kind}/{size}", "Reshape", {"x": X, "S": ints(*shape)})
        yield one(f"Expand/first/{size}", "Expand", {"x": X, "S": ints(size, 1, 1)})
        yield one(f"Expand/last/{size}", "Expand", {"x": X[:, :1], "S": ints(4, size)})
        yield one(f"Tile/{size}", "Tile", {"x": X, "R": ints(1, size)})
        yield one(f"ConstantOfShape/{size}", "ConstantOfShape", {"S": ints(2, size)}, out=1)
        yield one(f"ConstantOfShape/given/{size}", "ConstantOfShape", {"s": ints(2, size)}, out=1)
        yield one(f"Pad/begin/{size}", "Pad", {"x": X, "P": ints(0, size, 0, 0)})
        yield one(f"Pad/end/{size}", "Pad", {"x": X, "P": ints(0, 0, size, 0)})
        yield one(
            f"Split/{size}", "Split", {"x": X, "S": ints(size, 4 - size if abs(size) < 2**31 else 1)}, n_outputs=2
        )
        yield top_k(f"TopK/{size}", {"x": X, "K": ints(size)})
        yield top_k(f"TopK/given/{size}", {"x": X, "k": ints(size)})
        yield one(f"EyeLike/{size}", "EyeLike", {"x": X}, attributes={"k": size})
        if abs(size) < 2**62:
            yield one(f"Range/{size}", "Range", {"A": np.array(size), "B": np.array(size + 3), "C": np.array(1)})
        yield one(f"Range/step/{size}", "Range", {"A": np.array(0), "B": np.array(3), "C": np.array(size)})
        yield one(f"Shape/{size}", "Shape", {"x": X}, attributes={"start": size}, out=7)
        yield one(f"Shape/end/{size}", "Shape", {"x": X}, attributes={"end": size}, out=7)


def axes():
    for axis in sorted({*near(2), *FAR}):
        for op in ("ArgMax", "ArgMin", "TopK", "Softmax", "LogSoftmax", "Flatten", "Concat", "Gather", "GatherElements",
                   "Compress", "LpNormalization", "Unique", "Split"):  # fmt: skip
            inputs = {"x": X}
            if op in ("Gather", "GatherElements"):
                inputs["I"] = ints(0, 1, 0).reshape(1, 3)
            elif op == "TopK":
                yield top_k(f"TopK/axis/{axis}", {"x": X, "K": ints(1)}, axis)
                continue
            elif op == "Compress":
                inputs["C"] = np.array([True, False])
            options = {"n_outputs": 2, "attributes": {"axis": axis, "num_outputs": 2}} if op == "Split" else {}
            if op == "Concat":
                inputs["z"] = X
            yield one(f"{op}/axis/{axis}", op, inputs, **({"attributes": {"axis": axis}} | options),
                      out=7 if op.startswith("Arg") else 1)  # fmt: skip
        for op in ("ReduceSum", "ReduceMax", "ReduceMean", "Squeeze", "Unsqueeze"):
            data = X[:, :1] if op == "Squeeze" else X
            yield one(f"{op}/axes/{axis}", op, {"x": data, "A": ints(axis)})
        yield one(f"CumSum/axis/{axis}", "CumSum", {"x": X, "A": np.array(axis)})
        if axis >= 0:
            yield one(f"Transpose/{axis}", "Transpose", {"x": X}, attributes={"perm": [1, axis]})
    reductions = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]
    for op in (f"Reduce{name}" for name in reductions):
        for dtype in (np.float32, np.int64):
            empty = np.zeros((2, 0), dtype)
            out = 1 if dtype == np.float32 else 7
            for axis in (0, 1):
                yield one(f"{op}/empty/{axis}/{out}", op, {"x": empty, "A": ints(axis)}, out=out)
    for op in ("ArgMax", "ArgMin"):
        for shape in ((2, 0), (0, 2)):
            for axis in (0, 1):
                inputs = {"x": np.zeros(shape, np.float32)}
                yield one(f"{op}/empty/{shape[0]}{axis}", op, inputs, attributes={"axis": axis}, out=7)


def nans():
    nan = np.nan
    for at, row in enumerate(([nan, 1, 2], [1, nan, 2], [2, 1, nan], [nan, nan, nan], [nan, np.inf, -np.inf])):
        x = np.array([row], np.float32)
        for op, last, dims in itertools.product(("ArgMax", "ArgMin"), (0, 1), ("free", "fixed")):
            attributes = {"axis": 1, "select_last_index": last}
            yield fixed(one(f"{op}/nan/{at}/{last}/{dims}", op, {"x": x}, attributes=attributes, out=7), x, dims)
        for op, dims in itertools.product(("Sign", "ReduceMax", "ReduceMin"), ("free", "fixed")):
            inputs = {"x": x} if op == "Sign" else {"x": x, "A": ints(1)}
            yield fixed(one(f"{op}/nan/{at}/{dims}", op, inputs), x, dims)
    signs = np.array([[0.0, -0.0, -3.5, np.inf, -np.inf, nan]], np.float32)
    for dims in ("free", "fixed"):
        yield fixed(one(f"Sign/{dims}", "Sign", {"x": signs}), signs, dims)


def fixed(entry, x, dims):
    """Gives the input its width, and its number of rows, too, or leaves the rows open."""
    name, model, feeds = entry
    model = onnx.load_from_string(model)
    shape = model.graph.input[0].type.tensor_type.shape
    for dim, size in zip(shape.dim, x.shape if dims == "fixed" else (None, x.shape[1]), strict=True):
        if size is not None:
            dim.dim_value = size
    return name, model.SerializeToString(deterministic=True), feeds


def answer(entry, answers):
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    made = case(*entry)
    if "error" in made:
        made["error"] = made["error"][:60]
    answers.put(made)


def recorded(entry):
    """The case, from a process of its own: onnxruntime ends some of them, and some it never ends."""
    answers = multiprocessing.Queue()
    child = multiprocessing.Process(target=answer, args=(entry, answers))
    child.start()
    try:
        return answers.get(timeout=SECONDS)
    except queue.Empty:
        name, model, feeds = entry
        given = [recording.tensor(key, array) for key, array in feeds.items()]
        model = base64.b64encode(model).decode()
        return {"name": name, "model": model, "feeds": given, "error": "onnxruntime gives no answer"}
    finally:
        child.terminate()
        child.join()


if __name__ == "__main__":
    entries = itertools.chain(indices(), slices(), shapes(), axes(), nans())
    recording.write(Path(__file__).with_name("cases.json"), map(recorded, entries))
