"""Calls the running function as the original assignment's test does, then makes the same predictions in this process.

python test.py                   the local server of `make run` or `docker run -p 8080:8080 iris_image`
python test.py --url ADDRESS     a deployed API, such as https://abc.execute-api.eu-west-1.amazonaws.com/dev/predict
"""

import argparse
import json
import sys
import urllib.error
import urllib.request

import iris_core

LOCAL_URL = "http://localhost:8080/2015-03-31/functions/function/invocations"
BATCHES = [[[0.1, 2, 0.1, 3]], [[5.9, 3.0, 5.1, 2.3]]]


def post(url: str, event: object) -> object:
    """Sends one JSON document and returns the JSON answer, whatever its status."""
    request = urllib.request.Request(
        url, data=json.dumps(event).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.load(error)


def invoke(url: str | None, values: list[list[float]]) -> tuple[object, object]:
    """Returns the whole answer, and the prediction in it (None if there is none)."""
    if url is None:
        answer = post(LOCAL_URL, {"body": json.dumps({"values": values})})
        body = json.loads(answer["body"]) if isinstance(answer, dict) and "body" in answer else None
    else:
        # An API gateway makes the event itself, and answers with the body alone.
        answer = body = post(url, {"values": values})
    return answer, body.get("prediction") if isinstance(body, dict) else None


def main() -> int:
    """Prints each answer on its line; returns 1 if any differs from what iris_core predicts here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a deployed API's address, instead of the local server's")
    url = parser.parse_args().url
    differ = False
    for values in BATCHES:
        try:
            answer, prediction = invoke(url, values)
        except (OSError, ValueError) as error:
            print(f"no answer from {url or LOCAL_URL}: {error}", file=sys.stderr)
            return 1
        print(answer)
        expected = iris_core.predict(values)
        if prediction != expected:
            print(f"{values}: iris_core predicts {expected}", file=sys.stderr)
            differ = True
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
