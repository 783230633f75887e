"""The runtimes: each makes of a model something that takes rows and gives answers, or says why it cannot."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import iris_core
import numpy as np
import onnxruntime
import tl2cgen
import tract
import treelite

from .models import Fitted

Call = Callable[[np.ndarray], object]

OURS = "iris_core"
PEERS = ("onnxruntime", "scikit-learn", "tract", "treelite", "tl2cgen")


class NoSuchModel(Exception):
    """The runtime has no form of the model."""


def prepare(peer: str, fitted: Fitted, n_samples: int) -> Call:
    return {
        OURS: ours,
        "onnxruntime": by_onnxruntime,
        "scikit-learn": lambda fitted, _: fitted.sklearn(),
        "tract": by_tract,
        "treelite": by_treelite,
        "tl2cgen": by_tl2cgen,
    }[peer](fitted, n_samples)


def ours(fitted: Fitted, _: int) -> Call:
    session = iris_core.InferenceSession(fitted.onnx, threads=1)
    return lambda rows: session.run(None, {"X": rows})


def by_onnxruntime(fitted: Fitted, _: int) -> Call:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(fitted.onnx, options, providers=["CPUExecutionProvider"])
    return lambda rows: session.run(None, {"X": rows})


def by_tract(fitted: Fitted, n_samples: int) -> Call:
    """tract as it comes, told the shape, which it needs for many of these graphs."""

    def told(call):
        try:
            return call()
        except tract.TractError as error:
            raise NoSuchModel(str(error).splitlines()[0]) from error

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(fitted.onnx)
        model = told(lambda: tract.onnx().load(path))
    n_features = fitted.rows(1).shape[1]
    told(lambda: model.set_input_fact(0, f"{n_samples},{n_features},f32"))
    runnable = told(lambda: model.into_model().into_runnable())
    return lambda rows: told(lambda: [output.to_numpy() for output in runnable.run([rows])])


def by_treelite(fitted: Fitted, _: int) -> Call:
    model = as_treelite(fitted)
    return lambda rows: treelite.gtil.predict(model, rows, nthread=1)


def by_tl2cgen(fitted: Fitted, _: int) -> Call:
    """The trees as C, compiled: a matter of a minute for the larger forests."""
    model = as_treelite(fitted)
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "model.so"
        tl2cgen.export_lib(
            model, toolchain="gcc", libpath=str(library), params={"parallel_comp": 8}, nthread=os.cpu_count()
        )
        predictor = tl2cgen.Predictor(str(library), nthread=1)
    return lambda rows: predictor.predict(tl2cgen.DMatrix(rows))


def as_treelite(fitted: Fitted) -> treelite.Model:
    try:
        return treelite.sklearn.import_model(fitted.model.estimator)
    except (ValueError, TypeError, NotImplementedError, treelite.TreeliteError) as error:
        raise NoSuchModel("not an ensemble of trees") from error


def check(peer: str, answer: object, expected: list[np.ndarray]) -> str:
    """What is wrong with `answer`, where onnxruntime answers `expected`: nothing, most often."""
    if peer in (OURS, "onnxruntime", "tract"):
        pairs = list(zip([np.asarray(output) for output in answer], expected, strict=True))
    elif peer == "scikit-learn":
        pairs = [(np.asarray(answer), expected[0])]
    else:
        pairs = [(np.asarray(answer), expected[-1])]
        if pairs[0][0].size * 2 == pairs[0][1].size:
            # Of two classes these give the second one's probability alone.
            pairs = [(pairs[0][0].reshape(-1), pairs[0][1][:, 1])]
    return "; ".join(filter(None, (differs(got, want) for got, want in pairs)))


def differs(got: np.ndarray, want: np.ndarray) -> str:
    if got.size != want.size:
        return f"shape {got.shape} for {want.shape}"
    got = got.reshape(want.shape)
    if want.dtype.kind in "iU":
        flips = int((got != want).sum())
        # A row on the border between two classes may go either way.
        return f"{flips} of {want.size} labels differ" if flips > max(1, want.size // 200) else ""
    scale = max(1.0, float(np.abs(want).max()))
    worst = float(np.abs(got - want).max()) / scale
    return f"differs by {worst:.1e}" if worst > 1e-3 else ""
