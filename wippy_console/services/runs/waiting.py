"""Waits for the end of a run."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.common import RawValue
from temporalio.service import RPCError

from engine.errors import TIMEOUT, Failure, UnitFailed
from engine.hosts.temporal.wire.failures import from_exception
from engine.hosts.temporal.wire.payloads import decode
from engine.pids import Pid
from wippy_console.database.storable import storable
from wippy_console.models import Run
from wippy_console.services import temporal
from wippy_console.services.runs.searching import newer
from wippy_console.services.runs.values import Started, StillRunningError

_NEWS_SECONDS = 3.0
"""So long the projection may take to hear of an end that Temporal tells already."""


def result(started: Started, timeout: float | None = None) -> object:
    """The result of a run (and of those that go on for it); UnitFailed with its failure, StillRunningError when late.

    Unavailable when Temporal does not answer.
    """
    pid = Pid.parse(started.pid)
    assert pid is not None
    client = temporal.client(pid.node)
    handle = client.get_workflow_handle(started.workflow_id, run_id=started.run_id or None, result_type=RawValue)
    try:
        found = temporal.run(_awaited(handle, started, timeout), timeout=None)
    except (WorkflowFailureError, RPCError) as error:
        raise UnitFailed(from_exception(error)) from error
    return storable(decode(found.payload))


async def _awaited(handle: WorkflowHandle[object, RawValue], started: Started, timeout: float | None) -> RawValue:
    """Its result; a TimeoutError is an OSError, and would pass for a connection that broke."""
    try:
        return await asyncio.wait_for(handle.result(), timeout)
    except TimeoutError as error:
        text = f"the run of {started.workflow_id} did not end within {timeout:g} seconds, and goes on"
        raise StillRunningError(Failure(TIMEOUT, text, retryable=True)) from error


def ended(user: Any, run: Run, seconds: float) -> Run | None:
    """The run, or the last of those that went on for it, once it has ended; None when it has not after `seconds`."""
    if (last := newer(user, run) or run).is_open:
        try:
            result(Started(last.pid, last.workflow_id, last.run_id), seconds)
        except StillRunningError:
            return None
        except UnitFailed:
            pass  # how it ended stands in its row
        if not _is_over(user, last, _NEWS_SECONDS):
            return None
    return newer(user, last) or last


def _is_over(user: Any, run: Run, patience: float) -> bool:
    """Whether the rows tell that the newest run has ended, by now or soon."""
    end = time.monotonic() + patience
    while True:
        last = newer(user, run) or run
        last.refresh_from_db()
        if not last.is_open:
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.1)
