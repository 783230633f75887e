"""Writes cases.json: linear and per-feature operators, inputs, and what onnxruntime and scikit-learn answer."""

import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common import data_types
from sklearn.datasets import load_diabetes, load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier, SGDRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler, StandardScaler
from sklearn.svm import LinearSVC, LinearSVR

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import NUMERIC, TO_THE_OPTIMUM, case, reference_case

warnings.filterwarnings("ignore")

TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
N_FEATURES = 3


def element_type(array):
    return next(code for code, dtype in NUMERIC.values() if array.dtype == dtype)


def model(op_type, attributes, feeds, outputs):
    """One node; an attribute that is None is left out, and outputs are pairs of name and type."""
    node = helper.make_node(op_type, list(feeds), [name for name, _ in outputs], domain="ai.onnx.ml")
    for key, value in attributes.items():
        if value is not None:
            node.attribute.append(helper.make_attribute(key, value))
    inputs = [
        helper.make_tensor_value_info(name, element_type(array), [None] * array.ndim) for name, array in feeds.items()
    ]
    graph = helper.make_graph(
        [node], op_type, inputs, [helper.make_tensor_value_info(name, code, None) for name, code in outputs]
    )
    opsets = [helper.make_opsetid("", 9), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=4).SerializeToString(deterministic=True)


def one(name, op_type, attributes, X, code=FLOAT, record=case):
    """A case of an operator with one input and one output."""
    feeds = X if isinstance(X, dict) else {"X": X}
    return record(name, model(op_type, attributes, feeds, [("Y", code)]), feeds)


def quarters(rng, size, low=-8, high=9):
    """Multiples of 1/4: exact in every type and short in JSON."""
    return rng.integers(low, high, size=size) / 4


def whole(rng, dtype, size=(5, N_FEATURES), low=-4, high=5):
    return rng.integers(low, high, size=size).astype(NUMERIC[dtype][1])


ODD = np.array(
    [[np.nan, 0, 1], [np.inf, 0, 1], [-np.inf, 0, 1], [1e6, 1e6, 1e6], [0, 0, 0], [-0.0, 0.25, -1], [np.nan] * 3],
    np.float32,
)


# LinearClassifier


def classifier(name, attributes, X):
    labels = STRING if attributes.get("classlabels_strings") else INT64
    outputs = [("label", labels), ("scores", FLOAT)]
    # onnxruntime writes the PROBIT scores of one row of coefficients to the front, and the others not at all.
    unset = {0, 1} if name.startswith("LinearClassifier/one_row/PROBIT") else ()
    return case(name, model("LinearClassifier", attributes, {"X": X}, outputs), {"X": X}, unset)


def linear(rng, n_rows, n_classes, strings=False, **changes):
    key = "classlabels_strings" if strings else "classlabels_ints"
    labels = ["pear", "fig", "apple", "kiwi"] if strings else [7, -3, 40, 12]
    attributes = {
        "coefficients": quarters(rng, n_rows * N_FEATURES, -4, 5).tolist(),
        "intercepts": quarters(rng, n_rows, -2, 3).tolist(),
        key: labels[:n_classes] or None,
    }
    return attributes | changes


def linear_classifiers(rng):
    name = "LinearClassifier"
    for transform, n_classes, strings, multi_class in itertools.product(
        TRANSFORMS, (2, 3, 4), (False, True), (None, 0, 1)
    ):
        # PROBIT wants probabilities; a quarter of the values are.
        changes = {"post_transform": transform, "multi_class": multi_class}
        if transform == "PROBIT":
            coefficients = rng.integers(0, 8, n_classes * N_FEATURES) / 64
            changes |= {"coefficients": coefficients.tolist(), "intercepts": [0.25] * n_classes}
        attributes = linear(rng, n_classes, n_classes, strings, **changes)
        title = f"{transform}-{n_classes}{'-strings' * strings}{'' if multi_class is None else f'-{multi_class}'}"
        X = quarters(rng, (4, N_FEATURES), 0 if transform == "PROBIT" else -8).astype(np.float32)
        yield classifier(f"{name}/rows/{title}", attributes, X)
    X = quarters(rng, (6, N_FEATURES)).astype(np.float32)
    for transform, strings in itertools.product(TRANSFORMS, (False, True)):
        attributes = linear(rng, 1, 2, strings, post_transform=transform)
        yield classifier(f"{name}/one_row/{transform}{'-strings' * strings}", attributes, X)
    for transform in TRANSFORMS:
        attributes = linear(rng, 1, 0, post_transform=transform)
        yield classifier(f"{name}/no_labels/{transform}", attributes, X)
    for n_rows, dtype in itertools.product((1, 3), NUMERIC):
        attributes = linear(rng, n_rows, max(n_rows, 2))
        yield classifier(f"{name}/input/{dtype}-{n_rows}", attributes, whole(rng, dtype))
        yield classifier(f"{name}/one_dimension/{dtype}-{n_rows}", attributes, whole(rng, dtype)[0])
        yield classifier(f"{name}/no_rows/{dtype}-{n_rows}", attributes, whole(rng, dtype)[:0])
        yield classifier(f"{name}/one_sample/{dtype}-{n_rows}", attributes, whole(rng, dtype)[:1])
    for n_rows in (1, 2, 3):
        yield classifier(f"{name}/not_finite/{n_rows}", linear(rng, n_rows, max(n_rows, 2)), ODD)
    # 16777217 is no f32: onnxruntime makes it 16777216 before anything is computed.
    beyond = np.array([[2**24 + 1, 2**24, 0], [2**24, 2**24 + 1, 0]])
    attributes = linear(rng, 2, 2, coefficients=[1.0, -1, 0, -1, 1, 0], intercepts=[0.0, 0.0])
    for dtype in ("f64", "i32", "i64"):
        yield classifier(f"{name}/beyond_f32/{dtype}", attributes, beyond.astype(NUMERIC[dtype][1]))
    ties = linear(rng, 3, 3, coefficients=[1.0, 0, 0] * 3, intercepts=[0.0, 0.5, 0.5])
    yield classifier(f"{name}/edge/tie", ties, X)
    zero = linear(rng, 1, 2, coefficients=[1.0, 0, 0], intercepts=[0.0])
    yield classifier(f"{name}/edge/one_row_zero", zero, np.array([[0, 1, 1], [-0.0, 1, 1], [1e-9, 0, 0]], np.float32))
    yield classifier(f"{name}/edge/both_kinds_of_label", linear(rng, 3, 3) | linear(rng, 3, 3, True), X)
    for changes in (
        {"intercepts": None},
        {"coefficients": None},
        {"coefficients": [0.5] * 7},
        {"classlabels_ints": None},
        {"classlabels_ints": [1]},
        {"classlabels_ints": [1, 2, 3, 4]},
        {"post_transform": "SOFTMIN"},
        {"intercepts": [0.5]},
    ):
        ((key, value),) = changes.items()
        spelled = "absent" if value is None else value if isinstance(value, str) else len(value)
        yield classifier(f"{name}/edge/{key}_{spelled}", linear(rng, 3, 3, **changes), X)
    yield classifier(f"{name}/edge/one_row_one_label", linear(rng, 1, 1), X)
    yield classifier(f"{name}/edge/one_row_three_labels", linear(rng, 1, 3), X)
    yield classifier(f"{name}/edge/too_few_features", linear(rng, 3, 3), X[:, :2])
    yield classifier(f"{name}/edge/three_dimensions", linear(rng, 3, 3), X.reshape(2, 3, 3))


# LinearRegressor


def regressor(rng, n_targets, **changes):
    attributes = {
        "coefficients": quarters(rng, n_targets * N_FEATURES, -4, 5).tolist(),
        "intercepts": quarters(rng, n_targets, -2, 3).tolist(),
        "targets": n_targets,
    }
    return attributes | changes


def linear_regressors(rng):
    op_type = "LinearRegressor"
    X = quarters(rng, (5, N_FEATURES)).astype(np.float32)
    for transform, targets, intercepts in itertools.product(TRANSFORMS, (1, 2, 3), (False, True)):
        attributes = regressor(rng, targets, post_transform=transform)
        if not intercepts:
            attributes["intercepts"] = None
        title = f"{transform}-{targets}{'-intercepts' * intercepts}"
        yield one(f"{op_type}/grid/{title}", op_type, attributes, X)
    for dtype, targets in itertools.product(NUMERIC, (1, 2)):
        record = case if dtype == "f32" else reference_case
        # The reference evaluator computes with coefficients of the input's type.
        coefficients = rng.integers(-4, 5, size=targets * N_FEATURES).astype(float).tolist()
        intercepts = rng.integers(-4, 5, size=targets).astype(float).tolist()
        attributes = regressor(rng, targets, coefficients=coefficients, intercepts=intercepts)
        yield one(f"{op_type}/input/{dtype}-{targets}", op_type, attributes, whole(rng, dtype), record=record)
    for targets in (1, 3):
        yield one(f"{op_type}/one_dimension/{targets}", op_type, regressor(rng, targets), X[0])
        yield one(f"{op_type}/no_rows/{targets}", op_type, regressor(rng, targets), X[:0])
        yield one(f"{op_type}/one_sample/{targets}", op_type, regressor(rng, targets), X[:1])
        yield one(f"{op_type}/not_finite/{targets}", op_type, regressor(rng, targets), ODD)
    yield one(f"{op_type}/edge/targets_absent", op_type, regressor(rng, 1, targets=None), X)
    for key, value in (
        ("targets", 0),
        ("targets", -1),
        ("targets", 2**62),
        ("coefficients", None),
        ("coefficients", [0.5] * 5),
        ("coefficients", [0.5] * 8),
        ("intercepts", [0.5]),
        ("post_transform", "SOFTMIN"),
    ):
        spelled = "absent" if value is None else len(value) if isinstance(value, list) else value
        yield one(f"{op_type}/edge/{key}_{spelled}", op_type, regressor(rng, 2, **{key: value}), X)
    yield one(f"{op_type}/edge/too_few_features", op_type, regressor(rng, 2), X[:, :2])
    yield one(f"{op_type}/edge/three_dimensions", op_type, regressor(rng, 2), X[:4].reshape(2, 2, 3))


# Scaler, Normalizer, Binarizer, Imputer


def shapes_of(rng, dtype):
    X = whole(rng, dtype)
    return {"two_dimensions": X, "one_dimension": X[0], "no_rows": X[:0], "one_sample": X[:1]}


def scalers(rng):
    op_type = "Scaler"
    for dtype, length in itertools.product(NUMERIC, (1, N_FEATURES)):
        attributes = {
            "offset": quarters(rng, length).tolist(),
            "scale": quarters(rng, length).tolist(),
        }
        for shape, X in shapes_of(rng, dtype).items():
            yield one(f"{op_type}/{shape}/{dtype}-{length}", op_type, attributes, X)
    attributes = {"offset": [0.5, 1.0, -2.0], "scale": [2.0, -1.0, 0.25]}
    yield one(f"{op_type}/edge/not_finite", op_type, attributes, ODD)
    X = whole(rng, "f32")
    yield one(f"{op_type}/edge/three_dimensions", op_type, {"offset": [0.5], "scale": [2.0]}, X.reshape(5, 1, 3))
    yield one(f"{op_type}/edge/three_dimensions_features", op_type, attributes, X[:3].reshape(1, 3, 3))
    yield one(f"{op_type}/edge/scalar", op_type, {"offset": [0.5], "scale": [2.0]}, X[:1, :1].reshape(()))
    wide = np.array([[0.1, 1e300, 16777217.0], [-1e-300, 0.3, 0.7]])
    yield one(f"{op_type}/edge/wide_f64", op_type, attributes, wide)
    exact = {"offset": [16777216.0], "scale": [1.0]}
    yield one(f"{op_type}/edge/beyond_f32_i64", op_type, exact, np.array([[2**24 + 1, 0, 2**24 + 3]]))
    for name, changes in {
        "offset_absent": {"offset": None},
        "scale_absent": {"scale": None},
        "both_absent": {"scale": None, "offset": None},
        "offset_short": {"offset": [0.5]},
        "both_short": {"offset": [0.5, 0.5], "scale": [2.0, 2.0]},
    }.items():
        yield one(f"{op_type}/edge/{name}", op_type, attributes | changes, X)


def normalizers(rng):
    op_type = "Normalizer"
    for dtype, norm in itertools.product(NUMERIC, (None, "MAX", "L1", "L2")):
        for shape, X in shapes_of(rng, dtype).items():
            yield one(f"{op_type}/{shape}/{dtype}-{norm}", op_type, {"norm": norm}, X)
    signs = np.array([[-1, -2, -3], [0, -1, -2], [0, 0, 0], [3, -4, 0], [1, 1, 1]])
    for dtype, norm in itertools.product(NUMERIC, ("MAX", "L1", "L2")):
        yield one(f"{op_type}/signs/{dtype}-{norm}", op_type, {"norm": norm}, signs.astype(NUMERIC[dtype][1]))
    small = np.array([[1e-30, 1e-30, 0]], np.float32)
    large = np.array([[1e30, 1e30, 0]], np.float32)
    for norm in ("MAX", "L1", "L2"):
        yield one(f"{op_type}/not_finite/{norm}", op_type, {"norm": norm}, ODD)
        yield one(f"{op_type}/small/{norm}", op_type, {"norm": norm}, small)
        yield one(f"{op_type}/large/{norm}", op_type, {"norm": norm}, large)
        X = whole(rng, "f32")
        yield one(f"{op_type}/edge/three_dimensions_{norm}", op_type, {"norm": norm}, X.reshape(5, 1, 3))
        yield one(f"{op_type}/edge/no_features_{norm}", op_type, {"norm": norm}, X[:, :0])
    yield one(f"{op_type}/edge/unknown", op_type, {"norm": "L3"}, whole(rng, "f32"))


def binarizers(rng):
    op_type = "Binarizer"
    for dtype, threshold in itertools.product(NUMERIC, (None, 0.0, 1.0, -0.5)):
        record = case if dtype == "f32" else reference_case
        for shape, X in shapes_of(rng, dtype).items():
            name = f"{op_type}/{shape}/{dtype}-{threshold}"
            yield one(name, op_type, {"threshold": threshold}, X, NUMERIC[dtype][0], record)
    X = whole(rng, "f32")
    infinities = np.array([[np.inf, -np.inf, 0, 0.5]], np.float32)
    yield one(f"{op_type}/edge/infinities", op_type, {"threshold": 0.5}, infinities)
    yield one(f"{op_type}/edge/nan", op_type, {"threshold": 0.5}, ODD)
    yield one(f"{op_type}/edge/nan_threshold", op_type, {"threshold": float("nan")}, X)
    yield one(f"{op_type}/edge/three_dimensions", op_type, {"threshold": 0.5}, X.reshape(5, 1, 3))
    yield one(f"{op_type}/edge/scalar", op_type, {"threshold": 0.5}, X[:1, :1].reshape(()))


def imputers(rng):
    op_type = "Imputer"
    for dtype, length in itertools.product(NUMERIC, (1, N_FEATURES)):
        code = NUMERIC[dtype][0]
        is_float = dtype.startswith("f")
        for replaced in (None, 0, 2, -1):
            attributes = {
                f"imputed_value_{'floats' if is_float else 'int64s'}": [70, 80, 90][:length],
                f"replaced_value_{'float' if is_float else 'int64'}": replaced,
            }
            if is_float:
                attributes = {
                    key: [float(v) for v in value] if isinstance(value, list) else value and float(value)
                    for key, value in attributes.items()
                }
                if replaced == 0:
                    attributes["replaced_value_float"] = 0.0
            for shape, X in shapes_of(rng, dtype).items():
                # The reference evaluator takes matrices only.
                if dtype in ("f32", "i64") or X.ndim == 2:
                    record = case if dtype in ("f32", "i64") else reference_case
                    yield one(f"{op_type}/{shape}/{dtype}-{length}-{replaced}", op_type, attributes, X, code, record)
    nan = float("nan")
    for length, (dtype, record) in itertools.product((1, N_FEATURES), (("f32", case), ("f64", reference_case))):
        attributes = {"imputed_value_floats": [0.5, -1.0, 7.0][:length], "replaced_value_float": nan}
        X = ODD.astype(NUMERIC[dtype][1])
        yield one(f"{op_type}/nan/{dtype}-{length}", op_type, attributes, X, NUMERIC[dtype][0], record)
    infinity = {"imputed_value_floats": [0.5], "replaced_value_float": float("inf")}
    yield one(f"{op_type}/edge/infinity", op_type, infinity, ODD)
    yield one(f"{op_type}/edge/imputed_nan", op_type, {"imputed_value_floats": [nan]}, ODD)
    floats, ints = {"imputed_value_floats": [7.0]}, {"imputed_value_int64s": [7]}
    X, whole_X = whole(rng, "f32"), whole(rng, "i64")
    yield one(f"{op_type}/edge/three_dimensions", op_type, floats, X.reshape(5, 1, 3))
    yield one(f"{op_type}/edge/both_kinds", op_type, floats | ints, X)
    yield one(f"{op_type}/edge/neither_kind", op_type, {}, X)
    yield one(f"{op_type}/edge/ints_for_float", op_type, ints, X)
    yield one(f"{op_type}/edge/floats_for_int", op_type, floats, whole_X, INT64)
    yield one(f"{op_type}/edge/two_for_three", op_type, {"imputed_value_floats": [7.0, 8.0]}, X)
    yield one(f"{op_type}/edge/scalar", op_type, floats, X[:1, :1].reshape(()))
    extremes = {"imputed_value_int64s": [-(2**63)], "replaced_value_int64": 2**63 - 1}
    yield one(f"{op_type}/edge/extremes", op_type, extremes, np.array([[2**63 - 1, 0, -(2**63)]]), INT64)


# FeatureVectorizer


def feature_vectorizers(rng):
    op_type = "FeatureVectorizer"
    for dtype, dimensions in itertools.product(NUMERIC, ([3, 1], [2, 1], [5, 2], [0, 1], [1, 0])):
        feeds = {"A": whole(rng, dtype), "B": whole(rng, dtype, (5, 1))}
        title = f"{dtype}-{dimensions[0]}-{dimensions[1]}"
        yield one(f"{op_type}/two_inputs/{title}", op_type, {"inputdimensions": dimensions}, feeds)
    for dtype in NUMERIC:
        X = whole(rng, dtype)
        yield one(f"{op_type}/one_input/{dtype}", op_type, {"inputdimensions": [3]}, X)
        yield one(f"{op_type}/one_dimension/{dtype}", op_type, {"inputdimensions": [3, 3]}, {"A": X[0], "B": X[1]})
        # onnxruntime ends its process without rows.
        none = {"A": X[:0], "B": X[:0]}
        yield one(f"{op_type}/no_rows/{dtype}", op_type, {"inputdimensions": [3, 3]}, none, record=reference_case)
    # One input of each type: onnxruntime wants them alike, so ONNX's reference evaluator answers.
    for order in itertools.permutations(NUMERIC, 3):
        feeds = {f"{dtype}_{index}": whole(rng, dtype, (4, index + 1)) for index, dtype in enumerate(order)}
        title = "-".join(order)
        yield one(f"{op_type}/mixed/{title}", op_type, {"inputdimensions": [1, 2, 3]}, feeds, record=reference_case)
    X = whole(rng, "f32")
    yield one(f"{op_type}/edge/not_finite", op_type, {"inputdimensions": [3]}, ODD)
    yield one(f"{op_type}/edge/three_dimensions", op_type, {"inputdimensions": [4]}, X[:4].reshape(2, 2, 3))
    three = {"A": X, "B": X[:, :2], "C": X[:, :1]}
    yield one(f"{op_type}/edge/three_inputs", op_type, {"inputdimensions": [3, 2, 1]}, three)
    yield one(f"{op_type}/edge/mixed_types", op_type, {"inputdimensions": [3, 3]}, {"A": X, "B": X.astype(np.int64)})
    yield one(f"{op_type}/edge/padded_1024", op_type, {"inputdimensions": [1027]}, X[:1])
    yield one(f"{op_type}/edge/padded_1025", op_type, {"inputdimensions": [1028]}, X[:1])
    for name, dimensions in {"absent": None, "short": [3, 1], "long": [3, 3, 3, 3], "zero": [0, 0, 0]}.items():
        yield one(f"{op_type}/edge/inputdimensions_{name}", op_type, {"inputdimensions": dimensions}, three)


# What scikit-learn's estimators become


def export(name, estimator, rows, y=None, X=None, input_type=data_types.FloatTensorType, **options):
    """The model of a fitted estimator, with scikit-learn's own answers in float64 beside onnxruntime's."""
    fitted = estimator.fit(rows if X is None else X, y)
    if hasattr(fitted, "predict_proba"):
        options["zipmap"] = False
    built = to_onnx(
        fitted,
        initial_types=[("X", input_type([None, rows.shape[1]]))],
        target_opset={"": 9, "ai.onnx.ml": 1},
        options=options or None,
    )
    reference = {}
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        if hasattr(fitted, method):
            reference[method] = recording.tensor(method, np.asarray(getattr(fitted, method)(rows)))
    recorded = case(f"skl2onnx/{name}", recording.serialized(built), {"X": rows})
    return recorded | {"sklearn": reference}


def exports():
    rng = np.random.default_rng(0)
    X, y = load_iris(return_X_y=True)
    names = load_iris().target_names
    rows = rng.uniform([4, 1.5, 0.5, 0], [8.5, 5, 7.5, 3], size=(20, 4)).astype(np.float32)
    integers = np.rint(rows).astype(np.int64)
    fit = {"X": X.astype(np.float32)}
    two = y > 0
    binary = {"X": X[two].astype(np.float32), "y": y[two]}
    int64 = {"input_type": data_types.Int64TensorType}

    yield export("logistic_binary", LogisticRegression(**TO_THE_OPTIMUM), rows, X=X[two], y=y[two])
    yield export("logistic_binary_liblinear", LogisticRegression(solver="liblinear"), rows, **binary)
    yield export("logistic_three", LogisticRegression(**TO_THE_OPTIMUM), rows, y, X=X)
    yield export("logistic_three_strings", LogisticRegression(**TO_THE_OPTIMUM), rows, names[y], X=X)
    yield export("logistic_raw", LogisticRegression(**TO_THE_OPTIMUM), rows, y, X=X, raw_scores=True)
    yield export("logistic_int64", LogisticRegression(**TO_THE_OPTIMUM), integers, y, X=np.rint(X), **int64)
    yield export("LinearSVC_binary", LinearSVC(random_state=0), rows, **binary)
    yield export("LinearSVC_three", LinearSVC(random_state=0), rows, y, **fit)
    yield export("RidgeClassifier_binary", RidgeClassifier(), rows, X=X[two], y=y[two])
    yield export("RidgeClassifier_three", RidgeClassifier(), rows, y, X=X)
    diabetes, target = load_diabetes(return_X_y=True)
    unseen = diabetes[::30].astype(np.float32)
    for estimator in (LinearRegression(), Ridge(), LinearSVR(random_state=0), SGDRegressor(random_state=0)):
        yield export(type(estimator).__name__, estimator, unseen, target, X=diabetes)
    both = np.stack([target, diabetes[:, 2] * 100], 1)
    yield export("LinearRegression_two_targets", LinearRegression(), unseen, both, X=diabetes)
    yield export("LinearRegression_no_intercept", LinearRegression(fit_intercept=False), unseen, target, X=diabetes)
    for scaler in (StandardScaler(), StandardScaler(with_mean=False), RobustScaler(), MaxAbsScaler(), MinMaxScaler()):
        title = type(scaler).__name__ + "_no_mean" * (not getattr(scaler, "with_mean", True))
        yield export(title, scaler, rows, **fit)
    yield export("StandardScaler_int64", StandardScaler(), integers, X=np.rint(X), **int64)
    for norm in ("max", "l1", "l2"):
        yield export(f"Normalizer_{norm}", Normalizer(norm=norm), rows, **fit)
    yield export("Binarizer", Binarizer(threshold=2.5), rows, **fit)
    missing = rows.copy()
    missing[::3, 1] = np.nan
    missing[1::4, 3] = np.nan
    for strategy in ("mean", "median", "most_frequent"):
        yield export(f"SimpleImputer_{strategy}", SimpleImputer(strategy=strategy), missing, **fit)
    constant = SimpleImputer(strategy="constant", fill_value=-1.0)
    yield export("SimpleImputer_constant", constant, missing, **fit)
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), Normalizer(), LogisticRegression(**TO_THE_OPTIMUM))
    yield export("pipeline", pipeline, missing, y, X=X)
    yield columns(rows, X, y)


def columns(rows, X, y):
    """An input for each column, of different types: skl2onnx joins them."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression(**TO_THE_OPTIMUM)).fit(X, y)
    kinds = [data_types.FloatTensorType, data_types.Int64TensorType, data_types.FloatTensorType]
    widths = enumerate(zip(kinds, (1, 1, 2), strict=True))
    built = to_onnx(
        fitted,
        initial_types=[(f"x{index}", kind([None, width])) for index, (kind, width) in widths],
        target_opset={"": 9, "ai.onnx.ml": 1},
        options={"zipmap": False},
    )
    feeds = {"x0": rows[:, :1], "x1": np.rint(rows[:, 1:2]).astype(np.int64), "x2": rows[:, 2:]}
    recorded = case("skl2onnx/columns", recording.serialized(built), feeds)
    joined = np.concatenate([value.astype(np.float64) for value in feeds.values()], 1)
    reference = {
        method: recording.tensor(method, getattr(fitted, method)(joined)) for method in ("predict", "predict_proba")
    }
    return recorded | {"sklearn": reference}


def main():
    rng = np.random.default_rng(1)
    makers = (
        linear_classifiers,
        linear_regressors,
        scalers,
        normalizers,
        binarizers,
        imputers,
        feature_vectorizers,
    )
    cases = [*exports(), *itertools.chain.from_iterable(maker(rng) for maker in makers)]
    recording.write(Path(__file__).parent / "cases.json", cases)


if __name__ == "__main__":
    main()
