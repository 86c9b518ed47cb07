"""Reaching nodes from anywhere: standalone activities on the fleet's queue, or on one node's own."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TypeVar

from temporalio.client import ActivityFailureError, Client
from temporalio.common import ActivityIDReusePolicy, RawValue, RetryPolicy
from temporalio.exceptions import ActivityAlreadyStartedError, ApplicationError
from temporalio.exceptions import TimeoutError as TemporalTimeout
from temporalio.service import RPCError

from engine.contracts.host import CallRequest, SpawnRequest
from engine.contracts.operations import ProcessInfo
from engine.errors import ALREADY_EXISTS, UNAVAILABLE, Failure, UnitFailed, invalid
from engine.hosts.temporal.options.activity import HEARTBEAT_TIMEOUT, START_TO_CLOSE
from engine.hosts.temporal.settings import FLEET_QUEUE, node_queue
from engine.hosts.temporal.wire import failures, requests
from engine.hosts.temporal.wire.requests import Request
from engine.steps import Value

# No node at all takes the request within this time: the console says so instead of waiting.
ANSWERED_WITHIN = timedelta(seconds=10)
DESCRIBED_WITHIN = timedelta(seconds=2)
ONCE = RetryPolicy(maximum_attempts=1)
TWICE = RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=100))

A = TypeVar("A")


class Unanswered(UnitFailed):
    """No node took the request, or Temporal is away: the failure is none of what was asked for."""


class NodeClient:
    """Calls functions and reaches processes on some node; `node` "" means any. Failures come as UnitFailed."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, request: CallRequest, node: str = "", timeout: timedelta = START_TO_CLOSE) -> Value:
        """The value of a function call. It runs at most once: a caller may try again, a machine must not."""
        return await self.ask(requests.Call(request), node, timeout)

    async def spawn(self, request: SpawnRequest, node: str = "", key: str = "") -> str:
        """The pid of a new process (or workflow)."""
        return await self.ask(requests.Spawn(request), node, key=key)

    async def run(
        self, request: SpawnRequest, node: str = "", timeout: timedelta = START_TO_CLOSE
    ) -> tuple[str, Value]:
        """The pid of a new process and, when it has ended, its value, or its Failure as a value."""
        outcome = await self.ask(requests.Run(request), node, timeout)
        return outcome.pid, outcome.failure or outcome.value

    async def send(
        self, dest: str, topic: str, values: tuple[Value, ...], node: str = "", sender: str = "", key: str = ""
    ) -> None:
        """Send a message to a pid."""
        await self.ask(requests.Send(dest, topic, values, sender), node, key=key)

    async def cancel(self, dest: str, reason: str = "", node: str = "", sender: str = "", key: str = "") -> None:
        """Deliver CANCEL to a pid."""
        await self.ask(requests.Cancel(dest, reason, sender), node, key=key)

    async def terminate(self, dest: str, reason: str = "", node: str = "", sender: str = "", key: str = "") -> None:
        """End the unit of a pid now."""
        await self.ask(requests.Terminate(dest, reason, sender), node, key=key)

    async def describe(self, pid: str, node: str) -> ProcessInfo:
        """A running process or function call now; NotFound."""
        return await self.ask(requests.Describe(pid), node, within=DESCRIBED_WITHIN)

    async def service(self, entry_id: str, action: str, node: str, key: str = "") -> None:
        """Let a node START (anew, if it runs) or STOP a service; NotFound when it is not that node's."""
        await self.ask(requests.Service(entry_id, action), node, key=key)

    async def serve(self, id: str, target: str, timeout: timedelta, key: str = "") -> None:
        """Let any node that has a `Server` answer the HTTP request of that id; returns when the answer is kept.

        It may be asked twice, since a task can get lost on its way to a node: the `Server` answers one of them.
        """
        await self.ask(requests.Serve(id, target), "", timeout, key=key, retry=TWICE)

    async def ask(
        self,
        request: Request[A],
        node: str,
        timeout: timedelta = timedelta(seconds=30),
        *,
        within: timedelta = ANSWERED_WITHIN,
        key: str = "",
        retry: RetryPolicy = ONCE,
    ) -> A:
        """The answer to a request, by default tried once; AlreadyExists when one with the same `key` was asked before.

        `within` bounds the wait for a node that takes it.
        """
        argument = RawValue(request.encode())
        try:
            answer: RawValue = await self._client.execute_activity(
                request.name,
                argument,
                id=f"{request.name}-{key or uuid.uuid4().hex}",
                id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE,
                task_queue=node_queue(node) if node else FLEET_QUEUE,
                result_type=RawValue,
                schedule_to_start_timeout=within,
                start_to_close_timeout=timeout,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                retry_policy=retry,
            )
        except ActivityAlreadyStartedError as error:
            raise UnitFailed(Failure(ALREADY_EXISTS, "this was asked before", retryable=False)) from error
        except (ActivityFailureError, RPCError) as error:
            failed = Unanswered if isinstance(error, RPCError) or _waited_in_vain(error) else UnitFailed
            raise failed(_failure(error, request.name, node)) from error
        return request.decode_answer(answer.payload)


def _failure(error: ActivityFailureError | RPCError, name: str, node: str) -> Failure:
    cause = error.cause if isinstance(error, ActivityFailureError) else None
    if _waited_in_vain(error):
        text = f"node '{node}' does not answer" if node else "no node answers"
        return Failure(UNAVAILABLE, text, retryable=True)
    if isinstance(cause, ApplicationError) and _is_unregistered(cause, name):
        which = f"node '{node}'" if node else "the node that took it"
        return invalid(f"{which} does not know {name}: it runs an older version, upgrade it")
    return failures.from_exception(cause or error)


def _waited_in_vain(error: ActivityFailureError | RPCError) -> bool:
    """Whether nobody took the request in time."""
    cause = error.cause if isinstance(error, ActivityFailureError) else None
    return isinstance(cause, TemporalTimeout) and cause.type is not None and cause.type.name == "SCHEDULE_TO_START"


def _is_unregistered(error: ApplicationError, name: str) -> bool:
    """Whether the SDK of the node says so. A function's own failure of that type would have details."""
    return error.type == "NotFoundError" and not error.details and name in error.message
