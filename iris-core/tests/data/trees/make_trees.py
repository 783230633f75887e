"""Writes cases.json: tree ensembles, inputs, and what onnxruntime and scikit-learn answer. See README.md."""

import base64
import itertools
import sys
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import sklearn.ensemble as se
import xgboost
from onnx import TensorProto, helper, numpy_helper
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as BoosterFloat
from skl2onnx import to_onnx
from skl2onnx.common import data_types
from sklearn.datasets import load_diabetes, load_iris
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording
from recording import NUMERIC, case, reference_case, tensor

warnings.filterwarnings("ignore")

TRANSFORMS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
# As onnxruntime numbers them in TreeEnsemble.
TRANSFORM_NUMBERS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT")
AGGREGATES = ("SUM", "AVERAGE", "MIN", "MAX")
MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
N_FEATURES = 3

# skl2onnx writes Python truth values where ONNX wants integers.
make_attribute = helper.make_attribute


def tolerant(key, value, *args, **kwargs):
    if isinstance(value, list) and any(isinstance(v, (bool, np.bool_)) for v in value):
        value = [int(v) for v in value]
    return make_attribute(key, value, *args, **kwargs)


helper.make_attribute = tolerant


def quarters(rng, size, low=-8, high=9):
    """Multiples of 1/4: exact in every type and short in JSON."""
    return rng.integers(low, high, size=size) / 4


def numbers(key, values, dtype):
    """A list attribute, or the tensor attribute of another type that takes its place."""
    if dtype is None:
        return {key: [float(v) for v in values]}
    return {f"{key}_as_tensor": numpy_helper.from_array(np.array(values, dtype))}


def model(op_type, attributes, x, outputs, version=3, rank=2):
    """One node; an attribute that is None is left out, and outputs are pairs of name and type."""
    node = helper.make_node(op_type, ["X"], [name for name, _ in outputs], domain="ai.onnx.ml")
    for key, value in attributes.items():
        if value is not None:
            kind = onnx.AttributeProto.INTS if isinstance(value, list) and not value else None
            node.attribute.append(make_attribute(key, value, attr_type=kind))
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("X", x, [None] * rank)],
        [helper.make_tensor_value_info(name, code, None) for name, code in outputs],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", version)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString(deterministic=True)


def element_type(X):
    return next(code for code, dtype in NUMERIC.values() if X.dtype == dtype)


def classifier(name, attributes, X, unset=(), record=case, **kwargs):
    labels = STRING if attributes.get("classlabels_strings") else INT64
    outputs = [("label", labels), ("scores", FLOAT)]
    built = model("TreeEnsembleClassifier", attributes, element_type(X), outputs, rank=X.ndim, **kwargs)
    return record(name, built, {"X": X}, **({"unset": unset} if unset else {}))


def regressor(name, attributes, X, record=case, **kwargs):
    built = model("TreeEnsembleRegressor", attributes, element_type(X), [("Y", FLOAT)], rank=X.ndim, **kwargs)
    return record(name, built, {"X": X})


def never(name, built, feeds):
    """A model that onnxruntime is not asked about, for it would not come back."""
    return {
        "name": name,
        "model": base64.b64encode(built).decode(),
        "feeds": [tensor(key, array) for key, array in feeds.items()],
        "error": "not asked: its walks do not end",
    }


class Trees:
    """Complete binary trees, of which a random part is cut off."""

    def __init__(self, rng, n_trees=3, depth=3, modes=("BRANCH_LEQ",), missing=False):
        self.nodes = {key: [] for key in ("treeids", "nodeids", "featureids", "modes", "truenodeids", "falsenodeids")}
        self.values, self.missing, self.leaves = [], [], []
        for tree in range(n_trees):
            rows = []

            def grow(level, rows=rows, tree=tree):
                index = len(rows)
                rows.append(None)
                if level == depth or (level > 0 and rng.random() < 0.25):
                    rows[index] = (0, "LEAF", 0, 0, 0.0, 0)
                    self.leaves.append((tree, index))
                    return index
                on_true, on_false = grow(level + 1), grow(level + 1)
                feature, threshold = int(rng.integers(N_FEATURES)), float(rng.integers(-4, 5)) / 4
                mode = modes[int(rng.integers(len(modes)))]
                rows[index] = (feature, mode, on_true, on_false, threshold, int(missing and rng.integers(2)))
                return index

            grow(0)
            for index, (feature, mode, on_true, on_false, value, missing_true) in enumerate(rows):
                row = (tree, index, feature, mode, on_true, on_false)
                for column, cell in zip(self.nodes.values(), row, strict=True):
                    column.append(cell)
                self.values.append(value)
                self.missing.append(missing_true)
        self.has_missing = missing

    def attributes(self, rng, kind, n_targets, low=-4, only=None, per_leaf=1, double=None):
        """`kind` is class or target; votes are for target `only`, or for random ones."""
        votes = []
        for tree, node in self.leaves:
            targets = [only] if only is not None else sorted(rng.permutation(n_targets)[:per_leaf].tolist())
            votes += [(tree, node, target) for target in targets]
        weights = quarters(rng, len(votes), low, 5).tolist()
        return {
            **{f"nodes_{key}": column for key, column in self.nodes.items()},
            **numbers("nodes_values", self.values, double),
            **({"nodes_missing_value_tracks_true": self.missing} if self.has_missing else {}),
            f"{kind}_treeids": [tree for tree, _, _ in votes],
            f"{kind}_nodeids": [node for _, node, _ in votes],
            f"{kind}_ids": [target for _, _, target in votes],
            **numbers(f"{kind}_weights", weights, double),
        }


def class_labels(n_classes, strings=False):
    """0 and 1 where there are two, for onnxruntime answers these whatever the labels are; otherwise not in order."""
    if strings:
        return {"classlabels_strings": ["pear", "fig", "apple", "kiwi"][:n_classes]}
    return {"classlabels_int64s": [0, 1] if n_classes == 2 else [7, -3, 40, 12][:n_classes]}


def rows(rng, n=8, dtype=np.float32):
    return quarters(rng, (n, N_FEATURES), -6, 7).astype(dtype)


def grid(rng):
    for mode, missing in itertools.product((*MODES, "mixed"), (False, True)):
        modes = MODES if mode == "mixed" else (mode,)
        X = rows(rng, 12)
        X[rng.random(X.shape) < 0.2] = np.nan
        X[0] = [np.inf, -np.inf, np.nan]
        trees = Trees(rng, n_trees=4, depth=4, modes=modes, missing=missing)
        name = f"modes/{mode}{'-missing' * missing}"
        yield regressor(f"{name}-regressor", trees.attributes(rng, "target", 2) | {"n_targets": 2}, X)
        yield classifier(f"{name}-classifier", trees.attributes(rng, "class", 3) | class_labels(3), X)
    for aggregate, transform, n_targets, base in itertools.product(AGGREGATES, TRANSFORMS, (1, 2, 3), (False, True)):
        attributes = Trees(rng, 2, 2).attributes(rng, "target", n_targets, per_leaf=n_targets) | {
            "n_targets": n_targets,
            "aggregate_function": aggregate,
            "post_transform": transform,
            "base_values": [0.25, -0.5, 1.0][:n_targets] if base else None,
        }
        yield regressor(f"regressor/{aggregate}-{transform}-{n_targets}{'-base' * base}", attributes, rows(rng, 6))
    for transform, base, strings, low in itertools.product(TRANSFORMS, (False, True), (False, True), (-4, 0)):
        # With one string label, onnxruntime ends the process.
        for n_classes in (3,) if strings else (1, 3):
            attributes = Trees(rng, 2, 2).attributes(rng, "class", n_classes, low) | class_labels(n_classes, strings)
            attributes["post_transform"] = transform
            attributes["base_values"] = [0.25, -0.5, 1.0][:n_classes] if base else None
            sign = "positive" if low == 0 else "mixed"
            name = f"classifier/{transform}-{n_classes}{'-base' * base}{'-strings' * strings}-{sign}"
            yield classifier(name, attributes, rows(rng, 6))
        for only in (0, 1, None):
            if base and only != 0:
                continue
            attributes = Trees(rng, 2, 2).attributes(rng, "class", 2, low, only, per_leaf=2) | class_labels(2, strings)
            attributes["post_transform"] = transform
            attributes["base_values"] = [-0.25] if base else None
            votes = "both" if only is None else ("first", "second")[only]
            name = f"binary/{transform}-{votes}{'-base' * base}{'-strings' * strings}-{sign}"
            unset = {1} if transform == "PROBIT" and only == 0 else ()
            yield classifier(name, attributes, rows(rng, 6), unset)


def types(rng):
    for dtype, (_, numpy_type) in NUMERIC.items():
        X = rows(rng, 6)
        X = (X if dtype.startswith("f") else X * 4).astype(numpy_type)
        trees = Trees(rng, modes=MODES)
        regression = trees.attributes(rng, "target", 2) | {"n_targets": 2}
        classes = trees.attributes(rng, "class", 3) | class_labels(3)
        for version in (1, 3):
            yield regressor(f"types/regressor_{dtype}_{version}", regression, X, version=version)
            yield classifier(f"types/classifier_{dtype}_{version}", classes, X, version=version)
        yield regressor(f"types/regressor_{dtype}_one_dimension", regression, X[0])
        yield classifier(f"types/classifier_{dtype}_one_dimension", classes, X[0])
        yield regressor(f"types/regressor_{dtype}_no_rows", regression, X[:0])
        yield classifier(f"types/classifier_{dtype}_no_rows", classes, X[:0])
        yield classifier(f"types/classifier_{dtype}_one_row", classes, X[:1])
        for double in (np.float32, np.float64):
            regression = trees.attributes(rng, "target", 2, per_leaf=2, double=double) | {"n_targets": 2}
            regression |= numbers("base_values", [0.5, -1], double)
            classes = trees.attributes(rng, "class", 3, double=double) | class_labels(3)
            classes |= numbers("nodes_hitrates", [1.0] * len(trees.values), double)
            name = f"{np.dtype(double).name}_tensors_{dtype}"
            yield regressor(f"types/regressor_{name}", regression, X)
            yield classifier(f"types/classifier_{name}", classes, X)
    # Thresholds that rounding moves: 0.1 as float is above 0.1, and 2^24 + 1 is no float.
    stump = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights": [1.0, 2.0],
        "n_targets": 1,
    }
    tenth = np.float32(0.1)
    near = [np.nextafter(tenth, np.float32(0)), tenth, np.nextafter(tenth, np.float32(1))]
    for dtype, values in (
        ("f32", np.array(near, np.float32)),
        ("f64", np.array([*near, 0.1, np.nextafter(0.1, 0), np.nextafter(0.1, 1)])),
    ):
        yield regressor(f"rounding/threshold_{dtype}", stump | {"nodes_values": [0.1, 0, 0]}, values[:, None])
        for double in (np.float32, np.float64):
            attributes = stump | numbers("nodes_values", [0.1, 0, 0], double)
            name = f"rounding/threshold_{np.dtype(double).name}_tensor_{dtype}"
            yield regressor(name, attributes, values[:, None])
    for dtype in ("i32", "i64", "f64"):
        values = np.array([[2**24 - 1], [2**24], [2**24 + 1], [2**24 + 2]], NUMERIC[dtype][1])
        yield regressor(f"rounding/large_{dtype}", stump | {"nodes_values": [2.0**24, 0, 0]}, values)
    # Fifteen votes of 1/30 for either class are a tie.
    third = {key: [v for _ in range(30) for v in value] for key, value in stump.items() if key.startswith("nodes_")}
    third["nodes_treeids"] = [tree for tree in range(30) for _ in range(3)]
    third["nodes_values"] = [value for tree in range(30) for value in (float(tree >= 15), 0, 0)]
    third |= {
        "class_treeids": [tree for tree in range(30) for _ in range(2)],
        "class_nodeids": [1, 2] * 30,
        "class_ids": [0] * 60,
        "class_weights": [0.0, 1 / 30] * 30,
    }
    values = np.array([[-1], [0.5], [2]], np.float32)
    yield classifier("rounding/tie", third | class_labels(2), values)
    # Votes that float cannot add up.
    sums = stump | {"nodes_values": [0.5, 0, 0], "base_values": [-16777216.0], "target_weights": [16777217.0, 2.0]}
    yield regressor("rounding/base", sums | {"target_weights": [16777218.0, 2.0]}, values)


def edges(rng):
    trees = Trees(rng)
    X = rows(rng)
    good = trees.attributes(rng, "target", 2) | {"n_targets": 2}
    classes = trees.attributes(rng, "class", 3) | class_labels(3)
    first_leaf = good["nodes_modes"].index("LEAF")

    def changed(key, index, value):
        column = list(good[key])
        column[index] = value
        return good | {key: column}

    yield regressor("edge/hitrates", good | {"nodes_hitrates": [1.0] * len(trees.values)}, X)
    yield regressor("edge/defaults", {k: v for k, v in good.items() if k != "post_transform"}, X)
    yield regressor("edge/value_of_a_leaf_is_nothing", changed("nodes_values", first_leaf, 9.0), X)
    yield regressor("edge/feature_of_a_leaf_is_nothing", changed("nodes_featureids", first_leaf, 1), X)
    yield regressor(
        "edge/sparse_ids", good | {k: [v * 7 + 3 for v in good[k]] for k in ("nodes_treeids", "target_treeids")}, X
    )
    yield regressor("edge/extra_features", good, np.hstack([X, X]))
    yield regressor("edge/too_few_features", good, X[:, :1])
    leaf = {
        **{f"nodes_{k}": [0] for k in ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")},
        "nodes_modes": ["LEAF"],
        "nodes_values": [0.0],
        "target_treeids": [0],
        "target_nodeids": [0],
        "target_ids": [1],
        "target_weights": [0.5],
        "n_targets": 2,
    }
    for aggregate in AGGREGATES:
        yield regressor(f"edge/only_a_leaf_{aggregate}", leaf | {"aggregate_function": aggregate}, X)
    yield regressor("edge/base_of_a_target_without_votes", leaf | {"base_values": [1.0, 2.0]}, X)
    stump = leaf | {
        **{f"nodes_{k}": [0] * 3 for k in ("treeids", "featureids")},
        "nodes_nodeids": [0, 1, 2],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_values": [0.25, 0, 0],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "target_nodeids": [1],
    }
    yield regressor("edge/leaf_without_votes", stump, X)
    twice = {"target_treeids": [0] * 3, "target_nodeids": [1, 2, 1], "target_weights": [0.5, -0.5, 1.0]}
    yield regressor("edge/two_votes_of_a_leaf_for_one_of_two", stump | twice | {"target_ids": [1, 0, 1]}, X)
    yield regressor("edge/two_votes_of_a_leaf_for_the_only", stump | twice | {"target_ids": [0] * 3, "n_targets": 1}, X)
    branch = {"target_treeids": [0] * 3, "target_nodeids": [1, 2, 0], "target_weights": [0.5, -0.5, 1.0]}
    yield regressor("edge/vote_of_a_branch_is_dropped", stump | branch | {"target_ids": [0, 1, 1]}, X)
    shared = stump | {
        "nodes_treeids": [0] * 4,
        "nodes_nodeids": [0, 1, 2, 3],
        "nodes_featureids": [0, 0, 0, 1],
        "nodes_modes": ["BRANCH_EQ", "LEAF", "LEAF", "BRANCH_EQ"],
        "nodes_values": [1.0, 0, 0, 0.5],
        "nodes_truenodeids": [1, 0, 0, 1],
        "nodes_falsenodeids": [3, 0, 0, 2],
    }
    yield regressor("edge/shared_subtree", shared | twice | {"target_ids": [0] * 3, "target_nodeids": [1, 2, 2]}, X)
    # A chain of equalities, which is how LightGBM's categories are written.
    chain = stump | {
        "nodes_treeids": [0] * 5,
        "nodes_nodeids": [0, 1, 2, 3, 4],
        "nodes_featureids": [0] * 5,
        "nodes_modes": ["BRANCH_EQ"] * 3 + ["LEAF"] * 2,
        "nodes_values": [1.0, 2.0, 5.0, 0, 0],
        "nodes_truenodeids": [3, 3, 3, 0, 0],
        "nodes_falsenodeids": [1, 2, 4, 0, 0],
        "n_targets": 1,
        "target_treeids": [0, 0],
        "target_nodeids": [3, 4],
        "target_ids": [0, 0],
        "target_weights": [1.0, -1.0],
    }
    values = np.array([[0], [1], [1.5], [2], [5], [5.5], [40], [np.nan], [np.inf], [-1]], np.float32)
    yield regressor("edge/chain", chain, values)
    for flags in ([1, 0, 0], [0, 0, 1], [1, 1, 1]):
        name = f"edge/chain_missing_{''.join(map(str, flags))}"
        yield regressor(name, chain | {"nodes_missing_value_tracks_true": [*flags, 0, 0]}, values)

    # Refused.
    for key in good:
        if key not in ("n_targets", "target_ids", "target_treeids", "target_nodeids", "target_weights"):
            yield regressor(f"refused/{key}_short", good | {key: good[key][:-1]}, X)
            yield regressor(f"refused/{key}_absent", good | {key: None}, X)
    for key in ("target_ids", "target_treeids", "target_nodeids", "target_weights"):
        yield regressor(f"refused/{key}_short", good | {key: good[key][:-1]}, X)
    yield regressor("refused/n_targets_absent", good | {"n_targets": None}, X)
    yield regressor("refused/n_targets_zero", good | {"n_targets": 0}, X)
    yield regressor("refused/n_targets_negative", good | {"n_targets": -1}, X)
    yield regressor("refused/n_targets_few", good | {"n_targets": 1}, X)
    yield regressor("refused/target_negative", changed("target_ids", 0, -1), X)
    yield regressor("refused/mode_unknown", changed("nodes_modes", 0, "BRANCH_GE"), X)
    yield regressor("refused/node_twice", changed("nodes_nodeids", 1, 0), X)
    yield regressor("refused/no_true_child", changed("nodes_truenodeids", 0, 99), X)
    yield regressor("refused/no_false_child", changed("nodes_falsenodeids", 0, 99), X)
    yield regressor("refused/child_negative", changed("nodes_falsenodeids", 0, -1), X)
    yield regressor("refused/own_child", changed("nodes_truenodeids", 0, 0), X)
    yield regressor("refused/vote_of_no_tree", changed("target_treeids", 0, 99), X)
    yield regressor("refused/vote_of_no_node", changed("target_nodeids", 0, 99), X)
    yield regressor("refused/base_values_length", good | {"base_values": [1.0] * 3}, X)
    yield regressor("refused/aggregate_unknown", good | {"aggregate_function": "MEAN"}, X)
    yield regressor("refused/transform_unknown", good | {"post_transform": "LOGIT"}, X)
    yield regressor("refused/values_twice", good | numbers("nodes_values", trees.values, np.float32), X)
    yield regressor("refused/weights_twice", good | numbers("target_weights", good["target_weights"], np.float32), X)
    yield regressor(
        "refused/no_nodes",
        {k: [] if isinstance(v, list) else v for k, v in good.items()}
        | {"nodes_modes": None, "nodes_values": None, "target_weights": None},
        X,
    )
    yield regressor("refused/trees_mixed", good | {"nodes_treeids": [0, 1, *good["nodes_treeids"][2:]]}, X)
    yield classifier("refused/labels_absent", classes | {"classlabels_int64s": None}, X)
    yield classifier("refused/class_beyond", classes | {"classlabels_int64s": [7, -3]}, X)
    yield classifier("refused/class_base_values_length", classes | {"base_values": [1.0]}, X)
    both = trees.attributes(rng, "class", 2, per_leaf=2) | class_labels(2)
    only = [trees.attributes(rng, "class", 2, only=only) | class_labels(2) for only in (0, 1)]
    yield classifier("refused/binary_both_one_base_value", both | {"base_values": [0.5]}, X)
    yield classifier("refused/binary_both_two_base_values", both | {"base_values": [0.5, -0.5]}, X)
    yield classifier("refused/binary_first_two_base_values", only[0] | {"base_values": [0.5, -0.5]}, X)
    yield classifier("refused/binary_second_one_base_value", only[1] | {"base_values": [0.5]}, X)
    yield classifier("edge/labels_of_two_voted_for", both | {"classlabels_int64s": [7, -3]}, X)
    yield classifier("edge/labels_of_two_first_voted_for", only[0] | {"classlabels_int64s": [7, -3]}, X)
    sparse = trees.attributes(rng, "class", 2) | class_labels(2)
    for transform in TRANSFORMS[:4]:
        yield classifier(f"edge/binary_sparse_{transform}", sparse | {"post_transform": transform}, X)
    loop = stump | {
        "nodes_treeids": [0] * 4,
        "nodes_nodeids": [0, 1, 2, 3],
        "nodes_featureids": [0] * 4,
        "nodes_modes": ["BRANCH_LEQ", "BRANCH_LEQ", "BRANCH_LEQ", "LEAF"],
        "nodes_values": [1.0] * 4,
        "nodes_truenodeids": [1, 2, 1, 0],
        "nodes_falsenodeids": [3, 3, 3, 0],
        "target_nodeids": [3],
    }
    yield regressor("refused/loop", loop, X, record=never)
    back = loop | {"nodes_truenodeids": [1, 2, 0, 0]}
    yield regressor("refused/loop_to_the_root", back, X, record=never)


def five(rng):
    """TreeEnsemble."""

    def attributes(code, **changes):
        dtype = {FLOAT: np.float32, TensorProto.DOUBLE: np.float64, TensorProto.FLOAT16: np.float16}[code]
        base = {
            "n_targets": 2,
            "tree_roots": [0, 3],
            "nodes_featureids": [0, 1, 2, 1],
            "nodes_modes": [0, 0, 0, 0],
            "nodes_splits": [0.25, 0, 0.5, -0.5],
            "nodes_truenodeids": [1, 0, 2, 4],
            "nodes_falsenodeids": [2, 1, 3, 5],
            "nodes_trueleafs": [0, 1, 1, 1],
            "nodes_falseleafs": [0, 1, 1, 1],
            "leaf_targetids": [0, 1, 0, 1, 0, 1],
            "leaf_weights": [0.5, 1.5, 2.5, -3, 0.25, 0.75],
        } | changes
        for key in ("nodes_splits", "leaf_weights", "membership_values", "nodes_hitrates"):
            if base.get(key) is not None:
                base[key] = numpy_helper.from_array(np.array(base[key], dtype))
        base["nodes_modes"] = numpy_helper.from_array(np.array(base["nodes_modes"], np.uint8))
        return base

    def one(name, X=None, record=case, **changes):
        X = rows(rng, 10) if X is None else X
        code = element_type(X)
        built = model("TreeEnsemble", attributes(code, **changes), code, [("Y", code)], 5, X.ndim)
        return record(f"five/{name}", built, {"X": X})

    X = rows(rng, 12)
    X[::3, 1] = np.nan
    for mode in range(6):
        yield one(f"mode_{mode}", X, nodes_modes=[mode] * 4)
        yield one(f"mode_{mode}_missing", X, nodes_modes=[mode] * 4, nodes_missing_value_tracks_true=[1, 1, 0, 1])
    yield one("modes_mixed", X, nodes_modes=[1, 2, 5, 3])
    for aggregate, transform in itertools.product(range(4), range(5)):
        changes = {"aggregate_function": aggregate, "post_transform": transform}
        yield one(f"aggregate_{aggregate}_{TRANSFORM_NUMBERS[transform]}", **changes)
        single = {"n_targets": 1, "leaf_targetids": [0] * 6}
        yield one(f"single_{aggregate}_{TRANSFORM_NUMBERS[transform]}", **changes, **single)
    values = np.array([[v, v, v] for v in (-1, 0, 0.5, 1, 2, 2.5, 3, 30, 31, 40, np.nan, np.inf)], np.float32)
    for name, modes, members in (
        ("one_set", [6, 0, 0, 0], [2, 3, np.nan]),
        ("one_set_unended", [6, 0, 0, 0], [3, 2]),
        ("two_sets", [6, 0, 0, 6], [2, 3, np.nan, 1, 30, np.nan]),
        ("all_sets", [6] * 4, [2, 3, np.nan, 1, np.nan, 0, 3, np.nan, 30, np.nan]),
        ("fractions", [6, 0, 0, 0], [0.5, 40, -1, np.nan]),
    ):
        yield one(f"members_{name}", values, nodes_modes=modes, membership_values=members)
        missing = {"nodes_missing_value_tracks_true": [1, 0, 0, 0]}
        yield one(f"members_{name}_missing", values, nodes_modes=modes, membership_values=members, **missing)
    yield one("f64", rows(rng, 6, np.float64))
    yield one("f64_members", values.astype(np.float64), nodes_modes=[6, 0, 0, 0], membership_values=[2, 3, np.nan])
    yield one("no_rows", rows(rng)[:0])
    yield one("one_dimension", rows(rng)[0])
    yield one("hitrates", nodes_hitrates=[1, 1, 1, 1])
    leaf = {
        key: value[:1]
        for key, value in attributes(FLOAT).items()
        if key.startswith("nodes_") and isinstance(value, list)
    }
    yield one(
        "only_a_leaf",
        tree_roots=[0],
        **leaf
        | {
            "nodes_modes": [0],
            "nodes_splits": [0],
            "nodes_truenodeids": [3],
            "nodes_falsenodeids": [3],
            "nodes_trueleafs": [1],
            "nodes_falseleafs": [1],
        },
    )
    yield one("shared_subtree", nodes_falsenodeids=[1, 1, 3, 5])
    yield one("loop", record=never, nodes_truenodeids=[1, 0, 2, 4], nodes_trueleafs=[0, 0, 1, 1])
    for name, changes in {
        "too_few_features": {"nodes_featureids": [0, 1, 9, 1]},
        "feature_negative": {"nodes_featureids": [0, 1, -1, 1]},
        "mode_unknown": {"nodes_modes": [0, 0, 7, 0]},
        "target_negative": {"leaf_targetids": [0, 1, 0, -1, 0, 1]},
        "target_beyond": {"leaf_targetids": [0, 1, 0, 2, 0, 1]},
        "targets_short": {"leaf_targetids": [0, 1, 0]},
        "no_node": {"nodes_truenodeids": [9, 0, 2, 4]},
        "splits_short": {"nodes_splits": [0.25, 0]},
        "splits_absent": {"nodes_splits": None},
        "modes_short": {"nodes_modes": [0, 0]},
        "missing_short": {"nodes_missing_value_tracks_true": [1]},
        "features_absent": {"nodes_featureids": None},
        "roots_absent": {"tree_roots": None},
        "roots_empty": {"tree_roots": []},
        "root_twice": {"tree_roots": [0, 0]},
        "aggregate_unknown": {"aggregate_function": 4},
        "transform_unknown": {"post_transform": 5},
        "n_targets_zero": {"n_targets": 0},
    }.items():
        yield one(f"refused_{name}", **changes)
    # float16 exists only inside a graph here.
    half = model("TreeEnsemble", attributes(TensorProto.FLOAT16), TensorProto.FLOAT16, [("Y", TensorProto.FLOAT16)], 5)
    graph = onnx.load_from_string(half)
    node = graph.graph.node[0]
    node.input[0], node.output[0] = "half", "scores"
    graph.graph.node.insert(0, helper.make_node("Cast", ["X"], ["half"], to=TensorProto.FLOAT16))
    graph.graph.node.append(helper.make_node("Cast", ["scores"], ["Y"], to=FLOAT))
    for value in (graph.graph.input[0], graph.graph.output[0]):
        value.type.tensor_type.elem_type = FLOAT
    yield reference_case("five/f16", graph.SerializeToString(deterministic=True), {"X": rows(rng)})


def export(name, estimator, X, y, test, scores, options=None, double=False, convert=to_onnx):
    estimator.fit(X, y)
    kind = data_types.DoubleTensorType if double else data_types.FloatTensorType
    if convert is to_onnx:
        built = to_onnx(
            estimator,
            initial_types=[("X", kind([None, X.shape[1]]))],
            options=options,
            target_opset={"": 18, "ai.onnx.ml": 3},
        )
    else:
        built = convert(
            estimator, initial_types=[("X", BoosterFloat([None, X.shape[1]]))], target_opset=15, **(options or {})
        )
    opsets = {opset.domain: opset.version for opset in built.opset_import}
    del built.opset_import[:]
    built.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in opsets.items())
    built.graph.name = built.graph.name if convert is to_onnx else name
    reference = {"scores": np.asarray(getattr(estimator, scores)(test)).ravel().tolist()}
    if scores != "predict":
        reference["labels"] = estimator.predict(test).tolist()
    return case(f"export/{name}", recording.serialized(built), {"X": test}) | {"sklearn": reference}


def on_thresholds(estimator, X):
    """Rows of X with features moved onto, and by one float beside, the thresholds of a tree."""
    tree = estimator.tree_
    moved = []
    for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
        if feature >= 0:
            for beside in (np.float32(-np.inf), None, np.float32(np.inf)):
                row = X[len(moved) % len(X)].astype(np.float32)
                value = np.float32(threshold)
                row[feature] = value if beside is None else np.nextafter(value, beside)
                moved.append(row)
    return np.array(moved)


def exports():
    rng = np.random.default_rng(0)
    iris, y = load_iris(return_X_y=True)
    iris = iris.astype(np.float32)
    names = load_iris().target_names[y]
    diabetes, target = load_diabetes(return_X_y=True)
    diabetes = diabetes[:120, :5].astype(np.float32)
    target = target[:120]
    noisy = np.where(rng.random(150) < 0.2, rng.integers(0, 3, 150), y)
    two = noisy > 0
    test = rng.uniform([4, 1.5, 0.5, 0], [8.5, 5, 7.5, 3], size=(20, 4)).astype(np.float32)
    holes = test.copy()
    holes[rng.random(test.shape) < 0.2] = np.nan
    iris_holes = iris.copy()
    iris_holes[rng.random(iris.shape) < 0.1] = np.nan
    diabetes_test = rng.normal(0, 0.05, (20, 5)).astype(np.float32)
    diabetes_holes = np.where(rng.random((20, 5)) < 0.2, np.nan, diabetes_test).astype(np.float32)
    flat = {"zipmap": False}
    seed = {"random_state": 0}
    few = {"n_estimators": 10, "max_depth": 4, **seed}

    def classify(name, estimator, X=iris, y=noisy, test=test, scores="predict_proba", **kwargs):
        return export(name, estimator, X, y, test, scores, flat, **kwargs)

    def regress(name, estimator, X=diabetes, y=target, test=diabetes_test, options=None, **kwargs):
        return export(name, estimator, X, y, test, "predict", options, **kwargs)

    tree = DecisionTreeClassifier(max_depth=5, **seed).fit(iris, noisy)
    yield classify("decision_tree", DecisionTreeClassifier(max_depth=5, **seed))
    yield classify(
        "decision_tree_on_thresholds", DecisionTreeClassifier(max_depth=5, **seed), test=on_thresholds(tree, iris)
    )
    yield classify("decision_tree_binary", DecisionTreeClassifier(max_depth=4, **seed), iris[two], noisy[two])
    yield classify("decision_tree_strings", DecisionTreeClassifier(max_depth=4, **seed), y=names)
    yield classify("decision_tree_missing", DecisionTreeClassifier(max_depth=5, **seed), iris_holes, test=holes)
    yield classify("extra_tree", ExtraTreeClassifier(max_depth=4, **seed))
    yield classify("random_forest", se.RandomForestClassifier(**few))
    yield classify(
        "random_forest_binary",
        se.RandomForestClassifier(**few | {"n_estimators": 30, "max_depth": 2}),
        iris[two],
        noisy[two],
    )
    yield classify("random_forest_missing", se.RandomForestClassifier(**few), iris_holes, test=holes)
    yield classify("random_forest_f64", se.RandomForestClassifier(**few), test=test.astype(np.float64), double=True)
    yield classify("extra_trees", se.ExtraTreesClassifier(**few))
    boost = {"n_estimators": 8, "max_depth": 2, **seed}
    yield classify("gradient_boosting", se.GradientBoostingClassifier(**boost))
    yield classify("gradient_boosting_binary", se.GradientBoostingClassifier(**boost), iris[two], noisy[two])
    # Almost all of one class: every leaf is positive.
    rare = np.where(rng.random(150) < 0.35, 0, 1)
    yield classify("gradient_boosting_rare", se.GradientBoostingClassifier(**boost | {"n_estimators": 2}), y=rare)
    histogram = {"max_iter": 6, "max_leaf_nodes": 6, **seed}
    yield classify("hist_gradient_boosting", se.HistGradientBoostingClassifier(**histogram))
    yield classify(
        "hist_gradient_boosting_binary", se.HistGradientBoostingClassifier(**histogram), iris[two], noisy[two]
    )
    yield classify(
        "hist_gradient_boosting_missing", se.HistGradientBoostingClassifier(**histogram), iris_holes, test=holes
    )
    yield classify("ada_boost", se.AdaBoostClassifier(n_estimators=4, **seed))
    yield classify("bagging", se.BaggingClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=4, **seed))
    yield export(
        "isolation_forest",
        se.IsolationForest(n_estimators=6, max_samples=16, **seed),
        iris,
        None,
        test,
        "decision_function",
    )

    yield regress("decision_tree_regressor", DecisionTreeRegressor(max_depth=5, **seed))
    yield regress(
        "decision_tree_regressor_missing", DecisionTreeRegressor(max_depth=5, **seed), iris_holes, iris[:, 0], holes
    )
    yield regress("extra_tree_regressor", ExtraTreeRegressor(max_depth=5, **seed))
    yield regress("random_forest_regressor", se.RandomForestRegressor(**few))
    yield regress(
        "random_forest_regressor_f64",
        se.RandomForestRegressor(**few),
        test=diabetes_test.astype(np.float64),
        double=True,
    )
    yield regress("extra_trees_regressor", se.ExtraTreesRegressor(**few))
    yield regress("gradient_boosting_regressor", se.GradientBoostingRegressor(**boost))
    yield regress("hist_gradient_boosting_regressor", se.HistGradientBoostingRegressor(**histogram))
    yield regress(
        "hist_gradient_boosting_regressor_missing",
        se.HistGradientBoostingRegressor(**histogram),
        iris_holes,
        iris[:, 0],
        holes,
    )
    yield regress("ada_boost_regressor", se.AdaBoostRegressor(n_estimators=4, **seed))
    two_targets = np.column_stack([target, target**0.5])
    yield regress("decision_tree_regressor_two_targets", DecisionTreeRegressor(max_depth=4, **seed), y=two_targets)
    yield regress("random_forest_regressor_two_targets", se.RandomForestRegressor(**few), y=two_targets)

    gbm = {"n_estimators": 6, "num_leaves": 6, "verbose": -1, **seed}
    lgbm = {"convert": convert_lightgbm}
    yield classify("lightgbm", lightgbm.LGBMClassifier(**gbm), **lgbm)
    yield classify("lightgbm_binary", lightgbm.LGBMClassifier(**gbm), iris[two], noisy[two], **lgbm)
    yield classify("lightgbm_missing", lightgbm.LGBMClassifier(**gbm), iris_holes, test=holes, **lgbm)
    yield regress("lightgbm_regressor", lightgbm.LGBMRegressor(**gbm), **lgbm)
    xgb = {"n_estimators": 6, "max_depth": 3, **seed}
    convert = {"convert": convert_xgboost}
    yield export("xgboost", xgboost.XGBClassifier(**xgb), iris, noisy, test, "predict_proba", **convert)
    yield export(
        "xgboost_binary", xgboost.XGBClassifier(**xgb), iris[two], noisy[two] - 1, test, "predict_proba", **convert
    )
    yield export("xgboost_missing", xgboost.XGBClassifier(**xgb), iris_holes, noisy, holes, "predict_proba", **convert)
    yield regress("xgboost_regressor", xgboost.XGBRegressor(**xgb), **convert)
    yield regress("xgboost_regressor_missing", xgboost.XGBRegressor(**xgb), test=diabetes_holes, **convert)


def main():
    rng = np.random.default_rng(1)
    cases = [*exports(), *grid(rng), *types(rng), *edges(rng), *five(rng)]
    recording.write(Path(__file__).parent / "cases.json", cases)


if __name__ == "__main__":
    main()
