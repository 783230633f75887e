"""Writes cases.json: RNN nodes, inputs, and what onnxruntime answers. See README.md."""

import itertools
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import TYPES, case, reference_case

# The values of alpha and of beta, where an activation takes them.
ACTIVATIONS = {
    "Affine": ([0.5], [0.25]),
    "Elu": ([0.5], []),
    "HardSigmoid": ([0.25], [0.375]),
    "LeakyRelu": ([0.125], []),
    "Relu": ([], []),
    "ScaledTanh": ([1.5], [0.5]),
    "Sigmoid": ([], []),
    "Softplus": ([], []),
    "Softsign": ([], []),
    "Tanh": ([], []),
    "ThresholdedRelu": ([0.25], []),
}
SEQ_LENGTH, BATCH_SIZE, INPUT_SIZE, HIDDEN_SIZE = 4, 3, 2, 2
NAMES = ("X", "W", "R", "B", "sequence_lens", "initial_h")


def inputs(rng, directions, dtype=np.float32, *, bias=False, lens=None, initial=False, layout=0, batch=BATCH_SIZE):
    """Multiples of 1/8: exact in every float type and short in JSON."""

    def eighths(*shape):
        return (rng.integers(-12, 13, size=shape) / 8).astype(dtype)

    x = eighths(SEQ_LENGTH, batch, INPUT_SIZE)
    h = eighths(directions, batch, HIDDEN_SIZE) if initial else None
    if layout:
        x = x.swapaxes(0, 1)
        h = None if h is None else h.swapaxes(0, 1)
    return {
        "X": x,
        "W": eighths(directions, HIDDEN_SIZE, INPUT_SIZE),
        "R": eighths(directions, HIDDEN_SIZE, HIDDEN_SIZE),
        "B": eighths(directions, 2 * HIDDEN_SIZE) if bias else None,
        "sequence_lens": None if lens is None else np.array(lens, np.int32),
        "initial_h": h,
    }


def one(name, tensors, attributes, version=14, outputs=("Y", "Y_h"), record=case, fixed=True):
    """One node; `X` and `initial_h` are fed, the others are constants unless there are none of `fixed` shape."""
    given = {key: array for key, array in tensors.items() if array is not None}
    feeds = {key: array for key, array in given.items() if key in ("X", "initial_h", "sequence_lens")}
    names = [key if key in given else "" for key in NAMES]
    while not names[-1]:
        names.pop()
    node = helper.make_node("RNN", names, outputs, **attributes)
    kind = next(kind for kind, dtype in TYPES.values() if tensors["X"].dtype == dtype)
    graph = helper.make_graph(
        [node],
        "recurrent",
        [
            helper.make_tensor_value_info(
                key,
                TensorProto.INT32 if key == "sequence_lens" else kind,
                array.shape if fixed else [f"{key}{axis}" for axis in range(array.ndim)],
            )
            for key, array in feeds.items()
        ],
        [helper.make_tensor_value_info(key, kind, None) for key in outputs if key],
        [numpy_helper.from_array(array, key) for key, array in given.items() if key not in feeds],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)
    return record(name, model.SerializeToString(deterministic=True), feeds)


def activated(names):
    alphas, betas = ([value for name in names for value in ACTIVATIONS[name][index]] for index in (0, 1))
    attributes = {"hidden_size": HIDDEN_SIZE, "activations": names}
    return attributes | ({"activation_alpha": alphas} if alphas else {}) | ({"activation_beta": betas} if betas else {})


def activations(rng):
    for name in ACTIVATIONS:
        yield one(f"RNN/{name}", inputs(rng, 1, bias=True), activated([name]))
    for name in ("Elu", "HardSigmoid", "LeakyRelu"):
        attributes = {"hidden_size": HIDDEN_SIZE, "activations": [name]}
        yield one(f"RNN/{name}-defaults", inputs(rng, 1, bias=True), attributes)
    for names in itertools.product(("Affine", "Tanh", "LeakyRelu"), ("Relu", "ScaledTanh", "ThresholdedRelu")):
        attributes = activated(list(names)) | {"direction": "bidirectional"}
        yield one(f"RNN/{'-'.join(names)}", inputs(rng, 2, bias=True, initial=True), attributes)


def shapes(rng):
    for direction, bias, initial, lens in itertools.product(
        ("forward", "reverse", "bidirectional"), (0, 1), (0, 1), (None, [4, 1, 3])
    ):
        tensors = inputs(rng, 1 + (direction == "bidirectional"), bias=bias, initial=initial, lens=lens)
        name = f"RNN/{direction}-{bias}{initial}-{lens}"
        yield one(name, tensors, {"hidden_size": HIDDEN_SIZE, "direction": direction})
    for version, fixed in itertools.product((7, 14, 22), (False, True)):
        tensors = inputs(rng, 1, bias=True, initial=True)
        yield one(f"RNN/{version}-{fixed}", tensors, {"hidden_size": HIDDEN_SIZE}, version, fixed=fixed)
    for clip in (0.0, 0.5, 100.0):
        tensors = inputs(rng, 1, bias=True)
        yield one(f"RNN/clip-{clip}", tensors, {"hidden_size": HIDDEN_SIZE, "clip": clip})
    for outputs in (("Y",), ("", "Y_h")):
        yield one(f"RNN/outputs-{outputs}", inputs(rng, 1), {"hidden_size": HIDDEN_SIZE}, outputs=outputs)
    for layout, dtype in itertools.product((0, 1), (np.float32, np.float64)):
        # Of several directions the reference evaluator makes something else.
        tensors = inputs(rng, 1, dtype, bias=True, initial=True, layout=layout)
        attributes = {"hidden_size": HIDDEN_SIZE, "layout": layout}
        yield one(f"RNN/layout-{layout}-{dtype.__name__}", tensors, attributes, record=reference_case)
    yield one("RNN/no_sequences", inputs(rng, 1, batch=0), {"hidden_size": HIDDEN_SIZE}, fixed=False)


def errors(rng):
    size = {"hidden_size": HIDDEN_SIZE}
    both = size | {"direction": "bidirectional"}
    yield one("RNN/unknown_activation", inputs(rng, 2), both | {"activations": ["f", "g"]})
    yield one("RNN/unknown_direction", inputs(rng, 1), size | {"direction": "backward"})
    yield one("RNN/too_few_activations", inputs(rng, 2), both | {"activations": ["Tanh"]})
    yield one("RNN/too_few_directions", inputs(rng, 1), both)
    yield one("RNN/too_long", inputs(rng, 1, lens=[4, 5, 1]), size)
    yield one("RNN/negative_length", inputs(rng, 1, lens=[4, -1, 1]), size)
    yield one("RNN/hidden_size", inputs(rng, 1), {"hidden_size": 3})
    yield one("RNN/wrong_bias", inputs(rng, 1) | {"B": np.zeros((1, 3), np.float32)}, size)
    yield one("RNN/wrong_weights-unknown", inputs(rng, 1) | {"W": np.zeros((1, 2, 3), np.float32)}, size, fixed=False)
    yield one("RNN/unknown_attribute", inputs(rng, 1), size | {"alpha": 1.0})


if __name__ == "__main__":
    recording.write(
        Path(__file__).with_name("cases.json"),
        [
            entry
            for seed, family in enumerate((activations, shapes, errors))
            for entry in family(np.random.default_rng(seed))
        ],
    )
