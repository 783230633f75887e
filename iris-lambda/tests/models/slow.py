"""Writes slow.onnx beside this: a regressor that takes milliseconds a row, in a few hundred bytes. Needs onnx."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

WIDTH = 1024
PRODUCTS = 16


def main():
    nodes = []

    def weights(name, *shape):
        nodes.append(
            helper.make_node(
                "ConstantOfShape",
                [f"{name}_shape"],
                [name],
                value=numpy_helper.from_array(np.array([1 / shape[0]], np.float32)),
            )
        )
        return numpy_helper.from_array(np.array(shape, np.int64), f"{name}_shape")

    shapes = [weights("first", 4, WIDTH), weights("wide", WIDTH, WIDTH), weights("last", WIDTH, 1)]
    factors = ["first"] + ["wide"] * PRODUCTS + ["last"]
    names = ["X"] + [f"product_{index}" for index in range(PRODUCTS + 1)] + ["variable"]
    for before, factor, after in zip(names[:-1], factors, names[1:], strict=True):
        nodes.append(helper.make_node("MatMul", [before, factor], [after]))
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("variable", TensorProto.FLOAT, [None, 1])],
        shapes,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    checker.check_model(model)
    Path(__file__).with_suffix(".onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
