"""Tells of calls that keep failing: no history has their attempts, and such a run looks like one at work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from temporalio import activity

from engine.errors import Failure, UnitFailed
from engine.hosts.temporal.observations import FIRST_TOLD, Observe, Observed, Retrying, Settled, now
from engine.hosts.temporal.wire.failures import application_error

logger = logging.getLogger(__name__)

# The server's own policy, where a call has none.
FIRST_PAUSE, LONGEST = timedelta(seconds=1), 100


@contextmanager
def attempt_told(observe: Observe, info: activity.Info) -> Iterator[None]:
    """Tell once that the call keeps failing, and once that it does not any more; what is raised goes on.

    An attempt that was lost with its worker, or took too long, tells nothing: the one after it does.
    """
    if info.attempt == FIRST_TOLD and info.workflow_run_id:
        _tell(observe, Retrying(info.workflow_run_id, info.activity_id, info.activity_type, info.attempt))
    try:
        yield
    except UnitFailed as error:
        if not _is_tried_again(info, error.failure):
            _over(observe, info)
        elif info.attempt == FIRST_TOLD - 1:
            _tell(observe, _retrying(info, error.failure))
        raise
    except asyncio.CancelledError:
        if _is_given_up():
            _over(observe, info)
        raise
    _over(observe, info)


def _over(observe: Observe, info: activity.Info) -> None:
    if info.attempt >= FIRST_TOLD:
        _tell(observe, Settled(info.workflow_run_id or "", info.activity_id))


def _tell(observe: Observe, what: Observed) -> None:
    try:
        observe(what)
    except Exception:
        logger.exception("the observer of runs failed")


def _is_tried_again(info: activity.Info, failure: Failure) -> bool:
    if not info.workflow_run_id or _is_given_up():
        return False
    error, policy = application_error(failure), info.retry_policy
    if error.non_retryable or policy is None:
        return not error.non_retryable
    most, final = policy.maximum_attempts, policy.non_retryable_error_types or ()
    return not (most and info.attempt >= most) and error.type not in final


def _is_given_up() -> bool:
    """Whether the run cancelled the call: however the attempt ends, it is the last."""
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested


def _retrying(info: activity.Info, failure: Failure) -> Retrying:
    return Retrying(
        run_id=info.workflow_run_id or "",
        call_id=info.activity_id,
        name=info.activity_type,
        attempt=info.attempt + 1,
        failure=failure,
        next_at=_next(info),
        local=info.is_local,
    )


def _next(info: activity.Info) -> datetime:
    policy = info.retry_policy
    first = (policy.initial_interval if policy else None) or FIRST_PAUSE
    longest = (policy.maximum_interval if policy else None) or first * LONGEST
    factor = policy.backoff_coefficient if policy else 2.0
    return now() + min(first * min(factor ** (info.attempt - 1), 1e6), longest)
