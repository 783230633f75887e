"""Writes cases.json: operators on categories and maps, inputs, and what onnxruntime answers. See README.md."""

import base64
import itertools
import sys
import warnings
from pathlib import Path

import numpy as np
from onnx import AttributeProto, TensorProto, helper
from skl2onnx import to_onnx
from skl2onnx.common import data_types
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, LabelEncoder, OneHotEncoder, OrdinalEncoder

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording

warnings.filterwarnings("ignore")

ELEMENTS = {
    "f32": (TensorProto.FLOAT, np.float32),
    "f64": (TensorProto.DOUBLE, np.float64),
    "i16": (TensorProto.INT16, np.int16),
    "i32": (TensorProto.INT32, np.int32),
    "i64": (TensorProto.INT64, np.int64),
    "string": (TensorProto.STRING, np.object_),
}
LISTS = {"f32": "floats", "i64": "int64s", "string": "strings"}
NAN = float("nan")


def empty(kind):
    """An empty list attribute, whose type cannot be told from its values."""
    return {"floats": AttributeProto.FLOATS, "int64s": AttributeProto.INTS, "strings": AttributeProto.STRINGS}[kind]


def node(op_type, attributes, inputs=("X",), outputs=("Y",)):
    built = helper.make_node(op_type, list(inputs), list(outputs), domain="ai.onnx.ml")
    for key, value in attributes.items():
        if isinstance(value, list) and not value:
            attr_type = empty(key.rsplit("_", 1)[1])
            built.attribute.append(helper.make_attribute(key, value, attr_type=attr_type))
        elif value is not None:
            built.attribute.append(helper.make_attribute(key, value))
    return built


def value_info(name, dtype, rank=1):
    return helper.make_tensor_value_info(name, ELEMENTS[dtype][0], [None] * rank)


def map_info(name, key, value):
    value_type = helper.make_tensor_type_proto(ELEMENTS[value][0], [])
    return helper.make_value_info(name, helper.make_map_type_proto(ELEMENTS[key][0], value_type))


def model(nodes, inputs, outputs, ml_version):
    graph = helper.make_graph(nodes, "categorical", inputs, outputs)
    opsets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", ml_version)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString(deterministic=True)


def one_node(op_type, attributes, X, from_type, to_type, ml_version=1, out_rank=None):
    """One node on the input X; int16 becomes int64 behind it, since models are not asked for int16."""
    rank = np.ndim(X)
    out_rank = rank if out_rank is None else out_rank
    nodes = [node(op_type, attributes)]
    if to_type == "i16":
        nodes.append(helper.make_node("Cast", ["Y"], ["Z"], to=TensorProto.INT64))
        output = value_info("Z", "i64", out_rank)
    else:
        output = value_info("Y", to_type, out_rank)
    return model(nodes, [value_info("X", from_type, rank)], [output], ml_version)


def case(name, op_type, attributes, X, from_type, to_type, ml_version=1, out_rank=None):
    X = np.array(X, ELEMENTS[from_type][1])
    built = one_node(op_type, attributes, X, from_type, to_type, ml_version, out_rank)
    return recording.case(name, built, {"X": X})


def by_hand(name, built, feeds, outputs):
    """A case for which onnxruntime has no kernel, or no way to be fed: the answer is written here."""
    return {"name": name, "model": base64.b64encode(built).decode(), "feeds": feeds, "outputs": outputs}


def values_of(dtype, count, start=1):
    numbers = range(start, start + count)
    if dtype == "string":
        return [f"s{number}" for number in numbers]
    return [number + 0.5 if dtype in ("f32", "f64") else number * 3 for number in numbers]


def constant(dtype, values, dims=None):
    data = [value.encode() for value in values] if dtype == "string" else values
    return helper.make_tensor("values", ELEMENTS[dtype][0], [len(values)] if dims is None else dims, data)


def unknown(dtype):
    return "nobody" if dtype == "string" else 77


def label_encoder():
    op = "LabelEncoder"
    classes = {"classes_strings": ["a", "b", "", "été", "a"]}
    texts, places = ["b", "a", "z", "", "été", "A"], [0, 1, 4, 5, -1, 2**40]
    for name, changes in (
        ("defaults", {}),
        ("default_string", {"default_string": "none"}),
        ("default_int64", {"default_int64": 9}),
        ("default_both", {"default_string": "", "default_int64": -9}),
        ("no_classes", {"classes_strings": None}),
    ):
        attributes = classes | changes
        yield case(f"label_encoder_1/{name}_string", op, attributes, texts, "string", "i64")
        yield case(f"label_encoder_1/{name}_i64", op, attributes, places, "i64", "string")
    yield case("label_encoder_1/empty_classes", op, {"classes_strings": []}, texts, "string", "i64")
    yield case("label_encoder_1/i32_input", op, classes, [0, 1], "i32", "string")
    yield case("label_encoder_1/f32_input", op, classes, [0, 1], "f32", "string")
    yield case("label_encoder_1/strings_to_strings", op, classes, texts, "string", "string")
    for shape in ((), (0,), (1, 1), (2, 3), (0, 2), (1, 2, 3)):
        X = np.resize(np.array(texts, object), shape)
        yield case(f"label_encoder_1/shape_{shape}", op, classes, X, "string", "i64")

    for version, (source, target) in itertools.product((2, 3, 4, 5), itertools.product(LISTS, repeat=2)):
        keys, values = values_of(source, 4), values_of(target, 4, 11)
        attributes = {f"keys_{LISTS[source]}": keys, f"values_{LISTS[target]}": values}
        X = [keys[2], keys[0], unknown(source), keys[3]]
        name = f"label_encoder_{version}/{source}-{target}"
        yield case(name, op, attributes, X, source, target, version)
        if version in (2, 4):
            defaults = {"default_float": 2.25, "default_int64": 5, "default_string": "?"}
            yield case(f"{name}-defaults", op, attributes | defaults, X, source, target, version)
            repeated = {f"keys_{LISTS[source]}": [keys[0], keys[0], keys[1], keys[0]]}
            yield case(f"{name}-repeated", op, attributes | repeated, X, source, target, version)
        if version == 4:
            default = {"default_tensor": constant(target, values_of(target, 1, 50))}
            yield case(f"{name}-default_tensor", op, attributes | default, X, source, target, version)

    # onnxruntime has kernels for some of the types that the specification has.
    for source, target in itertools.product(ELEMENTS, repeat=2):
        keys, values = values_of(source, 3), values_of(target, 3, 11)
        attributes = {"keys_tensor": constant(source, keys), "values_tensor": constant(target, values)}
        X = [keys[2], unknown(source), keys[0]]
        for suffix, default in (("", {}), ("-default", {"default_tensor": constant(target, values_of(target, 1, 50))})):
            name = f"label_encoder_4/tensor-{source}-{target}{suffix}"
            recorded = case(name, op, attributes | default, X, source, target, 4)
            no_kernel = "NOT_IMPLEMENTED" in recorded.get("error", "")
            if source == "i16":
                # Nor can an int16 input be fed; such keys are tested in Rust.
                assert no_kernel
                continue
            if no_kernel:
                del recorded["error"]
                otherwise = values_of(target, 1, 50)[0] if default else -0.0 if target == "f64" else None
                if otherwise is None:
                    otherwise = {"f32": -0.0, "string": "_Unused"}.get(target, -1)
                dtype, output = ("i64", "Z") if target == "i16" else (target, "Y")
                answer = np.array([values[2], otherwise, values[0]], ELEMENTS[dtype][1])
                recorded["outputs"] = [recording.tensor(output, answer)]
            yield recorded

    mixed = {"keys_strings": ["a", "b"], "values_tensor": constant("f64", [0.1, 1e300])}
    yield case("label_encoder_4/list_and_tensor", op, mixed, ["b", "a", "c"], "string", "f64", 4)
    yield case("label_encoder_4/default_float_of_double", op, mixed | {"default_float": 2.5}, ["c"], "string", "f64", 4)
    short = {"keys_strings": ["a"], "values_tensor": constant("i16", [7])}
    yield case(
        "label_encoder_4/default_int64_of_int16", op, short | {"default_int64": 5}, ["a", "c"], "string", "i16", 4
    )
    pairs = {"keys_strings": ["a", "b"], "values_int64s": [1, 2]}
    for version, (name, attributes) in itertools.product(
        (2, 4),
        (
            ("no_keys", pairs | {"keys_strings": None}),
            ("no_values", pairs | {"values_int64s": None}),
            ("two_keys", pairs | {"keys_int64s": [1, 2]}),
            ("two_values", pairs | {"values_floats": [1.0, 2.0]}),
            ("short_values", pairs | {"values_int64s": [1]}),
            ("long_values", pairs | {"values_int64s": [1, 2, 3]}),
            ("other_keys", pairs | {"keys_strings": None, "keys_int64s": [1, 2]}),
            ("empty", {"keys_strings": [], "values_int64s": []}),
            ("keys_tensor", pairs | {"keys_strings": None, "keys_tensor": constant("string", ["a", "c"])}),
            ("default_tensor", pairs | {"default_tensor": constant("i64", [6])}),
            ("classes", {"classes_strings": ["a"]}),
        ),
    ):
        yield case(f"label_encoder_{version}/{name}", op, attributes, ["a", "c"], "string", "i64", version)
    for name, tensor in (
        ("scalar", constant("i64", [6], [])),
        ("two", constant("i64", [6, 7])),
        ("none", constant("i64", [])),
        ("float", constant("f32", [6.0])),
        ("square", constant("i64", [6], [1, 1])),
    ):
        attributes = pairs | {"default_tensor": tensor}
        yield case(f"label_encoder_4/default_tensor_{name}", op, attributes, ["a", "c"], "string", "i64", 4)
    square = {"keys_tensor": constant("string", ["a", "b"], [2, 1]), "values_int64s": [1, 2]}
    yield case("label_encoder_4/keys_tensor_2d", op, square, ["a", "c"], "string", "i64", 4)
    bools = helper.make_tensor("keys", TensorProto.BOOL, [2], [True, False])
    yield case(
        "label_encoder_4/values_tensor_bool",
        op,
        pairs | {"values_int64s": None, "values_tensor": bools},
        ["a"],
        "string",
        "i64",
        4,
    )
    yield case("label_encoder_2/i32_input", op, {"keys_int64s": [1], "values_int64s": [2]}, [1], "i32", "i64", 2)
    for shape in ((), (0,), (1, 1), (2, 3), (0, 2), (1, 2, 3)):
        X = np.resize(np.array(["b", "c", "a"], object), shape)
        yield case(f"label_encoder_2/shape_{shape}", op, pairs, X, "string", "i64", 2)

    odd = [NAN, 0.0, float("inf"), 1.0, 1.0]
    X = [NAN, -0.0, float("-inf"), float("inf"), 1.0, 2.0]
    floats = {"keys_floats": odd, "values_int64s": [10, 20, 30, 40, 50]}
    for version in (2, 4):
        yield case(f"label_encoder_{version}/nan_key", op, floats, X, "f32", "i64", version)
        no_nan = {"keys_floats": odd[1:], "values_int64s": [20, 30, 40, 50]}
        yield case(f"label_encoder_{version}/nan_input", op, no_nan, X, "f32", "i64", version)
        to_nan = {"keys_int64s": [1], "values_floats": [NAN], "default_float": float("inf")}
        yield case(f"label_encoder_{version}/nan_value", op, to_nan, [1, 2], "i64", "f32", version)
    doubles = {"keys_tensor": constant("f64", odd), "values_int64s": [10, 20, 30, 40, 50]}
    yield case("label_encoder_4/nan_key_double", op, doubles, X, "f64", "i64", 4)
    near = {"keys_tensor": constant("f64", [0.1, 16777217.0]), "values_int64s": [1, 2]}
    yield case("label_encoder_4/exact_double", op, near, [0.1, np.float32(0.1), 16777216, 16777217], "f64", "i64", 4)


def one_hot_encoder():
    op = "OneHotEncoder"
    whole = [[1, 5], [3, -2], [5, 5]]
    ints, strings = {"cats_int64s": [1, 5, -2]}, {"cats_strings": ["a", "b", ""]}
    for dtype, zeros in itertools.product(("f32", "f64", "i32", "i64"), (None, 0, 1, 2)):
        name = f"one_hot_encoder/{dtype}-zeros_{zeros}"
        attributes = ints | {"zeros": zeros}
        if dtype != "i32":
            yield case(f"{name}-known", op, attributes, [[1], [5], [-2]], dtype, "f32", out_rank=3)
            yield case(f"{name}-unknown", op, attributes, whole, dtype, "f32", out_rank=3)
        elif zeros != 0:
            answer = np.array([[[v == c for c in ints["cats_int64s"]] for v in row] for row in whole], np.float32)
            X = np.array(whole, np.int32)
            built = one_node(op, attributes, X, "i32", "f32", out_rank=3)
            yield by_hand(name, built, [recording.tensor("X", X)], [recording.tensor("Y", answer)])
    for zeros in (None, 0, 1):
        attributes = strings | {"zeros": zeros}
        yield case(
            f"one_hot_encoder/string-zeros_{zeros}-known", op, attributes, ["b", "", "a"], "string", "f32", out_rank=2
        )
        yield case(
            f"one_hot_encoder/string-zeros_{zeros}-unknown", op, attributes, ["b", "c"], "string", "f32", out_rank=2
        )
    fractions = [1.7, -0.5, -2.9, 5.0, 4.999]
    for dtype in ("f32", "f64"):
        yield case(
            f"one_hot_encoder/fractions_{dtype}",
            op,
            {"cats_int64s": [1, 0, -2, 4]},
            fractions,
            dtype,
            "f32",
            out_rank=2,
        )
        odd = [NAN, float("inf"), float("-inf"), 1e30, 1.0]
        yield case(f"one_hot_encoder/not_finite_{dtype}", op, ints, odd, dtype, "f32", out_rank=2)
        yield case(f"one_hot_encoder/not_finite_strict_{dtype}", op, ints | {"zeros": 0}, odd, dtype, "f32", out_rank=2)
    yield case(
        "one_hot_encoder/beyond_f64", op, {"cats_int64s": [2**53 + 1, 2**53]}, [2**53 + 1], "i64", "f32", out_rank=2
    )
    yield case(
        "one_hot_encoder/repeated", op, {"cats_strings": ["a", "b", "a"]}, ["a", "b"], "string", "f32", out_rank=2
    )
    yield case("one_hot_encoder/both", op, ints | strings, ["a", "b"], "string", "f32", out_rank=2)
    yield case("one_hot_encoder/none", op, {}, ["a", "b"], "string", "f32", out_rank=2)
    yield case("one_hot_encoder/empty", op, {"cats_strings": []}, ["a", "b"], "string", "f32", out_rank=2)
    yield case("one_hot_encoder/other_kind_string", op, ints, ["a", "b"], "string", "f32", out_rank=2)
    yield case("one_hot_encoder/other_kind_i64", op, strings, [1, 2], "i64", "f32", out_rank=2)
    for shape in ((), (0,), (1,), (1, 1), (0, 2), (2, 3), (2, 1, 2)):
        X = np.resize(np.array([1, 5, 7]), shape)
        yield case(f"one_hot_encoder/shape_{shape}", op, ints, X, "i64", "f32", out_rank=len(shape) + 1)


def category_mapper():
    op = "CategoryMapper"
    pairs = {"cats_int64s": [5, 6, -7], "cats_strings": ["a", "b", "é"]}
    defaults = ("default_int64", 9), ("default_string", "none")
    texts, numbers = [["b", "z"], ["é", "a"]], [[6, 0], [-7, 5]]
    for chosen in itertools.chain.from_iterable(itertools.combinations(defaults, count) for count in range(3)):
        name = "-".join(key for key, _ in chosen) or "defaults"
        yield case(f"category_mapper/{name}_string", op, pairs | dict(chosen), texts, "string", "i64")
        yield case(f"category_mapper/{name}_i64", op, pairs | dict(chosen), numbers, "i64", "string")
    repeated = {"cats_int64s": [5, 6, 6], "cats_strings": ["a", "b", "a"]}
    for name, attributes in (
        ("repeated", repeated),
        ("empty", {"cats_int64s": [], "cats_strings": []}),
        ("short", pairs | {"cats_int64s": [5]}),
        ("no_ints", pairs | {"cats_int64s": None}),
        ("no_strings", pairs | {"cats_strings": None}),
        ("nothing", {}),
    ):
        yield case(f"category_mapper/{name}_string", op, attributes, texts, "string", "i64")
        yield case(f"category_mapper/{name}_i64", op, attributes, numbers, "i64", "string")
    yield case("category_mapper/i32_input", op, pairs, [5], "i32", "string")
    for shape in ((), (0,), (1, 1), (0, 2), (1, 2, 3)):
        X = np.resize(np.array(["b", "c", "a"], object), shape)
        yield case(f"category_mapper/shape_{shape}", op, pairs, X, "string", "i64")


def map_case(name, op_type, attributes, pairs, key, value, output, ml_version=1):
    """onnxruntime can be fed a map from Python only if its values are floats."""
    outputs = [value_info("Y", output, 2)]
    built = model([node(op_type, attributes)], [map_info("X", key, value)], outputs, ml_version)
    return recording.case(name, built, {"X": pairs})


def dict_vectorizer():
    op = "DictVectorizer"
    vocabulary = {"string": ["b", "z", "a", "b"], "i64": [2, 9, 1, 2]}
    attribute = {"string": "string_vocabulary", "i64": "int64_vocabulary"}
    for key, value in itertools.product(vocabulary, ("f32", "f64", "i64", "string")):
        words = vocabulary[key]
        attributes = {attribute[key]: words}
        for name, keys in (
            ("some", [words[0], words[2]]),
            ("other", ["q", words[1]] if key == "string" else [-4, words[1]]),
        ):
            values = values_of(value, 2)
            pairs = dict(zip(keys, values, strict=True))
            name = f"dict_vectorizer/{key}-{value}-{name}"
            if key == value:
                # There are no such maps, so it does not matter what is in one.
                pairs = dict.fromkeys(keys, 1.0)
            if value == "f32" or key == value:
                yield map_case(name, op, attributes, pairs, key, value, value)
                continue
            built = model([node(op, attributes)], [map_info("X", key, value)], [value_info("Y", value, 2)], 1)
            nothing = "" if value == "string" else 0
            answer = np.array([[pairs.get(word, nothing) for word in words]], ELEMENTS[value][1])
            feed = recording.map_of("X", pairs, ELEMENTS[value][1])
            yield by_hand(name, built, [feed], [recording.tensor("Y", answer)])
    floats = ("string", "f32", "f32")
    words = {"string_vocabulary": ["a", "b"]}
    empty_map = {"keys": recording.tensor("keys", np.array([], object))}
    built = model([node(op, words)], [map_info("X", "string", "f32")], [value_info("Y", "f32", 2)], 1)
    feed = recording.tensor("X", np.array([], np.float32)) | empty_map
    # onnxruntime's Python refuses an empty dictionary, whose type it cannot tell.
    yield by_hand("dict_vectorizer/empty_map", built, [feed], [recording.tensor("Y", np.zeros((1, 2), np.float32))])
    yield map_case("dict_vectorizer/odd_numbers", op, words, {"a": NAN, "b": float("inf")}, *floats)
    none = helper.make_node(op, ["X"], ["Y"], domain="ai.onnx.ml")
    none.attribute.append(helper.make_attribute("string_vocabulary", [], attr_type=AttributeProto.STRINGS))
    built = model([none], [map_info("X", "string", "f32")], [value_info("Y", "f32", 2)], 1)
    yield recording.case("dict_vectorizer/empty_vocabulary", built, {"X": {"a": 1.0}})
    yield map_case("dict_vectorizer/both_vocabularies", op, words | {"int64_vocabulary": [1]}, {"a": 1.0}, *floats)
    yield map_case("dict_vectorizer/no_vocabulary", op, {}, {"a": 1.0}, *floats)
    yield map_case("dict_vectorizer/other_vocabulary", op, {"int64_vocabulary": [1]}, {"a": 1.0}, *floats)
    yield case("dict_vectorizer/tensor_input", op, words, ["a"], "string", "f32", out_rank=2)
    for name, nodes, info, feed in (
        (
            "identity",
            [helper.make_node("Identity", ["X"], ["Z"]), node(op, words, inputs=["Z"])],
            map_info("X", "string", "f32"),
            {"a": 1.0},
        ),
        ("float_keys", [node(op, words)], map_info("X", "f32", "f32"), {1: 1.0}),
        ("two_inputs", [node(op, words, inputs=["X", "X"])], map_info("X", "string", "f32"), {"a": 1.0}),
        (
            "map_of_maps",
            [node(op, words)],
            helper.make_value_info(
                "X", helper.make_map_type_proto(TensorProto.STRING, map_info("", "string", "f32").type)
            ),
            {"a": 1.0},
        ),
        (
            "sequence",
            [node(op, words)],
            helper.make_value_info("X", helper.make_sequence_type_proto(map_info("", "string", "f32").type)),
            {"a": 1.0},
        ),
    ):
        built = model(nodes, [info], [value_info("Y", "f32", 2)], 1)
        yield recording.case(f"dict_vectorizer/refused_{name}", built, {"X": feed})
    built = model([node(op, words)], [map_info("X", "string", "f32")], [map_info("X", "string", "f32")], 1)
    yield recording.case("dict_vectorizer/refused_output", built, {"X": {"a": 1.0}})
    nodes = [node(op, words), node(op, {"string_vocabulary": ["c", "a"]}, outputs=["Z"])]
    outputs = [value_info("Y", "f32", 2), value_info("Z", "f32", 2)]
    built = model(nodes, [map_info("X", "string", "f32")], outputs, 1)
    yield recording.case("dict_vectorizer/two_readers", built, {"X": {"a": 1.0, "c": 2.0}})
    nodes = [node(op, words), helper.make_node("Add", ["Y", "W"], ["Z"])]
    inputs = [map_info("X", "string", "f32"), value_info("W", "f32", 2)]
    built = model(nodes, inputs, [value_info("Z", "f32", 2)], 1)
    feeds = {"X": {"b": 1.0}, "W": np.array([[10, 20]], np.float32)}
    yield recording.case("dict_vectorizer/map_and_tensor", built, feeds)
    nodes = [node(op, words), node(op, {"int64_vocabulary": [3]}, inputs=["W"], outputs=["Z"])]
    inputs = [map_info("X", "string", "f32"), map_info("W", "i64", "f32")]
    built = model(nodes, inputs, [value_info("Y", "f32", 2), value_info("Z", "f32", 2)], 1)
    yield recording.case("dict_vectorizer/two_maps", built, {"X": {"b": 1.0}, "W": {3: 2.0, 4: 1.0}})


def cast_map():
    op = "CastMap"
    targets = {"TO_FLOAT": "f32", "TO_INT64": "i64", "TO_STRING": "string"}
    pairs = {3: 2.75, 1: -7.5, 10: 1e10}
    for (cast_to, output), form in itertools.product(targets.items(), ("DENSE", "SPARSE")):
        attributes = {"cast_to": cast_to, "map_form": form, "max_map": 5}
        name = f"cast_map/{cast_to}-{form}"
        yield map_case(f"{name}-f32", op, attributes, pairs, "i64", "f32", output)
        texts = {3: "2", 1: " -7", 10: "8"}
        numbers = {3: 2, 1: -7, 10: 8}
        built = model([node(op, attributes)], [map_info("X", "i64", "string")], [value_info("Y", output, 2)], 1)
        source, pad = (texts, "0.f") if output == "string" else (numbers, 0)
        values = [source[1], source[3], source[10]] if form == "DENSE" else [pad, source[1], pad, source[3], pad]
        answer = recording.tensor("Y", np.array([values], ELEMENTS[output][1]))
        yield by_hand(f"{name}-string", built, [recording.map_of("X", texts, np.object_)], [answer])
    floats = ("i64", "f32", "f32")
    for name, attributes in (
        ("defaults", {}),
        ("sparse_default_max_map", {"map_form": "SPARSE"}),
        ("sparse_no_max_map", {"map_form": "SPARSE", "max_map": 0}),
        ("sparse_negative_max_map", {"map_form": "SPARSE", "max_map": -1}),
        ("dense_no_max_map", {"map_form": "DENSE", "max_map": 0}),
        ("unknown_cast_to", {"cast_to": "TO_DOUBLE"}),
        ("unknown_map_form", {"map_form": "sparse"}),
    ):
        yield map_case(f"cast_map/{name}", op, attributes, {3: 1.5, 0: 4.0}, *floats)
    huge = {"map_form": "SPARSE", "max_map": 2**40}
    built = model([node(op, huge)], [map_info("X", "i64", "f32")], [value_info("Y", "f32", 2)], 1)
    error = "onnxruntime asks for four terabytes"
    yield {"name": "cast_map/huge_max_map", "model": base64.b64encode(built).decode(), "error": error}
    negative = {-3: 1.0, 0: 4.0}
    yield map_case("cast_map/dense_negative_key", op, {}, negative, *floats)
    yield map_case("cast_map/sparse_negative_key", op, {"map_form": "SPARSE", "max_map": 2}, negative, *floats)
    yield map_case("cast_map/string_keys", op, {}, {"a": 1.0}, "string", "f32", "f32")
    yield map_case("cast_map/double_values", op, {}, {1: 1.0}, "i64", "f64", "f32")
    text = {"cast_to": "TO_STRING"}
    numbers = [0.1, 1e10, 1e-10, NAN, float("inf"), float("-inf"), -0.0, 1 / 3, 3.4e38, 2.5e-7, 0.0000005]
    yield map_case("cast_map/float_texts", op, text, dict(enumerate(numbers)), "i64", "f32", "string")
    fractions = dict(enumerate([0.9, -0.9, 1e10, -2.5, 9.2e18]))
    yield map_case("cast_map/float_fractions", op, {"cast_to": "TO_INT64"}, fractions, "i64", "f32", "i64")


def exported(name, estimator, initial_types, feeds, **options):
    built = to_onnx(estimator, initial_types=initial_types, target_opset={"": 17, "ai.onnx.ml": 3}, **options)
    return recording.case(f"skl2onnx/{name}", recording.serialized(built), feeds)


def exports():
    rng = np.random.default_rng(0)
    colours = np.array([["red"], ["blue"], ["green"], ["blue"], ["été"]], object)
    text, whole, real = (
        data_types.StringTensorType([None, 1]),
        data_types.Int64TensorType([None, 1]),
        data_types.FloatTensorType([None, 1]),
    )
    numbers = np.array([[3], [-1], [7], [3]], np.int64)
    rows = np.array([["green"], ["été"], ["red"]], object)

    yield exported(
        "label_encoder_string",
        LabelEncoder().fit(colours.ravel()),
        [("X", data_types.StringTensorType([None]))],
        {"X": rows.ravel()},
    )
    yield exported(
        "label_encoder_i64",
        LabelEncoder().fit(numbers.ravel()),
        [("X", data_types.Int64TensorType([None]))],
        {"X": numbers.ravel()},
    )
    yield exported(
        "label_encoder_f32",
        LabelEncoder().fit(numbers.ravel() / 2),
        [("X", data_types.FloatTensorType([None]))],
        {"X": (numbers.ravel() / 2).astype(np.float32)},
    )
    yield exported("ordinal_string", OrdinalEncoder().fit(colours), [("X", text)], {"X": rows})
    yield exported(
        "ordinal_unknown",
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-5).fit(colours),
        [("X", text)],
        {"X": np.array([["red"], ["pink"]], object)},
    )
    yield exported("ordinal_i64", OrdinalEncoder(dtype=np.int64).fit(numbers), [("X", whole)], {"X": numbers})
    holes = np.array([[1.0], [NAN], [2.5]])
    encoder = OrdinalEncoder(encoded_missing_value=-2).fit(holes)
    yield exported("ordinal_missing", encoder, [("X", real)], {"X": holes.astype(np.float32)})
    yield exported("one_hot_string", OneHotEncoder(sparse_output=False).fit(colours), [("X", text)], {"X": rows})
    yield exported(
        "one_hot_strict_i64", OneHotEncoder(sparse_output=False).fit(numbers), [("X", whole)], {"X": numbers}
    )
    yield exported(
        "one_hot_ignore_i64",
        OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(numbers),
        [("X", whole)],
        {"X": np.array([[3], [100]])},
    )
    yield exported(
        "one_hot_f32",
        OneHotEncoder(sparse_output=False).fit(numbers.astype(np.float32)),
        [("X", real)],
        {"X": numbers.astype(np.float32)},
    )
    yield exported(
        "imputer_string",
        SimpleImputer(strategy="most_frequent", missing_values="").fit(colours),
        [("X", text)],
        {"X": np.array([[""], ["red"]], object)},
    )
    grid = rng.uniform(size=(40, 2)).astype(np.float32)
    bins = KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf").fit(grid)
    yield exported("bins", bins, [("X", data_types.FloatTensorType([None, 2]))], {"X": grid[:5]})
    columns = np.hstack([np.resize(colours, (40, 1)), np.resize(np.array([["x"], ["y"]], object), (40, 1))])
    encoder = ColumnTransformer([("one_hot", OneHotEncoder(handle_unknown="ignore"), [0, 1])])
    classes = np.array(["no", "yes"])[(grid[:, 0] > 0.5).astype(int)]
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(columns, classes)
    yield exported(
        "columns",
        pipeline,
        [("X", data_types.StringTensorType([None, 2]))],
        {"X": columns[:4]},
        options={"zipmap": False},
    )
    dictionaries = [{"amy": 1.0, "chin": 200.0}, {"nice": 3.0, "amy": 1.0}]
    vectorizer = DictVectorizer(sparse=False).fit(dictionaries)
    dictionary = data_types.DictionaryType(data_types.StringTensorType([1]), data_types.FloatTensorType([1]))
    for index, row in enumerate([*dictionaries, {"unheard": 1.0}]):
        yield exported(f"dict_vectorizer_{index}", vectorizer, [("X", dictionary)], {"X": row})


def main():
    cases = itertools.chain(
        exports(), label_encoder(), one_hot_encoder(), category_mapper(), dict_vectorizer(), cast_map()
    )
    recording.write(Path(__file__).parent / "cases.json", cases)


if __name__ == "__main__":
    main()
