"""What one workflow task may hold: bytes that leave in one message, rounds, and time on the processor.

Beyond bytes and rounds Temporal would fail the task and try it again for ever; here the command or the run fails. Time
fails the task alone: a clock must not decide how a run ends.
"""

from __future__ import annotations

import time

from temporalio import workflow

from engine.errors import LIMIT_EXCEEDED, Failure, StepAborted, UnitFailed, invalid
from engine.hosts.temporal.wire.bounds import MAX_LOCAL_RESULT

# gRPC takes 4 MiB; a task's commands travel in one message.
MAX_TASK_BYTES = 3_500_000
MAX_ROUNDS = 5_000
# The SDK gives a task two seconds (docs/pitfalls.md#the-deadlock-detector). Time on the processor, since a
# loaded machine is no fault of the run.
MAX_SECONDS = 1.2


class TaskBudget:
    """Counts what the present workflow task has used; a task is known by the length of its history."""

    def __init__(self) -> None:
        self._task = -1
        self._bytes = 0
        self._rounds = 0
        self._seconds = 0.0
        self._locals = 0

    def spend(self, size: int, what: str) -> None:
        """Take room for `size` bytes; raises Invalid when the task has none left."""
        self._roll()
        if self._bytes + size + self._reserved() > MAX_TASK_BYTES:
            text = f"{what} does not fit: this step already sends {self._bytes} bytes of at most {MAX_TASK_BYTES}"
            raise UnitFailed(invalid(text, size=size, limit=MAX_TASK_BYTES))
        self._bytes += size

    def reserve_local(self) -> bool:
        """Whether there is room for the result of one more local activity; takes it if so."""
        self._roll()
        if self._bytes + self._reserved() + MAX_LOCAL_RESULT > MAX_TASK_BYTES:
            return False
        self._locals += 1
        return True

    def local_done(self, size: int) -> None:
        """A local activity came back with that many bytes."""
        self._roll()
        self._locals -= 1
        self._bytes += size

    def begin_round(self) -> float:
        """Count one step; raises LimitExceeded when the run goes round without ever waiting for the world."""
        self._roll()
        self._rounds += 1
        if self._rounds > MAX_ROUNDS:
            raise _exceeded(f"more than {MAX_ROUNDS} steps in one workflow task without waiting")
        return time.thread_time()

    def end_round(self, began: float, kernel: int) -> None:
        """Count the time of the step that began then; raises StepAborted, or LimitExceeded for a run of kernel 1."""
        self._seconds += time.thread_time() - began
        # A replay must not fail where the run itself went on, whatever machine it is on.
        if self._seconds > MAX_SECONDS and not workflow.unsafe.is_replaying():
            text = f"more than {MAX_SECONDS} s of computing in one workflow task"
            raise _exceeded(text) if kernel < 2 else StepAborted(text)

    def _reserved(self) -> int:
        return self._locals * MAX_LOCAL_RESULT

    def _roll(self) -> None:
        task = workflow.info().get_current_history_length()
        if task != self._task:
            self._task, self._bytes, self._rounds, self._seconds = task, 0, 0, 0.0


def _exceeded(message: str) -> UnitFailed:
    return UnitFailed(Failure(LIMIT_EXCEEDED, message, retryable=False))
