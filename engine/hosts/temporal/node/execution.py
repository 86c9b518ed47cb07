"""How every activity of a node runs: with heartbeats, and its failures as Temporal records them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from temporalio import activity

from engine.errors import CANCELED, Failure, UnitFailed
from engine.hosts.temporal.wire import failures

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 3.0

T = TypeVar("T")
Activity = Callable[..., Awaitable[Any]]


class translated:  # noqa: N801  reads as a statement
    """Makes failures of units what Temporal records."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise the Temporal error of a failure; a cancelled call that says so ends as cancelled."""
        if isinstance(error, asyncio.CancelledError):
            _raise_if_abandoned()
        if not isinstance(error, UnitFailed):
            return
        if error.failure.kind == CANCELED and activity.is_cancelled():
            _raise_if_abandoned()
            raise asyncio.CancelledError from error
        info = activity.info()
        told = failures.application_error(error.failure)
        logger.info("%s failed, attempt %d: %s: %s", info.activity_type, info.attempt, told.type, told.message)
        raise told from None  # a cause would travel as well, with its whole message


def _raise_if_abandoned() -> None:
    """End a call that nobody waits for any more with an error that the SDK does not log, with a traceback, as ours."""
    info, details = activity.info(), activity.cancellation_details()
    if details and (details.timed_out or details.not_found):
        why = "timed out" if details.timed_out else "its run is over"
        logger.info("%s stopped, attempt %d: %s", info.activity_type, info.attempt, why)
        raise failures.application_error(Failure(CANCELED, why, retryable=True)) from None


async def with_heartbeat(work: Coroutine[Any, Any, T], pulse: Callable[[], None] = activity.heartbeat) -> T:
    """The value of the work, with a heartbeat meanwhile; a cancel of the activity cancels the work and waits for it."""
    task = asyncio.ensure_future(work)
    beats = asyncio.ensure_future(_beat(pulse))
    try:
        return await _outlasting_cancel(task)
    finally:
        beats.cancel()


async def _outlasting_cancel(task: asyncio.Future[T]) -> T:
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        return await task


async def _beat(pulse: Callable[[], None]) -> None:
    """Beat after each pause, not before the first: a short call costs no beat. A local activity has none."""
    info = activity.info()
    timeout = info.heartbeat_timeout
    seconds = min(HEARTBEAT_SECONDS, timeout.total_seconds() / 3) if timeout else HEARTBEAT_SECONDS
    while not info.is_local:
        await asyncio.sleep(seconds)
        pulse()
