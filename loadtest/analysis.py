"""Reads a load test's logs: what each request took, and whether the function says that it started for it.

A run is a folder with
    requests.jsonl    a line for each request, by locustfile.py
    access*           API Gateway's access log: which of Lambda's request ids belongs to which of its own. A function
                      URL needs none: the id that it gives the client is Lambda's
    the other files   the function's log: a JSON object a line, as a sandbox writes them, or what
                      `aws logs filter-log-events` prints; of a function that writes no lines of its own, Lambda's
                      REPORT lines will do, which have an init duration where the start was cold
    about.json        what was run and where; not needed
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NOT_OF_THE_FUNCTION = ("requests.jsonl", "about.json")
REPORT = re.compile(r"^REPORT RequestId: (?P<request_id>\S+)\s")
INIT = re.compile(r"\bInit Duration: (?P<ms>[\d.]+) ms")
DURATION = re.compile(r"\tDuration: (?P<ms>[\d.]+) ms")


@dataclass(frozen=True)
class Request:
    """A request as its client saw it (`sent` in s, `milliseconds`), and what the function logged of it."""

    sent: float
    milliseconds: float
    problem: str | None
    answer: str
    is_cold: bool
    micros: float | None


@dataclass(frozen=True)
class Run:
    """A load test of one function."""

    name: str
    about: dict
    requests: list[Request]

    def times(self, *, cold):
        """The response times of cold or of warm requests, in ms."""
        return np.array([request.milliseconds for request in self.requests if request.is_cold == cold])

    def micros(self, *, cold):
        """What the function itself took for them, in µs."""
        found = (request.micros for request in self.requests if request.is_cold == cold)
        return np.array([micros for micros in found if micros is not None])

    @property
    def failed(self):
        return [request.problem for request in self.requests if request.problem]

    def over_time(self, n_windows=12):
        """The middle of each window of the run in s, and the 50th, 95th and 100th percentile of its requests in ms."""
        sent = np.array([request.sent for request in self.requests])
        times = np.array([request.milliseconds for request in self.requests])
        sent -= sent.min()
        n_windows = max(1, min(n_windows, int(sent.max())))
        width = max(1.0, sent.max() / n_windows)
        window = np.minimum(sent // width, n_windows - 1).astype(int)
        return [
            ((i + 0.5) * width, *np.percentile(times[window == i], [50, 95, 100]))
            for i in range(n_windows)
            if (window == i).any()
        ]


def read_runs(folder):
    """Every run in a folder: ours first, and whatever else is there."""
    folders = sorted(path.parent for path in Path(folder).glob("*/requests.jsonl"))
    if not folders:
        raise FileNotFoundError(f"{folder} has no folder with a requests.jsonl")
    return [read_run(path) for path in sorted(folders, key=lambda path: (path.name != "iris-lambda", path.name))]


def read_run(folder):
    files = [path for path in Path(folder).rglob("*") if path.suffix in (".json", ".jsonl")]
    access = [line for path in files if path.name.startswith("access") for line in objects(path)]
    lambda_ids = {line["requestId"]: line["integrationRequestId"] for line in access}
    logged = [path for path in files if not path.name.startswith(("access", *NOT_OF_THE_FUNCTION))]
    events = events_of([line for path in logged for line in lines(path)])
    about = folder / "about.json"
    return Run(
        folder.name,
        json.loads(about.read_text()) if about.is_file() else {},
        [request(line, lambda_ids, events) for line in objects(folder / "requests.jsonl")],
    )


def request(line, lambda_ids, events):
    """Puts the client's and the function's view of a request together."""
    lambda_id = lambda_ids.get(line["request_id"], line["request_id"])
    # What never came to the function, or failed before it could log, has no start to speak of.
    event = events.get(lambda_id, {"cold": False})
    if not line["problem"] and lambda_id not in events:
        raise LookupError(f"the function's log has no request {lambda_id}: is the access log there, is the log whole?")
    return Request(
        line["sent"], line["milliseconds"], line["problem"], line["answer"], event["cold"], event.get("micros")
    )


def events_of(log):
    """What the function's log says, by Lambda's request id."""
    events = {}
    reports = {}
    for line in log:
        if line.startswith("{"):
            record = json.loads(line)
            if "request_id" in record and "cold" in record:
                events[record["request_id"]] = {"cold": record["cold"], "micros": record["micros"]}
        elif report := REPORT.match(line):
            duration = DURATION.search(line)
            reports[report["request_id"]] = {
                "cold": INIT.search(line) is not None,
                "micros": float(duration["ms"]) * 1e3 if duration else None,
            }
    return reports | events


def lines(path):
    """The lines of a log, or the messages of what `aws logs filter-log-events` prints."""
    text = path.read_text()
    if path.suffix == ".json":
        return [event["message"].strip() for event in json.loads(text)["events"]]
    return text.splitlines()


def objects(path):
    return [json.loads(line) for line in lines(path) if line.startswith("{")]


def summary(values):
    """The 5th, 50th and 95th percentile, and the mean."""
    return (*np.percentile(values, [5, 50, 95]), values.mean())
