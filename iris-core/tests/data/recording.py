"""What the makers of recorded cases share: how a case is spelled, and what onnxruntime makes of it."""

import base64
import json
import locale
import math
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from onnxruntime.capi import onnxruntime_pybind11_state as state

onnxruntime.set_default_logger_severity(4)

NUMERIC = {
    "f32": (TensorProto.FLOAT, np.float32),
    "f64": (TensorProto.DOUBLE, np.float64),
    "i32": (TensorProto.INT32, np.int32),
    "i64": (TensorProto.INT64, np.int64),
}
LOCALE = "en_US.UTF-8"
# Of LogisticRegression: where lbfgs, its default, stops short of the optimum depends on how a processor rounds.
TO_THE_OPTIMUM = {"solver": "newton-cholesky", "tol": 1e-10}
ADDRESS = re.compile(r"(?<=_)\d{12,}(?=_)")
TYPES = NUMERIC | {"bool": (TensorProto.BOOL, np.bool_), "string": (TensorProto.STRING, np.object_)}
REFUSALS = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.NotImplemented, state.RuntimeException)


def spell(value):
    """JSON has no NaN and no infinities: they are these strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def tensor(name, array):
    if isinstance(array, dict):
        return map_of(name, array, np.float32)
    dtype = next((name for name, (_, dtype) in TYPES.items() if array.dtype == dtype), "string")
    data = [spell(value) for value in array.ravel().tolist()]
    return {"name": name, "dtype": dtype, "shape": list(array.shape), "data": data}


def map_of(name, pairs, dtype):
    """A map, whose values are of type `dtype`."""
    strings = any(isinstance(key, str) for key in pairs)
    keys = np.array(list(pairs), np.object_ if strings else np.int64)
    return tensor(name, np.array(list(pairs.values()), dtype)) | {"keys": tensor("keys", keys)}


def serialized(model):
    """The bytes of a model that a converter made, the same in every run: skl2onnx writes operator sets in the order of a
    set of strings, which Python's hash seed changes, and puts addresses of objects into names."""
    for holder in (model, *model.functions):
        holder.opset_import.sort(key=lambda opset: opset.domain)
    count_addresses(model.graph, {})
    return model.SerializeToString(deterministic=True)


def count_addresses(graph, known):
    """Puts numbers that count from 0 in the place of the addresses in a graph's names."""

    def counted(name):
        return ADDRESS.sub(lambda address: str(known.setdefault(address[0], len(known))), name)

    for node in graph.node:
        node.input[:], node.output[:] = map(counted, node.input), map(counted, node.output)
        for attribute in node.attribute:
            count_addresses(attribute.g, known)
    for named in (*graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        # An empty name is not the same bytes as none.
        if counted(named.name) != named.name:
            named.name = counted(named.name)


def case(name, model, feeds, unset=()):
    """What onnxruntime makes of it; elements of columns `unset` of the last output are memory it never wrote."""
    entry = {
        "name": name,
        "model": base64.b64encode(model).decode(),
        "feeds": [tensor(name, array) for name, array in feeds.items()],
    }
    try:
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        values = session.run(None, feeds)
    except REFUSALS as error:
        return entry | {"error": str(error)}
    outputs = [tensor(output.name, value) for output, value in zip(session.get_outputs(), values, strict=True)]
    if unset:
        last = outputs[-1]
        for index in range(len(last["data"])):
            if index % last["shape"][1] in unset:
                last["data"][index] = None
    return entry | {"outputs": outputs}


def reference_case(name, model, feeds):
    """The same for what onnxruntime has no kernel for: ONNX's reference evaluator answers, in the declared types."""
    return answered_case(name, model, feeds, ReferenceEvaluator(model).run(None, feeds))


def answered_case(name, model, feeds, values):
    """A case whose answers are `values`, in the declared types of the outputs."""
    outputs = [
        tensor(
            output.name, np.asarray(value).astype(helper.tensor_dtype_to_np_dtype(output.type.tensor_type.elem_type))
        )
        for output, value in zip(onnx.load_from_string(model).graph.output, values, strict=True)
    ]
    return {
        "name": name,
        "model": base64.b64encode(model).decode(),
        "feeds": [tensor(name, array) for name, array in feeds.items()],
        "outputs": outputs,
    }


def has_locale():
    """Whether this process may take the locale that onnxruntime's StringNormalizer does unless the model names one."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, LOCALE)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_ALL, before)
    return True


def spelled(cases):
    """The text of a file of cases, every member of one on a line."""
    lines = [
        "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in entry.items())
        for entry in cases
    ]
    return "[\n" + "\n},\n".join(lines) + "\n}\n]\n"


def write(path, cases):
    """Writes the cases to `path`, or to the file that the command line names, and says how many there are."""
    cases = list(cases)
    names = [entry["name"] for entry in cases]
    assert len(set(names)) == len(names), "names repeat"
    text = spelled(cases)
    Path(sys.argv[1] if sys.argv[1:] else path).write_text(text)
    failed = sum("error" in entry for entry in cases)
    print(f"{len(cases)} cases, {failed} of them errors, {len(text)} bytes")
