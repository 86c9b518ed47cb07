"""Calls of a run: its activities."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from engine.errors import ALREADY_EXISTS, Failure, UnitFailed
from engine.hosts.temporal.options.activity import ActivityOptions, activity_options
from engine.hosts.temporal.options.reading import ACTIVITY_PREFIXES
from engine.hosts.temporal.options.types import check_right
from engine.hosts.temporal.wire import headers, payloads
from engine.hosts.temporal.wire.bounds import Pending, check_name
from engine.hosts.temporal.workflow.asking import Handle
from engine.hosts.temporal.workflow.budget import TaskBudget
from engine.hosts.temporal.workflow.routing import Routing
from engine.steps import Call, Identity


def fingerprint(arguments: Sequence[Payload], *texts: str) -> str:
    """A short hash of arguments. In an id it makes a replay notice arguments that changed places.

    See docs/pitfalls.md#replay-does-not-compare-arguments.
    """
    digest = hashlib.sha256("\0".join(texts).encode())
    for payload in arguments:
        digest.update(payload.SerializeToString(deterministic=True))
    return digest.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Head:
    """Headers, and how many bytes they are."""

    headers: dict[str, Payload]
    size: int

    @classmethod
    def of(cls, packed: dict[str, Payload]) -> Head:
        """With their size."""
        return cls(packed, payloads.size(packed.values()))


@dataclass(frozen=True, slots=True)
class Started:
    """An activity under way: `ended` is to be called at its end, before its id may be used again."""

    handle: Handle
    local: bool
    ended: Callable[[], None]


class Calls:
    """Starts the activities of one run."""

    def __init__(self, routing: Routing, budget: TaskBudget, identity: Identity) -> None:
        self._routing = routing
        self._budget = budget
        self._identity = identity
        self._pending = Pending("activities")
        self._ids: set[str] = set()
        final = headers.pack({headers.FINAL: True}) if identity.kernel >= 2 else {}  # runs begun before are tried on
        bare = headers.pack({headers.SENDER: identity.pid})
        self._bare_head, self._bare_final_head = Head.of(bare), Head.of(bare | final)
        self._final = final

    def start(self, call: Call) -> Started:
        """The call's activity; raises UnitFailed for what can't be sent."""
        target = self._routing.entries.entry(call.target)
        options = activity_options(target, call.options)
        if call.options:
            check_right(ACTIVITY_PREFIXES, call.options, self._identity, "funcs.call")
        arguments = payloads.encode_all(call.args, call.target)
        head = self._head(call, final=not options.retries_chosen)
        self._budget.spend(payloads.size(arguments) + head.size, f"the call of {call.target}")
        activity_id = self._id_of(call, options, arguments)
        kind = options.type or check_name(call.target, "function ID")
        with headers.outgoing(head.headers):
            if options.local and self._budget.reserve_local():
                handle = _start_local(kind, arguments, options, activity_id)
                return self._open(activity_id, handle, local=True)
            self._pending.enter()
            queue = options.task_queue or self._routing.activity_queue(target)
            handle = _start_remote(kind, arguments, options, activity_id, queue)
        return self._open(activity_id, handle, local=False)

    def _head(self, call: Call, *, final: bool) -> Head:
        """The headers of the call: most calls of a run carry no context, and share theirs."""
        if not call.context and call.security is None:
            return self._bare_final_head if final else self._bare_head
        head = {
            headers.CONTEXT: headers.portable(call.context),
            headers.SECURITY: headers.carried(call.security),
            headers.SENDER: self._identity.pid,
        }
        return Head.of(headers.pack(head) | (self._final if final else {}))

    def _id_of(self, call: Call, options: ActivityOptions, arguments: list[Payload]) -> str:
        if options.id in self._ids:
            text = f"activity '{options.id}' of this run is under way"
            raise UnitFailed(Failure(ALREADY_EXISTS, text, retryable=False))
        return options.id or f"{call.seq}-{fingerprint(arguments, call.target)}"

    def _open(self, activity_id: str, handle: Handle, *, local: bool) -> Started:
        def ended() -> None:
            if not local:
                self._pending.leave()
            self._ids.discard(activity_id)

        self._ids.add(activity_id)
        return Started(handle, local, ended)


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
        versioning_intent=options.versioning_intent,
    )
