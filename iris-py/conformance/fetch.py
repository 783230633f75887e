"""skl2onnx's own tests: they come with its source distribution, not with its wheel."""

import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

PROJECT = "skl2onnx"


def fetch_tests(work: Path) -> Path:
    """The folder of the tests of the skl2onnx that is installed here; fetched through pip once."""
    name = f"{PROJECT}-{version(PROJECT)}"
    tests = work / name / "tests"
    if not tests.is_dir():
        # pip asks the package for its metadata, which takes a build back end, hence isolation and no `:all:`.
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        requirement = f"{PROJECT}=={version(PROJECT)}"
        subprocess.run([*pip, "--no-binary", PROJECT, "--dest", work, requirement], check=True)
        with tarfile.open(work / f"{name}.tar.gz") as archive:
            archive.extractall(work, filter="data")
    return tests
