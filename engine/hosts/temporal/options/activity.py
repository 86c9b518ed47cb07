"""What a workflow's `Call` means as an activity: where, how long, how often (docs/lua.md#options-of-an-activity)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityCancellationType, VersioningIntent

from engine.entry import Entry
from engine.hosts.temporal.options.reading import (
    ACTIVITY_PREFIXES,
    INTENTS,
    Options,
    call_retry_policy,
    call_timeout,
    final_when_slow,
)
from engine.hosts.temporal.options.types import chosen_type
from engine.hosts.temporal.wire import bounds
from engine.steps import Value

START_TO_CLOSE = timedelta(minutes=10)
# The activity beats every 3 s: a killed worker's calls are tried again soon, not when their time is up.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
MOST_KNOWN = 1_000


@dataclass(frozen=True, slots=True)
class ActivityOptions:
    """The options of one activity, read and merged. `id`, `type` and `task_queue` are "" when not given.

    `retries_chosen` says that author or caller wrote how often it is tried.
    """

    local: bool
    id: str
    type: str
    task_queue: str
    schedule_to_close: timedelta | None
    schedule_to_start: timedelta | None
    start_to_close: timedelta | None
    heartbeat: timedelta | None
    retry_policy: RetryPolicy | None
    retries_chosen: bool
    cancellation: ActivityCancellationType
    summary: str | None
    priority: Priority
    versioning_intent: VersioningIntent | None

    @classmethod
    def read(cls, target: Entry | None, given: Mapping[str, Value]) -> ActivityOptions:
        """`meta.options` of the target, overridden by the caller's; a bad value raises UnitFailed (Invalid)."""
        defaults = _meta_options(target)
        options = Options(ACTIVITY_PREFIXES, defaults, given)
        merged = {**defaults, **given}
        timeout, retry = call_timeout(merged), options.retry_policy(call_retry_policy(merged))
        options.flag("disable_eager_execution")  # checked alone: the SDK decides on that for a whole worker
        return cls(
            local=_is_local(target, options),
            id=options.name("id"),
            type=chosen_type(options),
            task_queue=options.queue(),
            schedule_to_close=options.duration("schedule_to_close_timeout"),
            schedule_to_start=options.duration("schedule_to_start_timeout"),
            start_to_close=options.duration("start_to_close_timeout", timeout or START_TO_CLOSE),
            heartbeat=options.duration("heartbeat_timeout", HEARTBEAT_TIMEOUT),
            retry_policy=final_when_slow(retry) if timeout else retry,
            retries_chosen=retry is not None,
            cancellation=_cancellation(options),
            summary=options.short_text("summary", bounds.MAX_SUMMARY),
            priority=options.priority(),
            versioning_intent=options.choice("versioning_intent", INTENTS, None),
        )


_known: dict[tuple[object, ...], tuple[Entry | None, ActivityOptions]] = {}


def activity_options(target: Entry | None, given: Mapping[str, Value]) -> ActivityOptions:
    """`ActivityOptions.read`, once for each entry of a registry version and options that are all text."""
    if not all(type(value) is str for value in given.values()):
        return ActivityOptions.read(target, given)
    key = (id(target), *given.items())
    known = _known.get(key)
    if known is None or known[0] is not target:  # a catalog keeps the entries of a version; what it drops is read again
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        known = _known[key] = (target, ActivityOptions.read(target, given))
    return known[1]


def worker_of(target: Entry | None) -> str:
    """The worker that the target's meta names, or ""."""
    worker = _activity_meta(target).get("worker")
    if not isinstance(worker, str) or not worker or target is None:
        return ""
    return worker if ":" in worker else f"{target.namespace}:{worker}"


def _meta_options(target: Entry | None) -> Mapping[str, Any]:
    options = target.meta.get("options") if target else None
    return options if isinstance(options, Mapping) else {}


def _activity_meta(target: Entry | None) -> Mapping[str, Any]:
    temporal = target.meta.get("temporal") if target else None
    activity = temporal.get("activity") if isinstance(temporal, Mapping) else None
    return activity if isinstance(activity, Mapping) else {}


def _is_local(target: Entry | None, options: Options) -> bool:
    return options.flag("local", _activity_meta(target).get("local") is True)


def _cancellation(options: Options) -> ActivityCancellationType:
    if options.flag("wait_for_cancellation"):
        return ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    return ActivityCancellationType.TRY_CANCEL
