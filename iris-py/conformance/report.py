"""What the runs found, as results.md for people and passing.json for `--quick`."""

import fnmatch
import importlib.metadata
import json
import locale
import os
import platform
import re
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PACKAGES = (
    "iris_core onnxruntime onnx skl2onnx scikit-learn numpy scipy protobuf onnxmltools lightgbm xgboost-cpu pandas"
)
GROUPS = {
    ("passed", "passed"): "both",
    ("other", "passed"): "us only",
    ("passed", "other"): "onnxruntime only",
    ("other", "other"): "neither",
}


def passing(results: dict[str, Any]) -> dict[str, list[str]]:
    """What must go on passing, by part."""
    suite = results["suite"]["iris_core"]
    return {
        "suite": sorted(test for test, found in suite.items() if found["outcome"] == "passed"),
        "node cases": sorted(case for case, found in results["node cases"].items() if not found["iris_core"]),
        **{
            part: sorted(case for case, found in results[part].items() if found["verdict"] == "passed")
            for part in ("estimators", "boosters")
        },
    }


def lost(results: dict[str, Any]) -> list[str]:
    """What is recorded as passing and did not pass; of the suite, as far as it ran."""
    recorded, now = json.loads((HERE / "passing.json").read_text()), passing(results)
    recorded["suite"] = [test for test in recorded["suite"] if test in results["suite"]["iris_core"]]
    return [f"{part}: {name}" for part in now for name in recorded[part] if name not in now[part]]


def write(results: dict[str, Any]) -> None:
    (HERE / "passing.json").write_text(json.dumps(passing(results), indent=1, ensure_ascii=False) + "\n")
    parts = [
        "# Conformance",
        "Written by `make conformance`; do not edit.",
        environment(),
        suite(results["suite"]),
        node_cases(results["node cases"]),
        comparisons("scikit-learn estimators, converted by skl2onnx", results["estimators"]),
        comparisons("LightGBM and XGBoost models, converted by onnxmltools", results["boosters"]),
    ]
    (HERE / "results.md").write_text("\n\n".join(parts) + "\n")


def environment() -> str:
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES.split()]
    lines = [
        f"- Python {platform.python_version()}, {platform.platform(terse=True)}, {os.cpu_count()} processors",
        f"- {', '.join(versions)}",
        f"- en_US locale, without which onnxruntime builds no StringNormalizer: {'present' if en_us() else 'missing'}",
    ]
    return "\n".join(["## Environment", *lines])


def en_us() -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "en_US.UTF-8")
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


def suite(outcomes: dict[str, dict[str, dict]]) -> str:
    theirs, ours = outcomes["onnxruntime"], outcomes["iris_core"]
    groups = defaultdict(list)
    for test in sorted(theirs.keys() | ours.keys()):
        pair = [found.get(test, {"outcome": "not run"})["outcome"] for found in (theirs, ours)]
        if pair == ["skipped", "skipped"]:
            groups["skipped by both"].append(test)
        else:
            groups[GROUPS[tuple("passed" if outcome == "passed" else "other" for outcome in pair)]].append(test)
    made = sum(ours[test]["sessions"] > 0 for test in groups["both"])
    return "\n".join(
        [
            "## skl2onnx's own test suite",
            "Run once on onnxruntime and once with `onnxruntime.InferenceSession` replaced by ours.",
            "",
            "| passed by | tests |",
            "|---|---|",
            *(f"| {group} | {len(groups[group])} |" for group in [*GROUPS.values(), "skipped by both"]),
            "",
            f"Of the tests that both pass, {made} make a session; the others test conversion alone.",
            "",
            "### onnxruntime only",
            *by_reason(groups["onnxruntime only"], ours),
            "",
            "### us only",
            *by_reason(groups["us only"], theirs),
            "",
            "### neither",
            *by_reason(groups["neither"], ours),
        ]
    )


def by_reason(tests: list[str], outcomes: dict[str, dict]) -> list[str]:
    """The tests under the reason they fail for, the most frequent first."""
    reasons = defaultdict(list)
    for test in tests:
        reasons[known(test) or cause(outcomes[test])].append(test)
    lines = []
    for reason, names in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        lines += [f"- {len(names)}: {plain(reason)}", *(f"  - {name}" for name in names)]
    return lines or ["None."]


def known(test: str) -> str | None:
    entries = tomllib.loads((HERE / "known.toml").read_text()).get("test", [])
    return next((entry["reason"] for entry in entries if fnmatch.fnmatchcase(test, entry["name"])), None)


def cause(found: dict) -> str:
    """The runtime's error, or what the test says, without what differs from test to test."""
    text = found["error"] or found["says"] or found["outcome"]
    text = re.sub(r"^(\w+): \S+\.onnx: ", r"\1: ", text)
    if missing := re.search(r"operator \w+ of \S+ version \d+ is not supported", text):
        return missing[0]
    text = re.sub(r"Model '[^']*'", "Model", text) if not found["error"] else text
    text = re.sub(r'(?i)(node|output|input) "[^"]*"', r"\1", text)
    return re.sub(r"\d[\d.e+-]*", "N", text).splitlines()[0][:200]


def plain(text: str) -> str:
    """The text as Markdown that reads as written."""
    return re.sub(r"([|<>*_`])", r"\\\1", text)


def node_cases(cases: dict[str, dict[str, str]]) -> str:
    passed = sum(not found["iris_core"] for found in cases.values())
    lines = [f"## ONNX's own ai.onnx.ml node cases: {passed} of {len(cases)}", ""]
    lines += ["| case | onnxruntime | iris_core |", "|---|---|---|"]
    for name, found in sorted(cases.items()):
        theirs, ours = (plain(found[runtime]) or "passed" for runtime in ("onnxruntime", "iris_core"))
        lines.append(f"| {name} | {theirs} | {ours} |")
    return "\n".join(lines)


def comparisons(title: str, cases: dict[str, dict]) -> str:
    counts = Counter(found["verdict"] for found in cases.values())
    return "\n".join(
        [
            f"## {title}",
            "",
            "Held-out rows, float inputs. Passed: labels are scikit-learn's, and scores no further from it than "
            "onnxruntime's, plus 1e-6. As onnxruntime: the graph gives other labels than the estimator, and we "
            "give what onnxruntime gives.",
            "",
            ", ".join(f"{verdict}: {count}" for verdict, count in counts.most_common()),
            "",
            "| estimator | verdict | our flips | our difference | onnxruntime's flips | onnxruntime's difference |",
            "|---|---|---|---|---|---|",
            *(row(name, found) for name, found in cases.items()),
        ]
    )


def row(name: str, found: dict[str, Any]) -> str:
    cells = [plain(name), found["verdict"]]
    if "not converted" in found:
        cells += [plain(found["not converted"]), "", "", ""]
    else:
        cells += two_cells(found["iris_core"]) + two_cells(found["onnxruntime"])
    return f"| {' | '.join(cells)} |"


def two_cells(found: dict[str, Any]) -> list[str]:
    return [plain(found["error"]), ""] if "error" in found else [str(found["flips"]), f"{found['difference']:.1e}"]
