"""Writes which functions run from the start to the third response, in that order: the linker lays them side by side.

Run by `make order`, on a binary that still has its symbols; needs valgrind, Debian's package of that name.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

from .__main__ import EVENT
from .measure import LAMBDA
from .runtime_api import RuntimeApi

N_EVENTS = 3
FUNCTION = re.compile(r"^c?fn=\(\d+\) (\S+?)(?:'\d+)?$", re.MULTILINE)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--function", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        run(arguments.function, profile)
        called = list(dict.fromkeys(FUNCTION.findall(profile.read_text())))
    symbols = subprocess.run(["nm", arguments.function], capture_output=True, text=True, check=True).stdout
    known = {line.split()[-1] for line in symbols.splitlines()}
    arguments.out.write_text("".join(f"{name}\n" for name in called if name in known))


def run(function, profile):
    """Starts the function under valgrind's call counter and has it answer a few events."""
    with RuntimeApi() as api:
        valgrind = ["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={profile}"]
        environment = LAMBDA | {"AWS_LAMBDA_RUNTIME_API": api.address}
        quiet = subprocess.DEVNULL
        with subprocess.Popen([*valgrind, function], env=environment, stdout=quiet, stderr=quiet) as process:
            for _ in range(N_EVENTS):
                _, connection = api.wait_next()
                api.answer(connection, EVENT.read_bytes())
            api.wait_next()
            process.terminate()


if __name__ == "__main__":
    main()
