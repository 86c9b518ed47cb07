"""Heartbeats of an activity, and what it knows of its try: for calls whose code tells how far it came."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from contextvars import copy_context
from datetime import timedelta

from temporalio import activity
from temporalio.common import RawValue

from engine.attempt import Attempt
from engine.hosts.temporal.wire import payloads
from engine.steps import Value

MICROSECOND = 1_000


class Beats:
    """Made within an activity. Each beat carries what the code told last: one without it would erase it."""

    def __init__(self) -> None:
        self._info = activity.info()
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        told = self._info.heartbeat_details
        self.told: Value = payloads.revived(payloads.within_lua(told[0])) if told else None
        """What the try before told last."""
        self._details = self.told

    def pulse(self) -> None:
        """One heartbeat; on the loop, from any context."""
        if not self._info.is_local:
            self._context.copy().run(self._beat)

    def tell(self, details: Value) -> None:
        """A heartbeat with details for the next try; from any thread."""
        self._details = details
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.pulse)

    def _beat(self) -> None:
        activity.heartbeat(*(() if self._details is None else (RawValue(payloads.encode(self._details, "details")),)))

    def attempt(self) -> Attempt:
        """What the call may know of its try."""
        info = self._info
        run = info.workflow_run_id or ""
        key = f"{run or info.activity_run_id or info.workflow_id or ''}/{info.activity_id}"
        deadline = _deadline(info)
        return Attempt(info.attempt, key, deadline, info.workflow_id or "" if run else "", run, self.told, self.tell)


def _deadline(info: activity.Info) -> int:
    """When the server stops waiting for this try, ns since the epoch by this machine's clock; 0 without a timeout."""
    waited = info.started_time - info.scheduled_time  # both by the server's clock
    left = [info.start_to_close_timeout, info.schedule_to_close_timeout and info.schedule_to_close_timeout - waited]
    found = [each for each in left if each]
    return time.time_ns() + min(found) // timedelta(microseconds=1) * MICROSECOND if found else 0
