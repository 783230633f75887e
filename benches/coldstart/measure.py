"""One start of one function, taken to its end."""

import json
import os
import signal
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """A function: what it is called, the command that starts it, what it needs in its environment."""

    name: str
    title: str
    command: tuple[str, ...]
    environment: dict[str, str]
    predicts: bool = True
    is_native: bool = False


@dataclass(frozen=True)
class Start:
    """What one start took: micro-seconds, and kilobytes at the peak."""

    contender: str
    next_us: float
    first_response_us: float
    warm_us: list[float]
    peak_kb: int


LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "iris",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_REGION": "eu-west-1",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}


def start(contender, api, event, n_warm, log):
    """Starts the function, sends it `1 + n_warm` events, checks what it answers, and ends it."""
    environment = LAMBDA | contender.environment | {"AWS_LAMBDA_RUNTIME_API": api.address}
    files = [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
    begin = time.perf_counter_ns()
    pid = os.posix_spawn(contender.command[0], contender.command, environment, file_actions=files)
    try:
        asked, connection = api.wait_next()
        _, responded, body = api.answer(connection, event)
        check(contender, body)
        warm = []
        for _ in range(n_warm):
            _, connection = api.wait_next()
            sent, got, body = api.answer(connection, event)
            warm.append((got - sent) / 1e3)
        check(contender, body)
        api.wait_next()
        peak = peak_kb(pid)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        api.forget()
    return Start(contender.name, (asked - begin) / 1e3, (responded - begin) / 1e3, warm, peak)


def check(contender, body):
    """A function that answers wrong is not measured."""
    response = json.loads(body)
    if contender.predicts and json.loads(response["body"]) != {"prediction": [2]}:
        raise RuntimeError(f"{contender.name} answers {response}")


def peak_kb(pid):
    """The most memory that the process has had resident."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
