"""What the tests share: the repository's models, random rows, and models made on the spot."""

import os
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "models"
ROW = [5.9, 3.0, 5.1, 2.3]


def binary(variable, default, build):
    """A program that another crate builds."""
    path = Path(os.environ.get(variable) or ROOT / default)
    if not path.is_file():
        pytest.fail(f"{path} is not there: build it with `{build}`, or name another in {variable}", pytrace=False)
    return path


def random_rows(n, seed=0):
    """Random flowers, float32 [n, 4]."""
    low, high = [4.0, 1.5, 0.5, 0.0], [8.5, 5.0, 7.5, 3.0]
    return np.random.default_rng(seed).uniform(low, high, size=(n, 4)).astype(np.float32)


def export(classifier, **options):
    """The bytes of a classifier of 4 float features, ZipMap off unless asked for."""
    model = to_onnx(
        classifier,
        initial_types=[("X", FloatTensorType([None, 4]))],
        target_opset={"": 9, "ai.onnx.ml": 1},
        options={"zipmap": False} | options,
    )
    return model.SerializeToString()


def graph(nodes, inputs, outputs, ml=1, **fields):
    """The bytes of a model made of `nodes`; inputs and outputs are (name, element type, shape). `ml` is a version."""
    infos = [[helper.make_tensor_value_info(*info) for info in side] for side in (inputs, outputs)]
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", ml)]
    model = helper.make_model(helper.make_graph(nodes, "test", *infos), opset_imports=opsets, ir_version=8, **fields)
    return model.SerializeToString()


def identity(element=TensorProto.FLOAT, shape=("n", 2)):
    """A model that gives `x` back as `y`."""
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    return graph(nodes, [("x", element, shape)], [("y", element, shape)])


def total(n_columns=2):
    """A model with one input per column, that adds them up."""
    names = [f"column_{i}" for i in range(n_columns)]
    nodes = [helper.make_node("Sum", names, ["sum"])]
    return graph(nodes, [(n, TensorProto.FLOAT, [None, 1]) for n in names], [("sum", TensorProto.FLOAT, [None, 1])])
