"""What the starts took: as a table for people, and every sample for others."""

import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

PACKAGES = "awslambdaric onnxruntime scikit-learn numpy"


@dataclass(frozen=True)
class Row:
    """One function's medians; the spread is the 10th and the 90th percentile."""

    name: str
    title: str
    n_starts: int
    next_ms: float
    first_ms: float
    first_spread_ms: tuple[float, float]
    warm_us: float
    warm_spread_us: tuple[float, float]
    peak_mb: float


def summarize(functions, starts):
    return [summary(function, [s for s in starts if s.contender == function.name]) for function in functions]


def summary(function, starts):
    first = [start.first_response_us / 1e3 for start in starts]
    warm = [us for start in starts for us in start.warm_us]
    return Row(
        function.name,
        function.title,
        len(starts),
        median(start.next_us for start in starts) / 1e3,
        median(first),
        spread(first),
        median(warm),
        spread(warm),
        max(start.peak_kb for start in starts) / 1024,
    )


def spread(samples):
    deciles = quantiles(samples, n=10, method="inclusive")
    return deciles[0], deciles[-1]


def table(rows):
    ours = next((row for row in rows if row.name == "iris-lambda"), None)
    lines = [
        "| function | starts | start to first `/next` | start to first response | 10 to 90 % | times ours "
        "| warm event | 10 to 90 % | peak memory |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        ratio = f"{row.first_ms / ours.first_ms:.2f}" if ours else ""
        lines.append(
            f"| {row.title} | {row.n_starts} | {row.next_ms:.2f} ms | {row.first_ms:.2f} ms "
            f"| {row.first_spread_ms[0]:.2f} to {row.first_spread_ms[1]:.2f} | {ratio} | {row.warm_us:.0f} µs "
            f"| {row.warm_spread_us[0]:.0f} to {row.warm_spread_us[1]:.0f} | {row.peak_mb:.1f} MB |"
        )
    return "\n".join(lines) + "\n"


def write(folder, functions, starts, rows, goes_first):
    text = f"""# From process start to first response
`make coldstart` wrote this. Each function is started many times under one Lambda Runtime API on loopback, in turns
with the others; the clock starts before the process does. Every start answers one API Gateway event and
{len(starts[0].warm_us)} more after it; medians, and the 10th and 90th percentile. Peak memory is the largest VmHWM of
any start. Files are in the page cache: what Lambda needs to fetch an image is not in these figures.
{"All of it ran before anything else on the machine (SCHED_FIFO)." if goes_first else ""}

{table(rows)}
![start to first response](coldstart.svg)

{machine()}

| file | size |
|---|--:|
{sizes(functions)}
Every sample is in [samples.json](samples.json).
"""
    (folder / "results.md").write_text(text)
    samples = {"machine": machine(), "starts": [rounded(start) for start in starts]}
    lines = json.dumps(samples, separators=(",", ":")).replace('{"contender', '\n{"contender')
    (folder / "samples.json").write_text(lines + "\n")


def rounded(start):
    record = asdict(start)
    record["warm_us"] = [round(us, 1) for us in start.warm_us]
    return record


def sizes(functions):
    files = [Path(function.command[0]) for function in functions if function.is_native]
    return "".join(f"| {file.name} | {file.stat().st_size / 1e6:.2f} MB |\n" for file in files)


def machine():
    cpu = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in cpu if line.startswith("model name")), platform.machine())
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in PACKAGES.split())
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, load average {load:.1f} at the end; "
        f"Python {platform.python_version()}, {versions}; {rustc}."
    )
