"""Waits for the end of a run."""

from __future__ import annotations

import asyncio
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
from wippy_console.services import projection, temporal
from wippy_console.services.projection import Ref
from wippy_console.services.runs.pids import latest
from wippy_console.services.runs.searching import get, newer
from wippy_console.services.runs.values import Started, StillRunningError


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
    last = newer(user, run) or run
    if not last.is_open:
        return last
    try:
        result(Started(last.pid, last.workflow_id, last.run_id), seconds)
    except StillRunningError:
        return None
    except UnitFailed:
        pass  # how it ended stands in its row
    return _with_its_end(user, last)


def _with_its_end(user: Any, run: Run) -> Run:
    """The newest run of the workflow; the projection learns of its end now, if it has not yet."""
    pid = Pid.parse(run.pid)
    last = latest(pid) if pid is not None else run
    if last.is_open:
        catalog, client = temporal.catalog(), temporal.client(last.client)
        ref = Ref(last.client, last.workflow_id, last.run_id)
        if found := temporal.run(projection.fetch_ending(catalog, client, ref)):
            projection.write(catalog, [found])
    return get(user, last.workflow_id, last.run_id)
