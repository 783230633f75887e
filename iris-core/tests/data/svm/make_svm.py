"""Writes cases.json: SVMClassifier models, inputs, and what onnxruntime and scikit-learn answer. See README.md."""

import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common import data_types
from sklearn.datasets import load_digits, load_iris
from sklearn.svm import SVC

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import NUMERIC as TYPES

warnings.filterwarnings("ignore", r"[\s\S]*`(probability|probA_|probB_)`", FutureWarning)

KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")
TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
N_FEATURES = 3


def case(name, model, X, unset=()):
    return recording.case(name, model, {"X": X}, unset)


def export(name, X, y, rows, input_type=data_types.FloatTensorType, **parameters):
    classifier = SVC(random_state=0, **parameters).fit(X, y)
    model = to_onnx(
        classifier,
        initial_types=[("X", input_type([None, X.shape[1]]))],
        target_opset={"": 9, "ai.onnx.ml": 1},
        options={"zipmap": False},
    )
    wide = rows.astype(np.float64)
    reference = {"labels": classifier.predict(wide).tolist()}
    if parameters.get("probability"):
        reference["probabilities"] = classifier.predict_proba(wide).tolist()
    reference["decision_function"] = classifier.decision_function(wide).tolist()
    return case(f"skl2onnx/{name}", recording.serialized(model), rows) | {"sklearn": reference}


def exports():
    rng = np.random.default_rng(0)
    X, y = load_iris(return_X_y=True)
    names = load_iris().target_names
    rows = rng.uniform([4, 1.5, 0.5, 0], [8.5, 5, 7.5, 3], size=(25, 4))
    rows32 = rows.astype(np.float32)
    whole = np.rint(rows).astype(np.int64)
    two = y > 0
    ovo = {"decision_function_shape": "ovo"}

    yield export("binary", X[two], y[two], rows32)
    yield export("binary_probability", X[two], y[two], rows32, probability=True)
    yield export("binary_strings", X[two], names[y[two]], rows32)
    yield export("binary_strings_probability", X[two], names[y[two]], rows32, probability=True)
    yield export("three_ovr", X, y, rows32)
    yield export("three_ovo", X, y, rows32, **ovo)
    yield export("three_strings_ovo", X, names[y], rows32, **ovo)
    yield export("three_strings_probability", X, names[y], rows32, probability=True)
    for kernel in ("linear", "rbf", "sigmoid"):
        # Centred, or the sigmoid is 1 everywhere.
        yield export(f"{kernel}_probability", X - 4, y, rows32 - 4, kernel=kernel, coef0=0.5, probability=True)
    for degree in (2, 3):
        poly = {"kernel": "poly", "degree": degree, "coef0": 1}
        yield export(f"poly{degree}_probability", X, y, rows32, probability=True, **poly)
    yield export("balanced_probability", X[10:], y[10:], rows32, class_weight="balanced", probability=True)
    yield export("weighted_ovo", X, y, rows32, class_weight={0: 1, 1: 20, 2: 0.1}, **ovo)
    yield export("f64_probability", X, y, rows, data_types.DoubleTensorType, probability=True)
    yield export("i64_probability", np.rint(X), y, whole, data_types.Int64TensorType, probability=True)
    digits, target = load_digits(return_X_y=True)
    yield export("digits_probability", digits[:200], target[:200], digits[200:220].astype(np.float32), probability=True)
    yield export("digits_ovo", digits[:200], target[:200], digits[200:220].astype(np.float32), **ovo)


def graph(attributes, dtype="f32", rank=2):
    """One SVMClassifier node; an attribute that is None is left out."""
    node = helper.make_node("SVMClassifier", ["X"], ["label", "scores"], domain="ai.onnx.ml")
    for key, value in attributes.items():
        if value is not None:
            empty = onnx.AttributeProto.FLOATS if value == [] else None
            node.attribute.append(helper.make_attribute(key, value, attr_type=empty))
    labels = TensorProto.STRING if attributes.get("classlabels_strings") else TensorProto.INT64
    built = helper.make_graph(
        [node],
        "svm",
        [helper.make_tensor_value_info("X", TYPES[dtype][0], [None] * rank)],
        [
            helper.make_tensor_value_info("label", labels, [None]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, None]),
        ],
    )
    opsets = [helper.make_opsetid("", 9), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(built, opset_imports=opsets, ir_version=4).SerializeToString(deterministic=True)


def quarters(rng, size, low=-8, high=9):
    """Multiples of 1/4: exact in every type and short in JSON."""
    return rng.integers(low, high, size=size) / 4


def class_labels(n_classes, strings=False):
    """Neither 0, 1, 2 nor in order, so that a label cannot pass for its index."""
    if strings:
        return {"classlabels_strings": ["pear", "fig", "apple", "kiwi"][:n_classes]}
    return {"classlabels_ints": [7, -3, 40, 12][:n_classes]}


def svc(rng, n_classes, kernel="RBF", transform="NONE", strings=False, probability=False, **changes):
    n_pairs = n_classes * (n_classes - 1) // 2
    per_class = [2, 1, 3, 2][:n_classes]
    n_vectors = sum(per_class)
    attributes = {
        "kernel_type": kernel,
        "kernel_params": [0.25, 0.5, 3.0],
        "vectors_per_class": per_class,
        "support_vectors": quarters(rng, n_vectors * N_FEATURES).tolist(),
        "coefficients": quarters(rng, max(n_classes - 1, 1) * n_vectors, -4, 5).tolist(),
        "rho": quarters(rng, max(n_pairs, 1), -2, 3).tolist(),
        "post_transform": transform,
        **class_labels(n_classes, strings),
    }
    if probability:
        attributes["prob_a"] = [-1.5, -0.75, -2.0, -1.0, -0.5, -1.25][: max(n_pairs, 1)]
        attributes["prob_b"] = [0.25, -0.125, 0.0, 0.5, -0.25, 0.125][: max(n_pairs, 1)]
    return attributes | changes


def linear(rng, n_classes, transform="NONE", low=-4, **changes):
    """The mode without support vectors: `coefficients` is [n_classes, n_features]."""
    attributes = {
        "coefficients": quarters(rng, n_classes * N_FEATURES, low, 5).tolist(),
        "kernel_params": [0.25, 0.5, 3.0],
        "rho": [-0.25, 5.0, -7.0][:n_classes],
        "post_transform": transform,
        **class_labels(n_classes),
    }
    return attributes | changes


def grid(rng):
    """Every kernel, transform, number of classes, with and without probabilities, both kinds of label."""
    for kernel, transform, n_classes, probability, strings in itertools.product(
        KERNELS, TRANSFORMS, (2, 3), (False, True), (False, True)
    ):
        name = f"{kernel}-{transform}-{n_classes}{'-probability' * probability}{'-strings' * strings}"
        attributes = svc(rng, n_classes, kernel, transform, strings, probability)
        unset = {1} if (transform, n_classes, probability) == ("PROBIT", 2, False) else ()
        yield case(f"grid/{name}", graph(attributes), quarters(rng, (4, N_FEATURES)).astype(np.float32), unset)


def linear_modes(rng):
    for transform, n_classes, (sign, low) in itertools.product(TRANSFORMS, (1, 2, 3), (("mixed", -4), ("positive", 0))):
        attributes = linear(rng, n_classes, transform, low)
        X = quarters(rng, (8, N_FEATURES), -4, 5).astype(np.float32)
        yield case(f"linear/{transform}-{n_classes}-{sign}", graph(attributes), X)

    X = np.array([[t, 0, 0] for t in (-1, 0, 0.25, 0.49, 0.5, 0.51, 0.75, 2)], np.float32)
    # Both scores are x or 0, so each row is on one side of 0 or of 0.5: the two thresholds of the binary label.
    ladder = {"rho": [0.0, 0.0], "coefficients": [1.0, 0, 0, 0, 0, 0]}
    for name, coefficients in (
        ("positive", ladder["coefficients"]),
        ("mixed", [1.0, 0, 0, 0, 0, -1.0]),
        ("mixed_both_negative", [-1.0, 0, 0, -2.0, 0, 0]),
    ):
        attributes = linear(rng, 2, **(ladder | {"coefficients": coefficients}))
        yield case(f"linear/threshold_{name}", graph(attributes), X)
        proba = {"prob_a": [-1.0], "prob_b": [0.0]}
        yield case(f"linear/threshold_{name}_probability", graph(attributes | proba), X)
    yield case("linear/strings", graph(linear(rng, 3, classlabels_ints=None, **class_labels(3, True))), X)
    yield case("linear/binary_strings", graph(linear(rng, 2, classlabels_ints=None, **class_labels(2, True))), X)
    yield case("linear/one_rho", graph(linear(rng, 3, rho=[-0.25])), X)
    yield case("linear/kernel_type_ignored", graph(linear(rng, 3, kernel_type="RBF")), X)
    yield case("linear/tie", graph(linear(rng, 3, coefficients=[1.0, 0, 0] * 3)), X)


def edges(rng):
    X = quarters(rng, (6, N_FEATURES)).astype(np.float32)
    for dtype, (_, numpy_type) in TYPES.items():
        values = rng.integers(-3, 4, size=(5, N_FEATURES)).astype(numpy_type)
        yield case(f"edge/input_{dtype}", graph(svc(rng, 3, probability=True), dtype), values)
        yield case(f"edge/linear_input_{dtype}", graph(linear(rng, 3), dtype), values)
        yield case(f"edge/one_dimension_{dtype}", graph(svc(rng, 3), dtype, rank=1), values[0])
        yield case(f"edge/no_rows_{dtype}", graph(svc(rng, 3), dtype), values[:0])
    # 16777217 is no f32: it becomes 16777216 before anything is computed.
    beyond = {"coefficients": [1.0, -1, 0, -1, 1, 0], "rho": [0.0, 0.0]}
    for dtype in ("f64", "i32", "i64"):
        values = np.array([[2**24 + 1, 2**24, 0], [2**24, 2**24 + 1, 0]], TYPES[dtype][1])
        yield case(f"edge/beyond_f32_{dtype}", graph(linear(rng, 2, **beyond), dtype), values)
    beyond = np.array([[0.1, 1e300, 0], [1e-300, 0.1, -1e300]])
    yield case("edge/overflow_f64", graph(svc(rng, 3), "f64"), beyond)

    odd = np.array([[np.nan, 0, 1], [np.inf, 0, 1], [-np.inf, 0, 1], [1e6, 1e6, 1e6], [0, 0, 0]], np.float32)
    for kernel, probability in itertools.product(KERNELS, (False, True)):
        name = f"edge/not_finite_{kernel}{'_probability' * probability}"
        yield case(name, graph(svc(rng, 3, kernel, probability=probability)), odd)
    yield case("edge/not_finite_binary", graph(svc(rng, 2)), odd)
    for n_classes in (1, 2, 3):
        yield case(f"edge/not_finite_linear_{n_classes}", graph(linear(rng, n_classes)), odd)

    for kernel in KERNELS:
        yield case(f"edge/kernel_params_empty_{kernel}", graph(svc(rng, 3, kernel, kernel_params=[])), X)
    yield case("edge/kernel_params_absent", graph(svc(rng, 3, kernel_params=None)), X)
    yield case("edge/kernel_params_absent_linear_mode", graph(linear(rng, 3, kernel_params=None)), X)
    yield case("edge/kernel_type_absent", graph(svc(rng, 3, kernel_type=None)), X)
    yield case("edge/post_transform_absent", graph(svc(rng, 2, post_transform=None)), X)
    yield case("edge/rho_absent", graph(svc(rng, 3, rho=None)), X)
    yield case("edge/coefficients_absent", graph(svc(rng, 3, coefficients=None)), X)
    yield case("edge/labels_absent", graph(svc(rng, 3, classlabels_ints=None)), X)
    yield case("edge/rho_short", graph(svc(rng, 3, rho=[0.5, 0.5])), X)
    yield case("edge/coefficients_short", graph(svc(rng, 3, coefficients=[0.5, 0.5])), X)
    yield case("edge/prob_a_short", graph(svc(rng, 3, prob_a=[-1.0], prob_b=[0.0])), X)
    yield case("edge/prob_b_absent", graph(svc(rng, 3, prob_a=[-1.0] * 3)), X)
    yield case("edge/vectors_per_class_short", graph(svc(rng, 3, vectors_per_class=[3, 3])), X)

    positive = rng.integers(1, 8, size=(6, N_FEATURES)).astype(np.float32) / 4
    for degree in (0.0, 0.5, 1.0, 2.0, 2.5, 4.0):
        vectors = quarters(rng, 6 * N_FEATURES, 1, 8).tolist()
        attributes = svc(rng, 3, "POLY", support_vectors=vectors, kernel_params=[0.25, 0.5, degree])
        yield case(f"edge/poly_degree_{degree}", graph(attributes), positive)
    yield case("edge/poly_root_of_negative", graph(svc(rng, 3, "POLY", kernel_params=[0.25, 0.5, 0.5])), X)

    # Support vectors of zeros and a linear kernel leave the decisions equal to rho.
    for name, n_classes, rho in (
        ("binary_zero", 2, [0.0]),
        ("binary_positive", 2, [0.5]),
        ("binary_negative", 2, [-0.5]),
        ("cycle", 3, [1.0, -1.0, 1.0]),
        ("reverse_cycle", 3, [-1.0, 1.0, -1.0]),
        ("all_zero", 3, [0.0, 0.0, 0.0]),
        ("four_three_way", 4, [-1.0, -1.0, -1.0, 1.0, 1.0, -1.0]),
        ("four_last_three", 4, [-1.0, -1.0, -1.0, 1.0, -1.0, 1.0]),
    ):
        zeros = [0.0] * (sum([2, 1, 3, 2][:n_classes]) * N_FEATURES)
        for probability in (False, True):
            attributes = svc(rng, n_classes, "LINEAR", probability=probability, rho=rho, support_vectors=zeros)
            yield case(f"edge/votes_{name}{'_probability' * probability}", graph(attributes), X[:1])
    # Probabilities this sure are clipped to 1e-7 before they are coupled.
    for n_classes in (2, 3, 4):
        sure = {"prob_a": [-40.0] * 6, "prob_b": [0.0] * 6}
        yield case(f"edge/clipped_{n_classes}", graph(svc(rng, n_classes, "LINEAR", **sure)), X)
    yield case("edge/all_positive_coefficients", graph(svc(rng, 2, coefficients=[0.25, 0.5, 1.0])), X)
    yield case("edge/classes_zero_one", graph(svc(rng, 2, classlabels_ints=[0, 1])), X)

    for transform in TRANSFORMS:
        # One class and no probabilities: onnxruntime writes neither score.
        unset = {0, 1}
        yield case(f"edge/one_class_{transform}", graph(svc(rng, 1, transform=transform)), X, unset)
        yield case(
            f"edge/one_class_{transform}_probability", graph(svc(rng, 1, transform=transform, probability=True)), X
        )


def main():
    rng = np.random.default_rng(1)
    cases = [*exports(), *grid(rng), *linear_modes(rng), *edges(rng)]
    recording.write(Path(__file__).parent / "cases.json", cases)


if __name__ == "__main__":
    main()
