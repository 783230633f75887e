"""What a file and a call may take, as the caller says."""

import re

import iris_core
import numpy as np
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper
from support import MODELS, ROOT, ROW, graph

IRIS = MODELS / "iris.onnx"
OPTIONS = (ROOT / "iris-core/src/guard/budget.rs").read_text()
NAMES = re.findall(r"^    pub (\w+): (?:usize|u64),$", OPTIONS.split("impl Default")[0], re.MULTILINE)

pytestmark = pytest.mark.parametrize("load", [iris_core.Model, iris_core.InferenceSession])


def test_each_can_be_set(load):
    assert len(NAMES) == 11
    for name in NAMES:
        load(IRIS, limits={name: 1 << 31})
        load(IRIS, limits={name: np.int64(1 << 31)})


@pytest.mark.parametrize("name", ["file_bytes", "nodes", "attribute_len"])
def test_what_is_set_limits_loading(load, name):
    with pytest.raises(iris_core.ModelError, match=f"limit {name} of 1 allows"):
        load(IRIS, limits={name: 1})


def test_what_is_set_limits_calls(load):
    sides = [(name, TensorProto.FLOAT, [None, 1000]) for name in "xy"]
    negative = graph([helper.make_node("Neg", ["x"], ["y"])], sides[:1], sides[1:])
    model = load(negative, limits={"run_bytes": 1000, "row_bytes": 0})
    rows = np.ones((10, 1000), np.float32)
    with pytest.raises(iris_core.ModelError, match="limit run_bytes of 1000 allows"):
        model.run(None, {"x": rows}) if load is iris_core.InferenceSession else model.transform(rows)


def test_a_small_file_that_is_large_when_read(load):
    # The field `node` of the field `graph`, with nothing in it, over and over.
    nodes = b"\x0a\x00" * 500_000
    length = bytes([0x80 | len(nodes) & 0x7F, 0x80 | len(nodes) >> 7 & 0x7F, len(nodes) >> 14])
    with pytest.raises(iris_core.ModelError, match="limit load_bytes of 67108864 allows"):
        load(b"\x3a" + length + nodes)


@pytest.mark.parametrize("name", ["rows", "", "File_bytes", "Ärger", "\udc80", 3, None])
def test_unknown_name(load, name):
    with pytest.raises(ValueError, match=re.escape(f"limits: {name!r} is none: expected {', '.join(NAMES)}")):
        load(IRIS, limits={"nodes": 10, name: 1})


@pytest.mark.parametrize(
    ("value", "error"),
    [(-1, ValueError), (1 << 64, ValueError), (1.0, TypeError), ("1", TypeError), (None, TypeError), (True, TypeError)],
)
@pytest.mark.parametrize("name", ["file_bytes", "planning_steps"])
def test_not_a_number(load, name, value, error):
    expected = re.escape(f'limits["{name}"]: expected an integer of 0 or more, got {value!r}')
    with pytest.raises(error, match=expected):
        load(IRIS, limits={name: value})


@pytest.mark.parametrize("limits", [["nodes"], "nodes", 1])
def test_not_a_dictionary(load, limits):
    with pytest.raises(TypeError, match="limits"):
        load(IRIS, limits=limits)


def test_constants_in_other_files(load, tmp_path):
    constant = numpy_helper.from_array(np.array([1.0, 2.0, 3.0, 4.0], np.float32), "c")
    (tmp_path / "constant.bin").write_bytes(constant.raw_data)
    external_data_helper.set_external_data(constant, "constant.bin")
    constant.ClearField("raw_data")
    value = [helper.make_node("Constant", [], ["c"], value=constant), helper.make_node("Add", ["x", "c"], ["y"])]
    sides = [(name, TensorProto.FLOAT, [None, 4]) for name in "xy"]
    path = tmp_path / "model.onnx"
    path.write_bytes(graph(value, sides[:1], sides[1:]))
    with pytest.raises(iris_core.ModelError, match="another file, which is not allowed"):
        load(path)
    model = load(path, external_data=True)
    rows = np.array([ROW], np.float32)
    answer = model.run(None, {"x": rows})[0] if load is iris_core.InferenceSession else model.transform(rows)
    np.testing.assert_array_equal(answer, rows + np.array([1, 2, 3, 4], np.float32))
