"""Logs are read as what they are, whoever wrote them."""

import json

import analysis
import costs
import numpy as np
import pytest

ANSWER = '{"prediction": [2]}'


def client(folder, *requests):
    """What locustfile.py writes: (request id, ms, problem)."""
    folder.mkdir()
    lines = [
        {"sent": 100.0 + i, "milliseconds": ms, "status": 200, "problem": problem, "answer": ANSWER, "request_id": name}
        for i, (name, ms, problem) in enumerate(requests)
    ]
    (folder / "requests.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def events(path, *messages):
    """What `aws logs filter-log-events` prints."""
    path.write_text(json.dumps({"events": [{"timestamp": 1, "message": f"{message}\n"} for message in messages]}))


def own(request_id, cold):
    return json.dumps({"message": "answered", "request_id": request_id, "rows": 1, "micros": 40, "cold": cold})


def report(request_id, init=""):
    return f"REPORT RequestId: {request_id}\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t{init}"


def read(folder):
    [run] = analysis.read_runs(folder)
    return [(request.milliseconds, request.is_cold, request.micros) for request in run.requests]


def test_sandboxes_and_an_access_log(tmp_path):
    client(tmp_path / "run", ("api-1", 30.0, None), ("api-2", 3.0, None))
    access = [{"requestId": f"api-{i}", "integrationRequestId": f"lambda-{i}"} for i in (1, 2)]
    (tmp_path / "run" / "access.jsonl").write_text("".join(json.dumps(line) + "\n" for line in access))
    lines = ["not JSON", own("lambda-1", True), own("lambda-2", False)]
    (tmp_path / "run" / "sandbox-0.jsonl").write_text("\n".join(lines))
    assert read(tmp_path) == [(30.0, True, 40), (3.0, False, 40)]


def test_a_deployed_api(tmp_path):
    client(tmp_path / "aws", ("api-1", 230.0, None), ("api-2", 30.0, None))
    access = [json.dumps({"requestId": f"api-{i}", "integrationRequestId": f"lambda-{i}"}) for i in (1, 2)]
    events(tmp_path / "aws" / "access.json", *access)
    events(
        tmp_path / "aws" / "function.json", "START RequestId: lambda-1", own("lambda-1", True), own("lambda-2", False)
    )
    assert read(tmp_path) == [(230.0, True, 40), (30.0, False, 40)]


def test_a_function_url_and_reports_alone(tmp_path):
    client(tmp_path / "aws", ("lambda-1", 230.0, None), ("lambda-2", 30.0, None))
    events(tmp_path / "aws" / "function.json", report("lambda-1", "Init Duration: 20.5 ms\t"), report("lambda-2"))
    assert read(tmp_path) == [(230.0, True, 1500.0), (30.0, False, 1500.0)]


def test_a_log_that_lacks_a_request_is_refused(tmp_path):
    client(tmp_path / "run", ("lambda-1", 30.0, None))
    (tmp_path / "run" / "sandbox-0.jsonl").write_text(own("lambda-2", True))
    with pytest.raises(LookupError, match="lambda-1"):
        analysis.read_runs(tmp_path)


def test_a_failed_request_counts_as_failed(tmp_path):
    client(tmp_path / "run", (None, 30.0, "status 500"))
    [run] = analysis.read_runs(tmp_path)
    assert run.failed == ["status 500"]


def test_no_run_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        analysis.read_runs(tmp_path)


def test_windows_have_their_own_percentiles(tmp_path):
    client(tmp_path / "run", *[(f"lambda-{i}", float(i), None) for i in range(24)])
    (tmp_path / "run" / "log.jsonl").write_text("\n".join(own(f"lambda-{i}", False) for i in range(24)))
    [run] = analysis.read_runs(tmp_path)
    windows = run.over_time()
    assert len(windows) == 12
    assert windows[0] == pytest.approx((23 / 12 / 2, 0.5, 0.95, 1.0))
    assert analysis.summary(np.arange(101)) == pytest.approx((5, 50, 95, 50))


def test_costs_are_what_the_bill_would_say():
    function = costs.Function("f", memory_mb=1024, event_ms=0.2, init_ms=98.9)
    # 990,000 events of 1 ms and 10,000 of 100 ms, at 1 GB.
    assert costs.compute(function, 0.01) == pytest.approx(1_990 * 0.0000166667)
    held = 10 * 2_592_000 * 0.0000041667
    assert costs.provisioned(function, 10, 1) == pytest.approx(0.2 + 1_000 * 0.0000097222 + held)
