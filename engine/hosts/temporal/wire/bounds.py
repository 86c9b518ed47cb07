"""What Temporal's server refuses, found out before it is asked.

A command that the server refuses fails the task of its run, which is then tried again for ever. So whatever ends
up in a command is measured here first, and fails only the call that asked for it.
"""

from __future__ import annotations

from engine.errors import LIMIT_EXCEEDED, Failure, UnitFailed, invalid

MAX_NAME = 1000
MAX_SUMMARY = 400
MAX_DETAILS = 20_000
MAX_FAIRNESS_KEY = 64
MAX_INTEGER = 2**31 - 1
RESERVED_QUEUES = "/_sys/"
# The server's limit is 2,000 of a kind, and it may still count some that the run has given up.
MAX_PENDING = 1900
# Each is two events, of which the server takes 51,200 before it terminates the run.
MAX_TIMERS = 20_000
# The result of a local activity travels in a marker, in the message of the task's commands.
MAX_LOCAL_RESULT = 128 * 1024


def longer_than(text: str, limit: int) -> bool:
    """Whether the text has more than `limit` bytes."""
    return len(text.encode("utf-8", "surrogatepass")) > limit


def check_name(text: str, what: str) -> str:
    """The text, which names something on the server; raises Invalid when it is too long."""
    if longer_than(text, MAX_NAME):
        raise UnitFailed(invalid(f"{what} is longer than {MAX_NAME} bytes: {text[:40]}..."))
    return text


def check_queue(text: str) -> str:
    """The name of a task queue; raises Invalid."""
    if text.startswith(RESERVED_QUEUES):
        raise UnitFailed(invalid(f"task queue '{text[:40]}': names with {RESERVED_QUEUES} are the server's own"))
    return check_name(text, "task queue")


class Pending:
    """Counts what of one kind a run has under way."""

    def __init__(self, what: str, limit: int = MAX_PENDING) -> None:
        self._what = what
        self._limit = limit
        self._count = 0

    def enter(self) -> None:
        """One more; raises LimitExceeded when there are too many."""
        if self._count >= self._limit:
            text = f"{self._limit} {self._what} of this run are under way, which is the limit"
            raise UnitFailed(Failure(LIMIT_EXCEEDED, text, retryable=False))
        self._count += 1

    def leave(self, *_: object) -> None:
        """One of them is done."""
        self._count -= 1
