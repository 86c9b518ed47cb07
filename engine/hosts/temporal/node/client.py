"""Reaching nodes from anywhere: standalone activities on the fleet's queue, or on one node's own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio.client import ActivityFailureError, Client
from temporalio.common import ActivityIDReusePolicy, RawValue, RetryPolicy
from temporalio.exceptions import ActivityAlreadyStartedError
from temporalio.exceptions import TimeoutError as TemporalTimeout
from temporalio.service import RPCError

from engine.contracts.host import CallRequest, SpawnRequest
from engine.errors import ALREADY_EXISTS, UNAVAILABLE, Failure, UnitFailed
from engine.hosts.temporal.options.activity import HEARTBEAT_TIMEOUT, START_TO_CLOSE
from engine.hosts.temporal.settings import FLEET_QUEUE, node_queue
from engine.hosts.temporal.wire import failures, headers, payloads
from engine.steps import Value

# No node at all takes the request within this time: the console says so instead of waiting.
ANSWERED_WITHIN = timedelta(seconds=10)
DESCRIBED_WITHIN = timedelta(seconds=2)
ONCE = RetryPolicy(maximum_attempts=1)


class Fleet:
    """Calls functions and reaches processes on some node; `node` "" means any. Failures come as UnitFailed."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, request: CallRequest, node: str = "", timeout: timedelta = START_TO_CLOSE) -> Value:
        """The value of a function call. It runs at most once: a caller may try again, a machine must not."""
        fields = {
            "target": request.target,
            "args": list(request.args),
            "options": dict(request.options),
            "context": headers.portable(request.context),
            "caller": request.caller,
            "security": headers.carried(request.security),
        }
        return await self.ask("wippy.call", fields, node, timeout)

    async def spawn(self, request: SpawnRequest, node: str = "", key: str = "") -> str:
        """The pid of a new process (or workflow)."""
        return str(await self.ask("wippy.spawn", _spawn_fields(request), node, key=key))

    async def run(
        self, request: SpawnRequest, node: str = "", timeout: timedelta = START_TO_CLOSE
    ) -> tuple[str, Value]:
        """The pid of a new process and, when it has ended, its value, or its Failure as a value."""
        answer = await self.ask("wippy.run", _spawn_fields(request), node, timeout)
        return answer["pid"], answer.get("failure") or answer.get("value")

    async def send(
        self, dest: str, topic: str, values: tuple[Value, ...], node: str = "", sender: str = "", key: str = ""
    ) -> None:
        """Send a message to a pid."""
        fields = {"dest": dest, "topic": topic, "payloads": list(values), "sender": sender}
        await self.ask("wippy.send", fields, node, key=key)

    async def cancel(self, dest: str, reason: str = "", node: str = "", sender: str = "", key: str = "") -> None:
        """Deliver CANCEL to a pid."""
        await self.ask("wippy.cancel", {"dest": dest, "reason": reason, "sender": sender}, node, key=key)

    async def terminate(self, dest: str, reason: str = "", node: str = "", sender: str = "", key: str = "") -> None:
        """End the unit of a pid now."""
        await self.ask("wippy.terminate", {"dest": dest, "reason": reason, "sender": sender}, node, key=key)

    async def describe(self, pid: str, node: str) -> Mapping[str, Any]:
        """A running process or function call now, as the fields of ProcessInfo; NotFound."""
        found: Mapping[str, Any] = await self.ask("wippy.describe", {"dest": pid}, node, within=DESCRIBED_WITHIN)
        return found

    async def service(self, entry_id: str, action: str, node: str, key: str = "") -> None:
        """Let a node `start` (anew, if it runs) or `stop` a service; NotFound when it is not that node's."""
        await self.ask("wippy.service", {"entry": entry_id, "action": action}, node, key=key)

    async def ask(
        self,
        activity: str,
        fields: Mapping[str, Any],
        node: str,
        timeout: timedelta = timedelta(seconds=30),
        *,
        within: timedelta = ANSWERED_WITHIN,
        key: str = "",
    ) -> Value:
        """The answer of a `wippy.*` activity, tried once; AlreadyExists when one with the same `key` was asked before.

        `within` bounds the wait for a node that takes it.
        """
        what = str(fields.get("target") or fields.get("entry") or fields.get("dest"))
        request = RawValue(payloads.encode(fields, f"{activity} {what}"))
        try:
            answer: RawValue = await self._client.execute_activity(
                activity,
                request,
                id=f"{activity}-{key or uuid.uuid4().hex}",
                id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE,
                task_queue=node_queue(node) if node else FLEET_QUEUE,
                result_type=RawValue,
                schedule_to_start_timeout=within,
                start_to_close_timeout=timeout,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=ONCE,
            )
        except ActivityAlreadyStartedError as error:
            raise UnitFailed(Failure(ALREADY_EXISTS, "this was asked before", retryable=False)) from error
        except (ActivityFailureError, RPCError) as error:
            raise UnitFailed(_failure(error, node)) from error
        return payloads.decode(answer.payload)


def _spawn_fields(request: SpawnRequest) -> Mapping[str, Any]:
    return {
        "entry": request.entry,
        "host": request.host,
        "args": list(request.args),
        "parent": request.parent,
        "name": request.name,
        "options": dict(request.options),
        "context": headers.portable(request.context),
        "security": headers.carried(request.security),
        "messages": [[topic, list(values)] for topic, values in request.messages],
    }


def _failure(error: ActivityFailureError | RPCError, node: str) -> Failure:
    cause = error.cause if isinstance(error, ActivityFailureError) else None
    if isinstance(cause, TemporalTimeout) and cause.type is not None and cause.type.name == "SCHEDULE_TO_START":
        text = f"node '{node}' does not answer" if node else "no node answers"
        return Failure(UNAVAILABLE, text, retryable=True)
    return failures.from_exception(cause or error)
