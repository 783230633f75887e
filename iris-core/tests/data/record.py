"""Runs the makers of recorded cases: `record.py [--check] [FAMILY …]`, which `make record` calls.

Each maker writes to a temporary file, and its cases are compared with those of cases.json by name. Alike are cases whose names,
types, shapes, labels, whole numbers, texts, truths and refusals are equal, and whose models are equal but for the numbers a
training found; floats may differ by what processors round differently (`TOLERANCES`). A case that is alike stays as it is, so
that another processor changes nothing. Without --check, the others are written; with it, they are listed and the exit code is 1.
"""

import argparse
import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import recording
from google.protobuf.message import DecodeError, Message
from onnx import TensorProto, numpy_helper

HERE = Path(__file__).parent
# How far apart floats may be, as (relative, absolute). What is recorded in double is computed in it.
TOLERANCES = {"f32": (1e-5, 1e-6), "f64": (1e-9, 1e-12)}
# The first this many cases of a family that differ are listed.
LISTED = 20


def near(old, new, kind):
    """Whether two arrays or numbers are alike; no number is alike to none."""
    relative, absolute = TOLERANCES[kind]
    return np.shape(old) == np.shape(new) and np.allclose(new, old, relative, absolute, equal_nan=True)


def parts(message):
    """All that a message of a model holds, one after the other; numbers of a tensor are one array."""
    if isinstance(message, TensorProto) and message.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE):
        yield message.name
        yield numpy_helper.to_array(message)
        return
    for field, value in message.ListFields():
        yield field.name
        for item in value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]:
            if isinstance(item, Message):
                yield from parts(item)
            else:
                yield item


def alike_parts(old, new):
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return old.dtype == new.dtype and near(old, new, "f64" if old.dtype == np.float64 else "f32")
    if isinstance(old, float) and isinstance(new, float):
        return near(old, new, "f32")
    return type(old) is type(new) and not isinstance(old, np.ndarray) and old == new


def model_difference(old, new):
    """The first thing in which two models are not alike, in words, or None."""
    if old == new:
        return None
    try:
        pair = (parts(onnx.load_from_string(base64.b64decode(model))) for model in (old, new))
        unlike = (pair for pair in itertools.zip_longest(*pair) if not alike_parts(*pair))
        first = next(unlike, None)
        return first and " became ".join(" ".join(repr(part).split())[:60] for part in first)
    except (DecodeError, TypeError, ValueError) as error:
        return f"other bytes, which are no model: {error}"


def difference(old, new, where="", kind="f64"):
    """The first thing in which two recorded values are not alike, in words, or None."""
    if where == "model":
        problem = model_difference(old, new)
        return problem and f"model: {problem}"
    if isinstance(old, dict) and isinstance(new, dict):
        if old.keys() != new.keys():
            return f"{where or 'case'}: {', '.join(old)} became {', '.join(new)}"
        kind = old.get("dtype", kind)
        pairs = ((old[key], new[key], f"{where}.{key}" if where else key) for key in old)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = ((*pair, f"{where}[{index}]") for index, pair in enumerate(zip(old, new, strict=True)))
    elif isinstance(old, float) and isinstance(new, float) and kind in TOLERANCES:
        return None if near(old, new, kind) else f"{where}: {old!r} became {new!r}"
    else:
        # No number is equal to no number here, since both are spelled as a text.
        equal = type(old) is type(new) and old == new
        return None if equal else f"{where}: {json.dumps(old)[:80]} became {json.dumps(new)[:80]}"
    return next(filter(None, (difference(*pair, kind) for pair in pairs)), None)


def environment(folder):
    """That of the makers. StringNormalizer's onnxruntime looks for a locale, which may be there for the making only."""
    if recording.has_locale() or not shutil.which("localedef"):
        return os.environ
    command = ["localedef", "-i", "en_US", "-f", "UTF-8", str(folder / recording.LOCALE)]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return os.environ | {"LOCPATH": str(folder)}


def made(maker, folder, variables):
    """The cases that a maker makes, or what it says as it fails."""
    path = folder / f"{maker.parent.name}.json"
    run = subprocess.run([sys.executable, maker, path], env=variables, capture_output=True, text=True, check=False)
    return json.loads(path.read_text()) if run.returncode == 0 else run.stderr.strip()


def compared(maker, cases, check):
    """Whether the cases of a maker are those recorded, None if it fails; says how they differ, and writes unless it checks."""
    family, path = maker.parent.name, maker.with_name("cases.json")
    if isinstance(cases, str):
        print(f"{family}: the maker fails\n{cases}")
        return None
    recorded = {entry["name"]: entry for entry in (json.loads(path.read_text()) if path.exists() else [])}
    names = [entry["name"] for entry in cases]
    gone = [f"{name}: gone" for name in recorded if name not in set(names)]
    kept, differ, in_last_digits = [], [], 0
    for entry in cases:
        old = recorded.get(entry["name"])
        problem = "new" if old is None else difference(old, entry)
        if problem:
            differ.append(f"{entry['name']}: {problem}")
        else:
            in_last_digits += entry != old
        kept.append(entry if problem else old)
    moved = not gone and not differ and list(recorded) != names
    is_same = not (differ or gone or moved)
    if not is_same and not check:
        path.write_text(recording.spelled(kept))
    print(f"{family}: {len(cases)} cases, {len(differ) + len(gone)} differ, {in_last_digits} in last digits only")
    for line in [*differ, *gone][:LISTED] + ["the order is another"] * moved:
        print(f"  {line}")
    if len(differ) + len(gone) > LISTED:
        print(f"  … and {len(differ) + len(gone) - LISTED} more")
    return is_same


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a case differs")
    parser.add_argument("family", nargs="*", help="folders beside this file; all of them unless given")
    options = parser.parse_args()
    makers = sorted(HERE.glob("*/make_*.py"))
    known = {maker.parent.name for maker in makers}
    if unknown := [family for family in options.family if family not in known]:
        parser.error(f"no family {unknown[0]}; there are {', '.join(sorted(known))}")
    makers = [maker for maker in makers if not options.family or maker.parent.name in options.family]
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(2) as pool:
        folder = Path(temporary)
        variables = environment(folder)
        results = pool.map(lambda maker: made(maker, folder, variables), makers)
        same = [compared(maker, cases, options.check) for maker, cases in zip(makers, results, strict=True)]
    if options.check and False in same:
        print("not as recorded: `make record` writes what differs")
    sys.exit(None in same or (options.check and False in same))
