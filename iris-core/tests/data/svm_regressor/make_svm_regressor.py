"""Writes cases.json: SVMRegressor models, inputs, and what onnxruntime and scikit-learn answer. See README.md."""

import base64
import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common import data_types
from sklearn.datasets import load_diabetes, load_iris
from sklearn.svm import SVR, NuSVR, OneClassSVM

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import NUMERIC, case

warnings.filterwarnings("ignore")

KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")
TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
N_FEATURES = 3


def model(attributes, dtype="f32", rank=2):
    """One SVMRegressor node; an attribute that is None is left out."""
    node = helper.make_node("SVMRegressor", ["X"], ["Y"], domain="ai.onnx.ml")
    for key, value in attributes.items():
        if value is not None:
            node.attribute.append(helper.make_attribute(key, value))
    graph = helper.make_graph(
        [node],
        "svm",
        [helper.make_tensor_value_info("X", NUMERIC[dtype][0], [None] * rank)],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 1])],
    )
    opsets = [helper.make_opsetid("", 9), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=4).SerializeToString(deterministic=True)


def one(name, attributes, X):
    """onnxruntime has a kernel for float only: for other types it answers the same numbers as float."""
    dtype = next(name for name, (_, dtype) in NUMERIC.items() if X.dtype == dtype)
    recorded = case(name, model(attributes, "f32", X.ndim), {"X": X.astype(np.float32)})
    typed = base64.b64encode(model(attributes, dtype, X.ndim)).decode()
    return recorded | {"model": typed, "feeds": [recording.tensor("X", X)]}


def quarters(rng, size, low=-8, high=9):
    """Multiples of 1/4: exact in every type and short in JSON."""
    return rng.integers(low, high, size=size) / 4


def svr(rng, kernel="RBF", n_vectors=5, **changes):
    attributes = {
        "kernel_type": kernel,
        "kernel_params": [0.25, 0.5, 3.0],
        "n_supports": n_vectors,
        "support_vectors": quarters(rng, n_vectors * N_FEATURES).tolist(),
        "coefficients": quarters(rng, n_vectors, -4, 5).tolist(),
        "rho": [-0.25],
    }
    return attributes | changes


def linear(rng, **changes):
    """The mode without support vectors."""
    attributes = {"coefficients": quarters(rng, N_FEATURES).tolist(), "rho": [0.5], "kernel_params": [0.25, 0.5, 3.0]}
    return attributes | changes


def grid(rng):
    for kernel, transform, one_class in itertools.product(KERNELS, TRANSFORMS, (None, 0, 1)):
        title = f"{kernel}-{transform}{'' if one_class is None else f'-{one_class}'}"
        X = quarters(rng, (6, N_FEATURES)).astype(np.float32)
        attributes = svr(rng, kernel, post_transform=transform, one_class=one_class)
        yield one(f"grid/{title}", attributes, X)
    for kernel, transform, one_class in itertools.product((None, *KERNELS), ("NONE", "LOGISTIC", "PROBIT"), (0, 1)):
        X = quarters(rng, (6, N_FEATURES)).astype(np.float32)
        attributes = linear(rng, kernel_type=kernel, post_transform=transform, one_class=one_class)
        yield one(f"linear/{kernel}-{transform}-{one_class}", attributes, X)
    for kernel, n_vectors in itertools.product(KERNELS, (1, 8, 19)):
        X = quarters(rng, (4, N_FEATURES)).astype(np.float32)
        yield one(f"supports/{kernel}-{n_vectors}", svr(rng, kernel, n_vectors), X)


def edges(rng):
    X = quarters(rng, (6, N_FEATURES)).astype(np.float32)
    for dtype, (_, numpy_type) in NUMERIC.items():
        values = rng.integers(-3, 4, size=(5, N_FEATURES)).astype(numpy_type)
        for kernel in ("LINEAR", "RBF"):
            yield one(f"edge/input_{dtype}_{kernel}", svr(rng, kernel), values)
        yield one(f"edge/input_{dtype}_linear_mode", linear(rng), values)
    for name, attributes in (("svr", svr(rng)), ("linear", linear(rng)), ("one_class", svr(rng, one_class=1))):
        yield one(f"edge/one_dimension_{name}", attributes, X[0])
        yield one(f"edge/no_rows_{name}", attributes, X[:0])
        yield one(f"edge/one_sample_{name}", attributes, X[:1])
    odd = np.array([[np.nan, 0, 1], [np.inf, 0, 1], [-np.inf, 0, 1], [1e6, 1e6, 1e6], [0, 0, 0]], np.float32)
    for kernel, one_class in itertools.product(KERNELS, (0, 1)):
        yield one(f"edge/not_finite_{kernel}_{one_class}", svr(rng, kernel, one_class=one_class), odd)
    yield one("edge/not_finite_linear", linear(rng), odd)
    zeros = {"support_vectors": [0.0] * 5 * N_FEATURES, "rho": [0.0], "kernel_type": "LINEAR", "one_class": 1}
    yield one("edge/one_class_zero", svr(rng, **zeros), X)
    yield one("edge/one_class_two", svr(rng, one_class=2), X)
    positive = rng.integers(1, 8, size=(6, N_FEATURES)).astype(np.float32) / 4
    for degree in (0.0, 0.5, 1.0, 2.0, 2.5, 4.0):
        vectors = quarters(rng, 5 * N_FEATURES, 1, 8).tolist()
        attributes = svr(rng, "POLY", support_vectors=vectors, kernel_params=[0.25, 0.5, degree])
        yield one(f"edge/poly_degree_{degree}", attributes, positive)
    for name, changes in {
        "kernel_params_absent": {"kernel_params": None},
        "kernel_type_absent": {"kernel_type": None},
        "kernel_type_unknown": {"kernel_type": "COSINE"},
        "post_transform_unknown": {"post_transform": "SOFTMIN"},
        "coefficients_absent": {"coefficients": None},
        "coefficients_short": {"coefficients": [0.5] * 4},
        "coefficients_long": {"coefficients": [0.5] * 6},
        "support_vectors_absent": {"support_vectors": None},
        "support_vectors_short": {"support_vectors": [0.5] * 14},
        "rho_absent": {"rho": None},
        "rho_long": {"rho": [0.5, 0.75]},
        "n_supports_negative": {"n_supports": -1},
        "n_supports_huge": {"n_supports": 2**62},
    }.items():
        yield one(f"edge/{name}", svr(rng, **changes), X)
    yield one("edge/linear_kernel_params_absent", linear(rng, kernel_params=None), X)
    yield one("edge/linear_with_vectors", linear(rng, support_vectors=[0.5] * 3), X)
    yield one("edge/too_few_features", svr(rng), X[:, :2])
    yield one("edge/linear_too_few_features", linear(rng), X[:, :2])


def export(name, estimator, X, y, rows, input_type=data_types.FloatTensorType):
    fitted = estimator.fit(X, y)
    built = to_onnx(
        fitted,
        initial_types=[("X", input_type([None, X.shape[1]]))],
        target_opset={"": 9, "ai.onnx.ml": 1},
    )
    wide = rows.astype(np.float64)
    reference = {
        method: recording.tensor(method, getattr(fitted, method)(wide))
        for method in ("predict", "decision_function")
        if hasattr(fitted, method)
    }
    recorded = case(f"skl2onnx/{name}", recording.serialized(built), {"X": rows})
    return recorded | {"sklearn": reference}


def exports():
    diabetes, target = load_diabetes(return_X_y=True)
    diabetes, target = diabetes[:120, :5] * 10, target[:120]
    rows = (diabetes[::8] * 1.1).astype(np.float32)
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        yield export(f"SVR_{kernel}", SVR(kernel=kernel, coef0=0.5, C=10), diabetes, target, rows)
    yield export("NuSVR", NuSVR(nu=0.3, C=10), diabetes, target, rows)
    X, _ = load_iris(return_X_y=True)
    whole = np.rint(X)
    unseen = np.random.default_rng(0).uniform([4, 1.5, 0.5, 0], [8.5, 5, 7.5, 3], size=(20, 4)).astype(np.float32)
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        estimator = OneClassSVM(kernel=kernel, nu=0.2)
        yield export(f"OneClassSVM_{kernel}", estimator, X - 4, None, unseen - 4)
    integers = np.rint(unseen).astype(np.int64)
    yield export("OneClassSVM_int64", OneClassSVM(nu=0.2), whole, None, integers, data_types.Int64TensorType)


def main():
    rng = np.random.default_rng(1)
    cases = [*exports(), *grid(rng), *edges(rng)]
    recording.write(Path(__file__).parent / "cases.json", cases)


if __name__ == "__main__":
    main()
