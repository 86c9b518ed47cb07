"""Calls of a run: activities, and the local activities by which a run asks its worker something once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from engine.hosts.temporal import headers, payloads
from engine.hosts.temporal.activity_options import ActivityOptions
from engine.hosts.temporal.budget import TaskBudget
from engine.hosts.temporal.places import Places
from engine.steps import Call

RESOLVE = "wippy.resolve"
ATTRIBUTES = "wippy.attributes"
ENTROPY = "wippy.entropy"

Handle = workflow.ActivityHandle[Any]


def fingerprint(arguments: Sequence[Payload], *texts: str) -> str:
    """A short hash of arguments. In an id it makes a replay notice arguments that changed places (pitfall 24)."""
    digest = hashlib.sha256("\0".join(texts).encode())
    for payload in arguments:
        digest.update(payload.SerializeToString(deterministic=True))
    return digest.hexdigest()[:12]


class Calls:
    """Starts the activities of one run."""

    def __init__(self, places: Places, budget: TaskBudget, pid: str) -> None:
        self._places = places
        self._budget = budget
        self._pid = pid

    def start(self, call: Call) -> tuple[Handle, bool]:
        """The handle of the call's activity, and whether it is local; raises UnitFailed for what can't be sent."""
        target = self._places.entry(call.target)
        options = ActivityOptions.read(target, call.options)
        arguments = payloads.encode_all(call.args, call.target)
        head = headers.pack({headers.CONTEXT: headers.portable(call.context), headers.SENDER: self._pid})
        size = sum(payload.ByteSize() for payload in [*arguments, *head.values()])
        self._budget.spend(size, f"the call of {call.target}")
        activity_id = options.id or f"{call.seq}-{fingerprint(arguments, call.target)}"
        with headers.outgoing(head):
            if options.local and self._budget.reserve_local():
                return _start_local(call.target, arguments, options, activity_id), True
            queue = options.task_queue or self._places.activity_queue(target)
            return _start_remote(call.target, arguments, options, activity_id, queue), False


def ask_worker(activity: str, *args: Any) -> Handle:
    """Ask this worker something; its answer is recorded, so that a replay hears the same."""
    return workflow.start_local_activity(
        activity,
        args=payloads.raw(payloads.encode_all(args, activity)),
        result_type=RawValue,
        start_to_close_timeout=timedelta(seconds=10),
    )


def _start_local(target: str, arguments: list[Payload], options: ActivityOptions, activity_id: str) -> Handle:
    return workflow.start_local_activity(
        target,
        args=payloads.raw(arguments),
        result_type=RawValue,
        activity_id=activity_id,
        schedule_to_close_timeout=options.schedule_to_close,
        schedule_to_start_timeout=options.schedule_to_start,
        start_to_close_timeout=options.start_to_close,
        retry_policy=options.retry_policy,
        cancellation_type=options.cancellation,
        summary=options.summary,
    )


def _start_remote(
    target: str, arguments: list[Payload], options: ActivityOptions, activity_id: str, queue: str
) -> Handle:
    return workflow.start_activity(
        target,
        args=payloads.raw(arguments),
        result_type=RawValue,
        activity_id=activity_id,
        task_queue=queue or None,
        schedule_to_close_timeout=options.schedule_to_close,
        schedule_to_start_timeout=options.schedule_to_start,
        start_to_close_timeout=options.start_to_close,
        heartbeat_timeout=options.heartbeat,
        retry_policy=options.retry_policy,
        cancellation_type=options.cancellation,
        summary=options.summary,
        priority=options.priority,
    )
