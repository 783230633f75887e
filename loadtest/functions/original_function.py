"""The original's kind of function as it is, and a line of log for each event, spelled as our function's."""

import json
import sys
import time
from datetime import UTC, datetime

from sklearn_function import handler as predict

is_cold = True


def handler(event, context):
    """Answers the event and logs that."""
    global is_cold
    begin = time.perf_counter()
    response = predict(event, context)
    micros = int((time.perf_counter() - begin) * 1e6)
    body = json.loads(response["body"])
    line = {
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "level": "INFO",
        "message": "answered",
        "request_id": context.aws_request_id,
        "status": response["statusCode"],
        "rows": len(body["prediction"]) if "prediction" in body else 0,
        "micros": micros,
        "cold": is_cold,
    }
    is_cold = False
    print(json.dumps(line), file=sys.stderr, flush=True)
    return response
