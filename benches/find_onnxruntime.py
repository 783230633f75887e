"""Prints where the installed onnxruntime wheel keeps its library; prints nothing if it is not installed."""

import importlib.util
from pathlib import Path

spec = importlib.util.find_spec("onnxruntime")
if spec and spec.origin:
    libraries = sorted(Path(spec.origin).parent.glob("capi/libonnxruntime*"))
    if libraries:
        print(libraries[0])
