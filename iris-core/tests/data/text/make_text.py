"""Writes cases.json: models of text, inputs, and what onnxruntime and scikit-learn answer. See README.md."""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[1]))
import recording

warnings.filterwarnings("ignore")

MS = "com.microsoft"
FLOAT, DOUBLE, STRING, BOOL = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.STRING, TensorProto.BOOL
INT32, INT64, UINT32 = TensorProto.INT32, TensorProto.INT64, TensorProto.UINT32
TOKENIZER = {"mark": 0, "pad_value": "#", "mincharnum": 1}


def texts(*values, shape=None):
    array = np.array(values, dtype=object)
    return array if shape is None else array.reshape(shape)


def node(op_type, inputs, outputs, attributes, domain=""):
    made = helper.make_node(op_type, inputs, outputs, domain=domain)
    for key, value in attributes.items():
        if value is not None:
            made.attribute.append(helper.make_attribute(key, value))
    return made


def model(nodes, feeds, outputs, opset=21, initializers=(), first=None):
    """A graph of `nodes` whose dimensions are unknown but the `first`; `outputs` is names with their types and ranks."""

    def dimensions(count):
        return [first, *[None] * (count - 1)][:count]

    inputs = [
        helper.make_tensor_value_info(
            name,
            STRING if array.dtype == object else helper.np_dtype_to_tensor_dtype(array.dtype),
            dimensions(array.ndim),
        )
        for name, array in feeds.items()
    ]
    graph = helper.make_graph(
        nodes,
        "text",
        inputs,
        [helper.make_tensor_value_info(name, type_, dimensions(rank)) for name, (type_, rank) in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in dict(initializers).items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString(deterministic=True)


def single(name, op_type, feeds, output, attributes=None, domain="", opset=21, first=None):
    """A case of one node that gives one output, of type and rank `output`."""
    made = node(op_type, list(feeds), ["Y"], attributes or {}, domain)
    return recording.case(name, model([made], feeds, {"Y": output}, opset, first=first), feeds)


def string_normalizer():
    def case(name, X, **attributes):
        # ONNX's shape inference refuses rows of whose number it does not know that it is one.
        first = X.shape[0] if X.ndim == 2 else None
        return single(
            f"string_normalizer/{name}", "StringNormalizer", {"X": X}, (STRING, X.ndim), attributes, first=first
        )

    plain = texts("Ab", "the", "THE", "É", "", "b c")
    for action in ("LOWER", "UPPER", "NONE", None):
        for sensitive in (0, 1, None):
            for stop in (None, ["the"], ["THE", "ab"]):
                name = f"{action}-{sensitive}-{'_'.join(stop or ['none'])}"
                attributes = {"case_change_action": action, "is_case_sensitive": sensitive, "stopwords": stop}
                yield case(name, plain, **attributes)
    yield case("row", plain.reshape(1, -1), case_change_action="LOWER", stopwords=["the"])
    yield case("row_without_stop_words", plain.reshape(1, -1), case_change_action="LOWER")
    yield case("all_removed", texts("a", "A"), stopwords=["a"])
    yield case("all_removed_row", texts("a", "A", shape=(1, 2)), stopwords=["a"])
    yield case("empty_string_is_kept", texts("", "a"), stopwords=["a"])
    yield case("locale", plain, locale="en_US.UTF-8", case_change_action="UPPER")
    yield case("other_scripts", texts("ÀÉÎ", "ЖУК", "Δ", "ẞ"), case_change_action="LOWER")
    yield case("full_mapping_lower", texts("İ", "ΑΣ"), case_change_action="LOWER")
    yield case("full_mapping_upper", texts("straße", "ﬁ"), case_change_action="UPPER")
    yield case("locale_that_is_not_there", texts("é"), locale="xx_XX", case_change_action="UPPER")
    yield case("no_strings", np.empty((0,), object))
    yield case("no_strings_row", np.empty((1, 0), object))
    yield case("two_rows", texts("a", "b", shape=(2, 1)))
    yield case("three_dimensions", texts("a", shape=(1, 1, 1)))
    yield case("scalar", np.array("a", dtype=object))
    yield case("unknown_action", plain, case_change_action="TITLE")
    yield case("stop_words_repeat", plain, stopwords=["a", "A"])
    yield case("stop_word_is_empty", plain, stopwords=[""], is_case_sensitive=1)


def tokenizer():
    def case(name, X, **attributes):
        attributes = TOKENIZER | attributes
        return single(f"tokenizer/{name}", "Tokenizer", {"X": X}, (STRING, X.ndim + 1), attributes, MS)

    some = texts("a bb,ccc", "é", "", "bb bb")
    table = texts("a b", "c", "", "d e f", shape=(2, 2))
    for mark in (0, 1):
        for shape, X in (("one", some), ("two", table)):
            yield case(f"characters-{shape}-{mark}", X, mark=mark, separators=[""])
            yield case(f"dot-{shape}-{mark}", X, mark=mark, tokenexp=".")
            yield case(f"separators-{shape}-{mark}", X, mark=mark, separators=[" ", ","])
            yield case(f"tokenexp-{shape}-{mark}", X, mark=mark, tokenexp="[a-z]+")
    for count in (1, 2, 3, 9):
        yield case(f"mincharnum_{count}", some, mincharnum=count, tokenexp=r"[a-zé]+")
        yield case(f"mincharnum_{count}_separators", some, mincharnum=count, separators=[" ", ","])
    for index, pattern in enumerate(
        [
            "a|ab", "a+?", "b*", "^b", "b$", r"\w+", r"\W+", r"\b\w\w+\b", r"\B.", r"[^\w]+", r"[\W_]+", r"\d+", r"\D",
            r"\s", r"\S+", "[[:alpha:]]+", r"\Qa[.\E", "(?i)AB", r"\pL+", "[]a]+", "[[a]+", "a{,2}", "a{2}", "[a&&b]+",
            "(?s).+", "[^ ]+", "(a|ab)(c|bcd)", r"(?P<name>a)b", r"\x61", "[é-ü]+", r"\.", "a.b", r"(?:a|b)+",
        ]
    ):  # fmt: skip
        X = texts("abab a", "aaa a_1 é", "x.1\tyB", "a[.[]", "a{,2} a&b", "abcd\na.b", "éü")
        yield case(f"pattern_{index}", X, tokenexp=pattern)
        yield case(f"separator_{index}", X, separators=[pattern])
    yield case("separators_in_turn", texts("a-b c.d", "x"), separators=["-", " ", "[.]"])
    yield case("separators_win", texts("a b"), separators=[" "], tokenexp="a")
    yield case("separator_that_is_empty", texts("a b"), separators=[" ", ""])
    yield case("pad_value", texts("a b", "c"), pad_value="<pad>", separators=[" "])
    yield case("all_separators", texts("  ", " "), separators=[" "])
    yield case("all_separators_with_marks", texts("  ", ""), mark=1, separators=[" "])
    yield case("unicode_flag", texts("né 1"), tokenexp=r"(?u)\b\w\w+\b")
    yield case("three_dimensions", texts("a", shape=(1, 1, 1)), tokenexp="a")
    yield case("scalar", np.array("a", dtype=object), tokenexp="a")
    yield case("patterns_absent", some)
    yield case("tokenexp_empty", some, tokenexp="")
    for pattern in ("(", "[a", "*", "a)(b", r"\1", "(?<=a)b"):
        yield case(f"bad_tokenexp_{pattern}", some, tokenexp=pattern)
        yield case(f"bad_separator_{pattern}", some, separators=[pattern])
    for count in (0, -1, None):
        yield case(f"bad_mincharnum_{count}", some, mincharnum=count, tokenexp="a")
    yield case("bad_mincharnum_of_characters", some, mincharnum=2, tokenexp=".")
    yield case("mark_absent", some, mark=None, tokenexp="a")
    yield case("pad_value_absent", some, pad_value=None, tokenexp="a")


def tf_idf():
    strings = {
        "min_gram_length": 1,
        "max_gram_length": 3,
        "max_skip_count": 0,
        "mode": "TF",
        "pool_strings": ["a", "b", "a", "b", "b", "a", "a", "b", "b"],
        "ngram_counts": [0, 2, 6],
        "ngram_indexes": [4, 0, 2, 1, 3],
        "weights": [0.5, 2.0, -1.0, 4.0, 0.25],
    }
    integers = strings | {"pool_strings": None, "pool_int64s": [7, -2, 7, -2, -2, 7, 7, -2, -2]}

    def case(name, X, base=strings, **changes):
        output = (FLOAT, max(X.ndim, 1))
        return single(f"tf_idf/{name}", "TfIdfVectorizer", {"X": X}, output, base | changes)

    rng = np.random.default_rng(0)
    letters = rng.choice(["a", "b", "z"], size=(4, 7), p=[0.4, 0.5, 0.1]).astype(object)
    numbers = rng.choice([7, -2, 9], size=(4, 7), p=[0.4, 0.5, 0.1])
    for mode in ("TF", "IDF", "TFIDF"):
        for low, high in ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)):
            for skip in (0, 1, 3):
                changes = {"mode": mode, "min_gram_length": low, "max_gram_length": high, "max_skip_count": skip}
                yield case(f"{mode}-{low}-{high}-{skip}", letters, **changes)
        yield case(f"{mode}-no_weights", letters, mode=mode, weights=None)
        yield case(f"{mode}-one_dimension", letters[0], mode=mode)
        for dtype in (np.int32, np.int64):
            name = f"{mode}-{np.dtype(dtype).name}"
            yield case(name, numbers.astype(dtype), integers, mode=mode)
            yield case(f"{name}-one_dimension", numbers[0].astype(dtype), integers, mode=mode)
    yield case("huge_skip", letters, max_skip_count=50, min_gram_length=2)
    for mode in ("TF", "IDF", "TFIDF"):
        for low in (1, 2):
            shared = {"mode": mode, "ngram_indexes": [0, 0, 1, 1, 2], "min_gram_length": low, "max_skip_count": 1}
            yield case(f"{mode}-{low}-shared_columns", letters, **shared)
            yield case(f"{mode}-{low}-infinite_weight", letters, mode=mode, min_gram_length=low, weights=[1.0, 2.0, float("inf"), 0.5, 1.0])  # fmt: skip
    yield case("gaps_in_indexes", letters, ngram_indexes=[9, 0, 2, 1, 3], weights=None)
    yield case("no_1_grams", letters, ngram_counts=[0, 0, 4], ngram_indexes=[0, 1, 2], pool_strings=["a", "b", "b", "a", "a", "b", "b"], weights=None)  # fmt: skip
    yield case("no_items", np.empty((2, 0), object))
    yield case("no_items_one_dimension", np.empty((0,), object))
    yield case("no_samples", np.empty((0, 3), object))
    yield case("three_dimensions", np.full((1, 1, 1), "a", object))
    yield case("unknown_mode", letters, mode="BM25")
    for name in ("mode", "min_gram_length", "max_gram_length", "max_skip_count", "ngram_counts", "ngram_indexes"):
        yield case(f"absent_{name}", letters, **{name: None})
    yield case("pools_absent", letters, pool_strings=None)
    yield case("weights_short", letters, weights=[1.0])
    yield case("weights_for_fewer_columns", letters, ngram_indexes=[9, 0, 2, 1, 3])
    yield case("min_gram_length_0", letters, min_gram_length=0)
    yield case("max_below_min", letters, min_gram_length=3, max_gram_length=2)
    yield case("max_gram_length_beyond_counts", letters, max_gram_length=4)
    yield case("max_skip_count_negative", letters, max_skip_count=-1)
    yield case("counts_beyond_pool", letters, ngram_counts=[0, 2, 60])
    yield case("counts_not_in_order", letters, ngram_counts=[2, 0, 6])
    yield case("counts_split_ngram", letters, ngram_counts=[0, 3, 6])
    yield case("index_negative", letters, ngram_indexes=[-1, 0, 2, 1, 3])
    yield case("ngram_repeats", letters, pool_strings=["a", "a", "a", "b", "b", "a", "a", "b", "b"])
    yield case("integers_with_a_pool_of_strings", numbers)
    yield case("strings_with_a_pool_of_integers", letters, integers)
    yield case("float_items", numbers.astype(np.float32), integers)


def murmur_hash():
    values = {
        "i32": np.array([0, 1, -1, 2**31 - 1], np.int32),
        "i64": np.array([0, 1, -1, 2**40], np.int64),
        "f32": np.array([0, 1, -1.5, np.nan, np.inf], np.float32),
        "f64": np.array([0, 1, -1.5, 1e300], np.float64),
        "string": texts("", "a", "ab", "abc", "abcd", "hello é", shape=(2, 3)),
    }
    for name, X in values.items():
        for positive in (0, 1, None):
            for seed in (None, 0, 5, -1, 2**33 + 1):
                attributes = {"positive": positive, "seed": seed}
                nodes = [node("MurmurHash3", ["X"], ["H"], attributes, MS), node("Cast", ["H"], ["Y"], {"to": INT64})]
                made = model(nodes, {"X": X}, {"Y": (INT64, X.ndim)})
                yield recording.case(f"murmur_hash/{name}-{positive}-{seed}", made, {"X": X})
    for name, to in (("u32", TensorProto.UINT32), ("u64", TensorProto.UINT64)):
        X = np.array([0, 1, 77], np.int64)
        nodes = [
            node("Cast", ["X"], ["U"], {"to": to}),
            node("MurmurHash3", ["U"], ["Y"], {"positive": 0}, MS),
        ]
        yield recording.case(f"murmur_hash/{name}", model(nodes, {"X": X}, {"Y": (INT32, 1)}), {"X": X})
    yield single("murmur_hash/no_strings", "MurmurHash3", {"X": np.empty((0, 2), object)}, (INT32, 2), {"positive": 0}, MS)  # fmt: skip
    yield single("murmur_hash/bool", "MurmurHash3", {"X": np.array([True])}, (INT32, 1), {"positive": 0}, MS)
    yield single("murmur_hash/positive_2", "MurmurHash3", {"X": values["string"]}, (INT32, 2), {"positive": 2}, MS)


def cdist():
    def case(name, a, b, dtype=np.float32, **attributes):
        feeds = {"A": np.array(a, dtype), "B": np.array(b, dtype)}
        output = (helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), 2)
        return single(f"cdist/{name}", "CDist", feeds, output, attributes, MS)

    rng = np.random.default_rng(0)
    a, b = rng.integers(-8, 9, (5, 3)) / 4, rng.integers(-8, 9, (4, 3)) / 4
    for dtype in (np.float32, np.float64):
        for metric in ("euclidean", "sqeuclidean", None):
            yield case(f"{np.dtype(dtype).name}-{metric}", a, b, dtype, metric=metric)
        yield case(f"{np.dtype(dtype).name}-itself", a, a, dtype, metric="euclidean")
        yield case(f"{np.dtype(dtype).name}-no_samples", a[:0], b, dtype)
        yield case(f"{np.dtype(dtype).name}-no_others", a, b[:0], dtype)
        yield case(f"{np.dtype(dtype).name}-nan", [[np.nan, 1]], [[0, 1]], dtype)
        yield case(f"{np.dtype(dtype).name}-far_from_the_origin", [[1e4, 1]], [[1e4 + 1, 1]], dtype)
    yield case("infinite", [[np.inf, 1]], [[0, 1]])
    yield case("unknown_metric", a, b, metric="cosine")
    yield case("other_width", a, b[:, :2])
    yield case("no_features", a[:, :0], b[:, :0])
    yield case("one_dimension", a[0], b)
    yield single("cdist/int64", "CDist", {"A": np.ones((2, 2), np.int64), "B": np.ones((2, 2), np.int64)}, (INT64, 2), {}, MS)  # fmt: skip


def string_operators():
    X = texts("a", "ab", "abb", "é", "", "a\n", "a\na")
    for index, pattern in enumerate(["a|ab", r"\w+", ".", "", "^a$", "(?m)^a$", "(?s)a.*", "a*b*", "(", "a)(b", r"[^\d]+"]):  # fmt: skip
        yield single(f"regex_full_match/{index}", "RegexFullMatch", {"X": X}, (BOOL, 1), {"pattern": pattern})
    table = X[:6].reshape(2, 3)
    yield single("regex_full_match/two_dimensions", "RegexFullMatch", {"X": table}, (BOOL, 2), {"pattern": "a+"})
    yield single("regex_full_match/no_pattern", "RegexFullMatch", {"X": X}, (BOOL, 1))

    column, row, one = texts("x", "y", shape=(2, 1)), texts("a", "b", "é"), np.array("!", dtype=object)
    for name, (x, y) in {
        "same": (row, row),
        "row_column": (row, column),
        "column_row": (column, row),
        "scalar": (row, one),
        "scalar_first": (one, column),
        "one": (texts("x"), row),
        "none": (row[:0], texts("x")),
        "mismatch": (row, row[:2]),
    }.items():
        output = (STRING, max(x.ndim, y.ndim))
        yield single(f"string_concat/{name}", "StringConcat", {"X": x, "Z": y}, output)

    X = texts(" a  b ", "c", "", "a,b,,c", ",", "a\tb")
    for delimiter in (None, "", ",", "b"):
        for limit in (None, 0, 1, 2, -1):
            attributes = {"delimiter": delimiter, "maxsplit": limit}
            for kind, values in (("one", X), ("two", X.reshape(2, 3)), ("none", X[:0])):
                made = node("StringSplit", ["X"], ["Y", "Z"], attributes)
                outputs = {"Y": (STRING, values.ndim + 1), "Z": (INT64, values.ndim)}
                name = f"string_split/{delimiter}-{limit}-{kind}"
                yield recording.case(name, model([made], {"X": values}, outputs), {"X": values})


def casts():
    good = texts(
        "1", "1.5", " 2 ", "+3", "1e3", "5.", "1e", "1e+", "1_000", "00012", "-7", "-0", "\t7", "0.1", "1.5 cm"
    )
    floats = texts("nan", "NaN", "-nan", "inf", "INF", "-INF", "Infinity", "-infinity", ".5", "1e39", "1e-40", "3e-5x")
    targets = {"f32": FLOAT, "f64": DOUBLE, "i32": INT32, "i64": INT64, "bool": BOOL}
    for name, to in targets.items():
        yield single(f"cast/string_to_{name}", "Cast", {"X": good}, (to, 1), {"to": to})
        yield single(f"cast/string_to_{name}_none", "Cast", {"X": good[:0]}, (to, 1), {"to": to})
        yield single(f"cast/string_to_{name}_table", "Cast", {"X": good.reshape(3, 5)}, (to, 2), {"to": to}, opset=9)
        for index, text in enumerate(["abc", "", "--1", "nope1", ".", "True"]):
            yield single(f"cast/string_to_{name}_bad_{index}", "Cast", {"X": texts("1", text)}, (to, 1), {"to": to})
    for name in ("f32", "f64"):
        yield single(f"cast/words_to_{name}", "Cast", {"X": floats}, (targets[name], 1), {"to": targets[name]})
        yield single(f"cast/overflow_to_{name}", "Cast", {"X": texts("1e400")}, (targets[name], 1), {"to": targets[name]})  # fmt: skip
        yield single(f"cast/underflow_to_{name}", "Cast", {"X": texts("1e-400")}, (targets[name], 1), {"to": targets[name]})  # fmt: skip
        yield single(f"cast/hexadecimal_to_{name}", "Cast", {"X": texts("0x1F")}, (targets[name], 1), {"to": targets[name]})  # fmt: skip
    wide = texts("9223372036854775807", "3000000000", "-9223372036854775808", "0x1F")
    yield single("cast/wide_to_i64", "Cast", {"X": wide}, (INT64, 1), {"to": INT64})
    yield single("cast/wide_to_i32", "Cast", {"X": wide}, (INT32, 1), {"to": INT32})
    yield single("cast/overflow_to_i64", "Cast", {"X": texts("9223372036854775808")}, (INT64, 1), {"to": INT64})
    numbers = [0, -0.0, 1, 1.5, 0.1, 1e-5, 1e-4, 123456789, 1e8, 1e16, 3.4e38, np.nan, np.inf, -np.inf, 1 / 3, 100, 12345678]  # fmt: skip
    values = {
        "f32": np.array([*numbers, 99999999.5, 1e-45], np.float32),
        "f64": np.array([*numbers, 1e300, 5e-324, 123456789.123, -2.5e-7], np.float64),
        "i32": np.array([5, -7, 0], np.int32),
        "i64": np.array([0, -1, 2**63 - 1], np.int64),
        "bool": np.array([True, False]),
        "string": texts("as", "is", ""),
    }
    for name, X in values.items():
        yield single(f"cast/{name}_to_string", "Cast", {"X": X}, (STRING, 1), {"to": STRING})
        yield single(f"cast_like/{name}_to_string", "CastLike", {"X": X, "L": texts("x")}, (STRING, 1))
        yield single(f"cast_like/text_to_{name}", "CastLike", {"X": texts("1", "2"), "L": X}, (recording.TYPES[name][0], 1))  # fmt: skip
    yield single("cast_like/f32_to_i64", "CastLike", {"X": np.array([1.5, -2], np.float32), "L": np.array([1])}, (INT64, 1))  # fmt: skip
    # The number of rows, which tract counts symbolically.
    nodes = [node("Shape", ["X"], ["S"], {}), node("Cast", ["S"], ["Y"], {"to": STRING})]
    X = np.zeros((3, 2), np.float32)
    yield recording.case("cast/shape_to_string", model(nodes, {"X": X}, {"Y": (STRING, 1)}), {"X": X})


def string_tensors():
    """What is not about text, on tensors of strings."""
    X = texts("a", "b", "a", "é", "", "c", shape=(2, 3))

    def case(name, op_type, feeds, output, attributes=None, constants=(), opset=21):
        made = node(op_type, [*feeds, *dict(constants)], ["Y"], attributes or {})
        built = model([made], feeds, {"Y": output}, opset, constants)
        return recording.case(f"string_tensors/{name}", built, feeds)

    ints = lambda *values: np.array(values, np.int64)  # noqa: E731
    yield case("identity", "Identity", {"X": X}, (STRING, 2))
    yield case("equal", "Equal", {"X": X, "Z": X[:, :1]}, (BOOL, 2))
    yield case("equal_constant", "Equal", {"X": X}, (BOOL, 2), constants={"c": texts("a")})
    yield case("where", "Where", {"C": X == "a", "X": X, "Z": texts("no")}, (STRING, 2))
    yield case("where_constant", "Where", {"C": X == "a", "X": X}, (STRING, 2), constants={"c": texts("no")})
    for axis in (0, 1):
        yield case(f"concat_{axis}", "Concat", {"X": X, "Z": X}, (STRING, 2), {"axis": axis})
        yield case(f"gather_{axis}", "Gather", {"X": X}, (STRING, 2), {"axis": axis}, {"i": ints(1, 0)})
        yield case(f"unsqueeze_{axis}", "Unsqueeze", {"X": X}, (STRING, 3), constants={"a": ints(axis)})
        yield case(f"squeeze_{axis}", "Squeeze", {"X": X.reshape(-1)[: 6].reshape((1, 6) if axis == 0 else (6, 1))}, (STRING, 1), constants={"a": ints(axis)})  # fmt: skip
        yield case(f"flatten_{axis}", "Flatten", {"X": X}, (STRING, 2), {"axis": axis})
    cube = X.reshape(1, 2, 3)
    for axis in (None, 0, 1, 2, 3, -1, -3, 4, -4):
        yield case(f"flatten_cube_{axis}", "Flatten", {"X": cube}, (STRING, 2), {"axis": axis})
    yield case("flatten_vector", "Flatten", {"X": cube[0, 0]}, (STRING, 2))
    yield case("flatten_scalar", "Flatten", {"X": np.array(1.5, np.float32)}, (FLOAT, 2), {"axis": 0})
    yield case("flatten_numbers", "Flatten", {"X": np.arange(24, dtype=np.float32).reshape(2, 3, 4)}, (FLOAT, 2), {"axis": 2})  # fmt: skip
    yield case("flatten_nothing", "Flatten", {"X": np.zeros((2, 0, 3), np.float32)}, (FLOAT, 2))
    for name, shape in {"flat": (-1,), "column": (-1, 1), "keep": (0, -1), "six": (6, 1)}.items():
        yield case(f"reshape_{name}", "Reshape", {"X": X}, (STRING, len(shape)), constants={"s": ints(*shape)})
    yield case("transpose", "Transpose", {"X": X}, (STRING, 2), {"perm": [1, 0]})
    yield case("slice", "Slice", {"X": X}, (STRING, 2), constants={"b": ints(1), "e": ints(3), "a": ints(1)})
    yield case("expand", "Expand", {"X": X[:, :1]}, (STRING, 2), constants={"s": ints(2, 3)})
    made = node("Split", ["X", "s"], ["Y", "Z"], {"axis": 1})
    built = model([made], {"X": X}, {"Y": (STRING, 2), "Z": (STRING, 2)}, 21, {"s": ints(1, 2)})
    yield recording.case("string_tensors/split", built, {"X": X})


CORPUS = [
    "This is the first document.",
    "This document is the second document.",
    "Is this the first document? The third one, perhaps",
    "and something ELSE entirely: 42 times!",
    "THIRD time is the charm",
]
HELD_OUT = [*CORPUS[:2], "nothing known here", "", "this THIS third;third is is"]


def export(name, estimator, initial_types, feeds, options=None, method="transform", rows=None):
    try:
        made = to_onnx(estimator, initial_types=initial_types, target_opset={"": 18, "ai.onnx.ml": 3}, options=options)
    except (RuntimeError, NotImplementedError) as error:
        print(f"{name}: skl2onnx refuses: {str(error)[:90]}")
        return
    entry = recording.case(f"skl2onnx/{name}", recording.serialized(made), feeds)
    if "error" in entry:
        print(f"{name}: onnxruntime refuses: {entry['error'][:90]}")
    yield entry


def exports():
    def vectorizer(name, estimator, options=None, corpus=HELD_OUT):
        estimator.fit(CORPUS)
        for kind, shape in (("one", (-1,)), ("two", (-1, 1))):
            types = [("X", StringTensorType([None] if kind == "one" else [None, 1]))]
            feeds = {"X": texts(*corpus).reshape(shape)}
            chosen = {id(estimator): options} if options else None
            yield from export(f"{name}-{kind}", estimator, types, feeds, chosen)

    for kind in (CountVectorizer, TfidfVectorizer):
        name = kind.__name__
        yield from vectorizer(name, kind())
        yield from vectorizer(f"{name}_bigrams", kind(ngram_range=(1, 2)))
        yield from vectorizer(f"{name}_only_bigrams", kind(ngram_range=(2, 2)))
        yield from vectorizer(f"{name}_trigrams", kind(ngram_range=(1, 3), token_pattern="[a-zA-Z]+"))
        yield from vectorizer(f"{name}_case", kind(lowercase=False))
        yield from vectorizer(f"{name}_stop_words", kind(stop_words=["the", "is"]))
        yield from vectorizer(f"{name}_english", kind(stop_words="english"))
        yield from vectorizer(f"{name}_pattern", kind(token_pattern="[a-z]+"))
        yield from vectorizer(f"{name}_word_pattern", kind(token_pattern=r"\b\w+\b"))
        yield from vectorizer(f"{name}_char", kind(analyzer="char"))
        yield from vectorizer(f"{name}_char_ngrams", kind(analyzer="char", ngram_range=(1, 2)))
        yield from vectorizer(f"{name}_char_wb", kind(analyzer="char_wb"))
        yield from vectorizer(f"{name}_separators", kind(token_pattern="[a-zA-Z]+"), {"separators": [" ", "[.]", "\\?", ",", ":", "!", ";"]})  # fmt: skip
        yield from vectorizer(f"{name}_tokenexp", kind(), {"tokenexp": "[a-zA-Z0-9_]+"})
        yield from vectorizer(f"{name}_unicode", kind(), {"tokenexp": r"(?u)\b\w\w+\b"})
        yield from vectorizer(f"{name}_nan", kind(), {"nan": True})
        yield from vectorizer(f"{name}_keep_empty_string", kind(), {"keep_empty_string": True})
        yield from vectorizer(f"{name}_vocabulary", kind(vocabulary=["this", "third", "one"]))
        yield from vectorizer(f"{name}_binary", kind(binary=True))
    yield from vectorizer("TfidfVectorizer_no_norm", TfidfVectorizer(norm=None))
    yield from vectorizer("TfidfVectorizer_l1", TfidfVectorizer(norm="l1"))
    yield from vectorizer("TfidfVectorizer_no_idf", TfidfVectorizer(use_idf=False))
    yield from vectorizer("TfidfVectorizer_sublinear", TfidfVectorizer(sublinear_tf=True))
    yield from vectorizer("TfidfVectorizer_not_smooth", TfidfVectorizer(smooth_idf=False))

    target = np.array([0, 1, 0, 1, 1])
    words = np.array(["no", "yes", "no", "yes", "yes"])
    column = texts(*HELD_OUT)
    for name, steps, labels in (
        ("count", [CountVectorizer()], target),
        ("count_transform", [CountVectorizer(), TfidfTransformer()], target),
        ("tfidf", [TfidfVectorizer(ngram_range=(1, 2))], target),
        ("tfidf_strings", [TfidfVectorizer()], words),
        ("char", [TfidfVectorizer(analyzer="char")], words),
    ):
        pipeline = make_pipeline(*steps, LogisticRegression()).fit(CORPUS, labels)
        options = {id(pipeline): {"zipmap": False}}
        yield from export(f"pipeline_{name}", pipeline, [("X", StringTensorType([None]))], {"X": column}, options)
        # One row, and another number of rows than tokens.
        yield from export(f"pipeline_{name}_one_row", pipeline, [("X", StringTensorType([None, 1]))], {"X": column[:1].reshape(1, 1)}, options)  # fmt: skip

    rng = np.random.default_rng(0)
    train = np.empty((5, 4), object)
    train[:, 0], train[:, 1] = CORPUS, [text[::-1] for text in CORPUS]
    train[:, 2:] = rng.integers(-4, 5, (5, 2)) / 4
    held_out = train[::-1].copy()
    held_out[0, 0] = "unknown"
    held_out[1, 1] = "siht txet"
    names = ["title", "body", "a", "b"]
    columns = ColumnTransformer(
        [("title", CountVectorizer(), 0), ("body", TfidfVectorizer(), 1), ("numbers", StandardScaler(), [2, 3])]
    )
    pipeline = make_pipeline(columns, LogisticRegression()).fit(train, target)
    kinds = [StringTensorType, StringTensorType, FloatTensorType, FloatTensorType]
    types = [(name, kind([None, 1])) for name, kind in zip(names, kinds, strict=False)]
    feeds = {name: held_out[:, [index]] for index, name in enumerate(names)}
    feeds |= {name: feeds[name].astype(np.float32) for name in ("a", "b")}
    yield from export("columns", pipeline, types, feeds, {id(pipeline): {"zipmap": False}})
    columns = ColumnTransformer([("title", CountVectorizer(), 0), ("body", TfidfVectorizer(), 1)]).fit(train[:, :2])
    yield from export("columns_of_one_input", columns, [("X", StringTensorType([None, 2]))], {"X": held_out[:, :2]})

    for alternate in (False, True):
        hasher = FeatureHasher(n_features=8, input_type="string", alternate_sign=alternate, dtype=np.float32)
        table = texts("a", "b", "c", "a", "", "dé", shape=(3, 2))
        hasher.fit(table.tolist())
        yield from export(f"feature_hasher_{alternate}", hasher, [("X", StringTensorType([None, 2]))], {"X": table})


def main():
    assert os.environ.get("LC_ALL", "") in ("", "C.UTF-8", "en_US.UTF-8")
    cases = [
        *string_normalizer(),
        *tokenizer(),
        *tf_idf(),
        *murmur_hash(),
        *cdist(),
        *string_operators(),
        *casts(),
        *string_tensors(),
        *exports(),
    ]
    recording.write(Path(__file__).parent / "cases.json", cases)


if __name__ == "__main__":
    if not recording.has_locale():
        sys.exit(
            f"onnxruntime's StringNormalizer takes the locale {recording.LOCALE}, which Debian's package locales has"
        )
    main()
