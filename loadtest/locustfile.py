"""The original's load: one row of iris to `POST /predict`, by users who wait 3 to 5 s between their requests.

locust -f loadtest/locustfile.py --host https://API.execute-api.REGION.amazonaws.com/dev --headless \\
    --users 10 --spawn-rate 5 --run-time 60s --csv logs/aws/test --csv-full-history --html logs/aws/test_report.html \\
    --logfile logs/aws/test_log.txt --requests-log logs/aws/requests.jsonl

Every answer is checked; --requests-log writes a line for each request, which performance_analysis.ipynb reads.
"""

import json
import logging
import time
from pathlib import Path

from locust import HttpUser, between, events, task

ROWS = {"values": [[5.9, 3.0, 5.1, 2.3]]}
ANSWER = {"prediction": [2]}
# Of API Gateway; of a function URL it is the Lambda function's own.
REQUEST_ID = "x-amzn-RequestId"


@events.init_command_line_parser.add_listener
def add_options(parser):
    parser.add_argument("--requests-log", default="", help="a file that gets a JSON line for each request")


@events.init.add_listener
def start_log(environment, **_):
    path = environment.parsed_options.requests_log if environment.parsed_options else ""
    environment.requests_log = Path(path) if path else None
    if environment.requests_log:
        environment.requests_log.write_text("")


class Client(HttpUser):
    """One client of the API."""

    wait_time = between(3, 5)

    @task
    def predict(self):
        sent = time.time()
        with self.client.post("/predict", json=ROWS, catch_response=True) as response:
            milliseconds = response.request_meta["response_time"]
            problem = wrong(response)
            if problem:
                response.failure(problem)
        logging.info("Response time: %.2f ms", milliseconds)
        logging.info("Response status code: %s", response.status_code)
        logging.info("Response text: %s", response.text)
        if self.environment.requests_log:
            line = {
                "sent": sent,
                "milliseconds": milliseconds,
                "status": response.status_code,
                "problem": problem,
                "answer": response.text,
                "request_id": response.headers.get(REQUEST_ID),
            }
            with self.environment.requests_log.open("a") as log:
                log.write(json.dumps(line) + "\n")


def wrong(response):
    """What is wrong with an answer, None if nothing is."""
    if response.status_code != 200:
        return f"status {response.status_code}: {response.text[:200]}"
    try:
        answer = response.json()
    except ValueError:
        return f"not JSON: {response.text[:200]}"
    return None if answer == ANSWER else f"answered {answer}"
