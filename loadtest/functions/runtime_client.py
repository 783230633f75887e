"""Takes the place of awslambdaric's native module of this name under the emulator.

That one ends with a segmentation fault where an event has no Content-Type, as the emulator's have none, and takes no
Runtime API with a scheme, as the emulator's has one.
"""

import http.client
import os
from urllib.parse import urlsplit

API = urlsplit(os.environ["AWS_LAMBDA_RUNTIME_API"])
INVOCATION = f"{API.path}/2018-06-01/runtime/invocation"
connection = http.client.HTTPConnection(API.netloc)


def initialize_client(user_agent):
    """Nothing to do: the emulator does not ask who asks."""


def next():
    """Waits for an event; returns its body and headers."""
    connection.request("GET", f"{INVOCATION}/next")
    response = connection.getresponse()
    response.headers["Content-Type"] = "application/json"
    return response.read(), response.headers


def post_invocation_result(invoke_id, data, content_type, invocation_id=None):
    """Gives the answer to an event."""
    post(f"{INVOCATION}/{invoke_id}/response", data, {"Content-Type": content_type})


def post_error(invoke_id, data, xray_fault, invocation_id=None):
    """Says that an event failed."""
    post(f"{INVOCATION}/{invoke_id}/error", data.encode(), {"Content-Type": "application/json"})


def post(path, data, headers):
    connection.request("POST", path, data, headers)
    connection.getresponse().read()
