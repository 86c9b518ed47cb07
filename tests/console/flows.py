"""Plain Python workflows on a real Temporal, named like entries: what timelines and decisions are tested on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

SHORT = timedelta(seconds=30)


@activity.defn(name="app.api:flaky")
async def flaky(text: str) -> dict[str, Any]:
    """Fail twice, then answer."""
    attempt = activity.info().attempt
    if attempt < 3:
        raise ApplicationError(f"try {attempt}", type="Unavailable")
    return {"text": text, "attempt": attempt}


@activity.defn(name="app.api:refuse")
async def refuse(text: Any) -> None:
    """Fail for good."""
    raise ApplicationError(f"no {text}", {"errors": []}, type="Invalid", non_retryable=True)


@activity.defn(name="app.api:slow")
async def slow() -> None:
    """Outlast every timeout of a test."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.1)


@activity.defn(name="app.api:large")
async def large() -> str:
    """Answer with 6 kB."""
    return "x" * 6_000


_BROKEN: set[str] = set()


@activity.defn(name="app.api:mended")
async def mended(key: str) -> str:
    """Fail for good when a key comes for the first time, then answer."""
    if key not in _BROKEN:
        _BROKEN.add(key)
        raise ApplicationError("broken as yet", type="Broken", non_retryable=True)
    return "mended"


@workflow.defn(name="app.flows:steps")
class Steps:
    """A call, a child that outlives it, a wait for the signal "go", and a call that fails in the first run."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    @workflow.run
    async def run(self) -> Any:
        """Pass through all of it."""
        me = workflow.info().workflow_id
        await workflow.execute_activity("app.api:large", start_to_close_timeout=SHORT)
        policy = workflow.ParentClosePolicy.ABANDON
        await workflow.start_child_workflow("app.flows:child", "wait", id=f"{me}/kept", parent_close_policy=policy)
        await workflow.wait_condition(lambda: bool(self.got))
        done = await workflow.execute_activity("app.api:mended", me, start_to_close_timeout=SHORT)
        return {"got": self.got, "done": done}

    @workflow.signal(name="go")
    def on_go(self, payload: Any) -> None:
        """Go on."""
        self.got.append(payload)


@activity.defn(name="app.api:down")
async def down(order: Any) -> None:
    """Fail as long as it is tried."""
    raise ApplicationError("gateway says 503", type="Unavailable")


@workflow.defn(name="app.flows:retrying")
class Retrying:
    """Call what never answers."""

    @workflow.run
    async def run(self, every: float) -> None:
        """Try again after so many seconds."""
        policy = RetryPolicy(initial_interval=timedelta(seconds=every), backoff_coefficient=1)
        await workflow.execute_activity(
            "app.api:down", {"order": 17}, start_to_close_timeout=SHORT, retry_policy=policy
        )


@workflow.defn(name="app.flows:child")
class Child:
    """End well or badly, or wait for "go"."""

    def __init__(self) -> None:
        self.go = False

    @workflow.run
    async def run(self, how: str) -> str:
        """Do what `how` says."""
        if how == "fail":
            raise ApplicationError("the child broke", type="Invalid")
        if how == "wait":
            await workflow.wait_condition(lambda: self.go)
        return f"child {how}"

    @workflow.signal(name="go")
    def on_go(self) -> None:
        """Let it end."""
        self.go = True


@workflow.defn(name="app.flows:everything")
class Everything:
    """One of each kind of event, then wait for the signal "finish" and end with its payload."""

    def __init__(self) -> None:
        self.answer: Any = None

    @workflow.run
    async def run(self, order: dict[str, Any]) -> Any:
        """Pass through all kinds."""
        workflow.patched("a-patch")
        quick = RetryPolicy(initial_interval=timedelta(milliseconds=10))
        await workflow.execute_activity("app.api:flaky", "hi", start_to_close_timeout=SHORT, retry_policy=quick)
        await self.swallow(workflow.execute_activity("app.api:refuse", order, start_to_close_timeout=SHORT))
        once = RetryPolicy(maximum_attempts=1)
        await self.swallow(
            workflow.execute_activity("app.api:slow", start_to_close_timeout=timedelta(seconds=1), retry_policy=once)
        )
        stopped = workflow.start_activity(
            "app.api:slow", start_to_close_timeout=SHORT, heartbeat_timeout=timedelta(seconds=1)
        )
        await workflow.sleep(timedelta(milliseconds=50))
        stopped.cancel()
        await self.swallow(stopped)
        await workflow.execute_activity("app.api:large", start_to_close_timeout=SHORT)
        await workflow.execute_local_activity(flaky, "near", start_to_close_timeout=SHORT, retry_policy=quick)
        timer = asyncio.create_task(workflow.sleep(timedelta(hours=24)))
        await workflow.sleep(timedelta(milliseconds=20))
        timer.cancel()
        await self.swallow(timer)
        await self.families()
        await workflow.wait_condition(lambda: self.answer is not None)
        return self.answer

    async def families(self) -> None:
        """Children and other workflows."""
        me = workflow.info().workflow_id
        await workflow.execute_child_workflow("app.flows:child", "well", id=f"{me}/well")
        await self.swallow(workflow.execute_child_workflow("app.flows:child", "fail", id=f"{me}/fail"))
        handle = await workflow.start_child_workflow("app.flows:child", "wait", id=f"{me}/wait")
        await handle.signal("go")
        await handle
        await self.swallow(workflow.get_external_workflow_handle("nobody").signal("hello", 1))
        await self.swallow(workflow.get_external_workflow_handle("nobody").cancel())

    @staticmethod
    async def swallow(task: Any) -> None:
        """Wait for an end that is expected to be a bad one."""
        with suppress(BaseException):  # a cancelled task raises CancelledError
            await task

    @workflow.signal(name="finish")
    def finish(self, payload: Any) -> None:
        """End with the payload."""
        self.answer = payload

    @workflow.update(name="rename")
    def rename(self, name: str) -> str:
        """Answer at once."""
        return f"renamed {name}"


@workflow.defn(name="app.flows:approval")
class Approval:
    """Collect payloads of any signal; end when `wanted` of them came, or fail on the payload "break"."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    @workflow.run
    async def run(self, *args: Any) -> list[Any]:
        """Wait for as many signals as the first argument's `wanted` says (1 by default)."""
        first = args[0] if args and isinstance(args[0], dict) else {}
        await workflow.wait_condition(lambda: len(self.got) >= first.get("wanted", 1))
        return self.got

    @workflow.query
    def echo(self, first: Any = None, second: Any = None) -> Any:
        """Answer with what was asked."""
        return [first, second]

    @workflow.signal(dynamic=True)
    def on_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Keep topic and payload."""
        payloads = [workflow.payload_converter().from_payload(arg.payload, Any) for arg in args]
        self.got.append({"topic": name, "payload": payloads[0] if payloads else None})

    @workflow.update(dynamic=True)
    async def on_update(self, name: str, args: Sequence[RawValue]) -> Any:
        """Refuse a payload with "refuse", wait for ever with "sleep", take all else as a signal."""
        payload = workflow.payload_converter().from_payload(args[0].payload, dict)
        if payload.get("refuse"):
            raise ApplicationError("the run says no", type="Invalid", non_retryable=True)
        await workflow.wait_condition(lambda: not payload.get("sleep") or len(self.got) > 0)
        self.got.append({"topic": name, "payload": payload})
        return {"taken": len(self.got)}


@workflow.defn(name="app.flows:again")
class Again:
    """Continue as another run at the first signal, and wait for ever then."""

    def __init__(self) -> None:
        self.got = False

    @workflow.run
    async def run(self, *args: Any) -> None:
        """Wait; the run that took over has an argument."""
        await workflow.wait_condition(lambda: self.got and not args)
        workflow.continue_as_new(1)

    @workflow.signal(dynamic=True)
    def on_signal(self, _name: str, _args: Sequence[RawValue]) -> None:
        """It came."""
        self.got = True


@workflow.defn(name="app.flows:deaf")
class Deaf:
    """Go on whoever asks to stop."""

    @workflow.run
    async def run(self) -> None:
        """Wait for a day, and swallow the cancel."""
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(86_400)


@workflow.defn(name="app.flows:stuck")
class Stuck:
    """Fail every workflow task."""

    @workflow.run
    async def run(self) -> None:
        """Raise what is not a Temporal failure."""
        await workflow.sleep(timedelta(milliseconds=10))
        raise ValueError("cannot go on")


@asynccontextmanager
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    """Serve all of them on the task queue."""
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[Child, Everything, Approval, Again, Deaf, Stuck, Steps, Retrying],
        activities=[flaky, refuse, slow, large, mended, down],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_heartbeat_throttle_interval=timedelta(milliseconds=100),
        default_heartbeat_throttle_interval=timedelta(milliseconds=100),
    ):
        yield
