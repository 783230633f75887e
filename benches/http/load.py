"""The local server under wrk, in turns with a hello-world of the same HTTP library; writes results.md beside this.

Needs wrk, Debian's package of that name. `make load` builds what is measured.
"""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
CONNECTIONS = 64


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that answers POST /predict."""

    def __init__(self, path):
        self.port = free_port()
        environment = {"PORT": str(self.port), "IRIS_HOST": "127.0.0.1"}
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen([path], env=environment, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def resident_kb(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def load(self, seconds):
        """What wrk found, with the memory resident after each second."""
        url = f"http://127.0.0.1:{self.port}"
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", HERE / "post.lua", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
            memory = []
            while wrk.poll() is None:
                memory.append(self.resident_kb())
                time.sleep(1)
            found = json.loads(wrk.stdout.read().splitlines()[-1])
        return found | {"memory_kb": memory}

    def end(self):
        self.process.terminate()
        return self.process.wait(20)


def ask(server):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/predict", b'{"values": [[5.9, 3.0, 5.1, 2.3]]}', method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def rate(found):
    return found["requests"] / found["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", type=Path, required=True)
    parser.add_argument("--hello", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=60, help="of the one long run")
    parser.add_argument("--turns", type=int, default=5, help="short runs of each, in turns, for the comparison")
    arguments = parser.parse_args()
    ours, hello = Server(arguments.ours), Server(arguments.hello)
    try:
        assert ask(ours) == {"prediction": [2]}
        long = ours.load(arguments.seconds)
        turns = [(ours.load(5), hello.load(5)) for _ in range(arguments.turns)]
        assert ask(ours) == {"prediction": [2]}
    finally:
        status = ours.end()
        hello.end()
    text = report(long, turns, status)
    print(text)
    (HERE / "results.md").write_text(text)
    return int(long["errors"] > 0)


def report(long, turns, status):
    settled = long["memory_kb"][10:]
    grown = (max(settled) - min(settled)) / 1024 if settled else float("nan")
    rows = [
        f"| {name} | {median(rate(turn[place]) for turn in turns):,.0f} "
        f"| {median(turn[place]['p50_us'] for turn in turns) / 1e3:.2f} ms "
        f"| {median(turn[place]['p99_us'] for turn in turns) / 1e3:.2f} ms "
        f"| {sum(turn[place]['errors'] for turn in turns)} |"
        for place, name in enumerate(("iris-lambda, one prediction each", "hello-world"))
    ]
    ratio = median(rate(ours) / rate(hello) for ours, hello in turns)
    return f"""# The local server under load
`make load` wrote this: wrk with one thread and {CONNECTIONS} connections, on the {os.cpu_count()} cores that
the servers have; logs go to /dev/null. {len(turns)} turns of 5 s each; medians of the turns. {platform.release()}, load
average {os.getloadavg()[0]:.1f} at the end.

| server | requests a second | p50 | p99 | errors |
|---|--:|--:|--:|--:|
{rows[0]}
{rows[1]}

Rate beside hello-world's: {ratio:.2f}. One run of {long["seconds"]:.0f} s: {long["requests"]:,} requests,
{rate(long):,.0f} a second, p99 {long["p99_us"] / 1e3:.2f} ms, {long["errors"]} errors; memory after the first 10 s
{min(settled or [0]) / 1024:.1f} MB, and never more than {grown:.2f} MB above that. Asked to end, the server ended with
status {status}.
"""


if __name__ == "__main__":
    sys.exit(main())
