"""A plain Python worker in an OS process of its own: `python -m tests.interop.python_worker ADDRESS QUEUE`.

It knows nothing of Wippy: no interceptors, no converter of its own, the SDK's default sandbox.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

SOON = timedelta(milliseconds=100)

# --- activities: their names have a namespace, since that is what `funcs` calls ------------------


@activity.defn(name="py:add")
async def add(one: int, two: int) -> dict[str, Any]:
    """A sum, and where it was made."""
    return {"sum": one + two, "process": os.getpid(), "queue": activity.info().task_queue}


@activity.defn(name="py:sync")
def sync(text: str) -> str:
    """Runs on a thread."""
    time.sleep(0.01)
    return text.upper()


@activity.defn(name="py:echo")
async def echo(value: Any) -> Any:
    """The value as Python took it and gives it back."""
    return {"type": type(value).__name__, "value": value}


@activity.defn(name="py:values")
async def values() -> Any:
    """What JSON allows and Lua has its own mind about."""
    return {
        "none": None,
        "holes": [1, None, 3],
        "nested": {"a": None, "b": [None]},
        "big": 2**70,
        "least": -(2**63),
        "whole": 2.0,
        "empty_list": [],
        "empty_table": {},
        "tagged": {"$bytes": "not base64!"},
        "text": "grüße",
    }


@activity.defn(name="py:nothing")
async def nothing() -> None:
    """Returns None."""


@activity.defn(name="py:bytes")
async def raw() -> bytes:
    """Returns bytes that are no text."""
    return b"\xff\x00\x01"


@activity.defn(name="py:declines")
async def declines(how: str) -> None:
    """Fails in one of several ways, and counts its attempts."""
    attempt = activity.info().attempt
    match how:
        case "typed":
            raise ApplicationError("card declined", {"code": 51}, type="PaymentDeclined", non_retryable=True)
        case "several":
            raise ApplicationError("odd", "first", {"big": 2**70}, None, type="Odd", non_retryable=True)
        case "kind":
            raise ApplicationError("taken", type="Conflict", non_retryable=True)
        case "plain":
            raise ValueError(f"attempt {attempt}")
        case "caused":
            try:
                raise KeyError("inner")
            except KeyError as error:
                raise ApplicationError("outer", type="Outer", non_retryable=True) from error


@activity.defn(name="py:flaky")
async def flaky(good: int) -> int:
    """Fails until that attempt, and tells what the last one beat."""
    attempt = activity.info().attempt
    activity.heartbeat(attempt)
    if attempt < good:
        raise ApplicationError("not yet", type="Unavailable")
    return attempt


@activity.defn(name="py:until_canceled")
async def until_canceled() -> str:
    """Beats until it is cancelled."""
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.05)


@activity.defn(name="py:tidies")
async def tidies() -> str:
    """Ends well in spite of a cancel."""
    try:
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        return "tidied"


@activity.defn(name="py:silent")
async def silent(seconds: float) -> None:
    """Sleeps without a beat."""
    await asyncio.sleep(seconds)


# --- workflows ------------------------------------------------------------------------------------


@workflow.defn(name="Double")
class Double:
    """Returns a value."""

    @workflow.run
    async def run(self, number: int) -> dict[str, Any]:
        """Twice the number."""
        return {"twice": number * 2, "none": None, "parent": bool(workflow.info().parent)}


@workflow.defn(name="Breaks")
class Breaks:
    """Fails."""

    @workflow.run
    async def run(self, kind: str) -> None:
        """With an error of that type."""
        raise ApplicationError("no stock", {"sku": "a-1"}, type=kind, non_retryable=True)


@workflow.defn(name="Collects")
class Collects:
    """Takes signals."""

    def __init__(self) -> None:
        self._taken: list[Any] = []

    @workflow.run
    async def run(self, count: int) -> list[Any]:
        """Wait for that many signals; what they brought. A cancel goes through."""
        await workflow.wait_condition(lambda: len(self._taken) >= count)
        return self._taken

    @workflow.signal
    def item(self, name: str, price: float = 0) -> None:
        """Of one or two arguments."""
        self._taken.append([name, price])


@workflow.defn(name="Reports")
class Reports:
    """Signals its parent back by the pid it is given, as a workflow id."""

    @workflow.run
    async def run(self, workflow_id: str) -> None:
        """One signal of three arguments."""
        handle = workflow.get_external_workflow_handle(workflow_id)
        await handle.signal("report", args=["done", 3, None])


@workflow.defn(name="Parent")
class Parent:
    """Starts a Lua workflow and does something to it."""

    @workflow.run
    async def run(self, kind: str, queue: str, what: str) -> Any:
        """What came of the child, or the facts of its failure."""
        child = await workflow.start_child_workflow(kind, args=[{"what": what}], task_queue=queue)
        if what == "signal":
            await child.signal("say", args=["hello", 2])
        if what == "cancel":
            await asyncio.sleep(0.2)
            child.cancel()
        try:
            return await child
        except Exception as error:
            return _facts(error)


def _facts(error: BaseException) -> dict[str, Any]:
    cause = error.__cause__
    assert cause is not None
    facts: dict[str, Any] = {"error": type(error).__name__, "cause": type(cause).__name__, "message": str(cause)}
    if isinstance(cause, ApplicationError):
        facts |= {"type": cause.type, "final": cause.non_retryable, "message": cause.message}
    return facts


async def main(address: str, queue: str) -> None:
    """Serve until killed."""
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Double, Breaks, Collects, Reports, Parent],
        activities=[
            add, sync, echo, values, nothing, raw, declines, flaky, until_canceled, tidies, silent,
        ],
        activity_executor=ThreadPoolExecutor(4),
        max_heartbeat_throttle_interval=SOON,
        default_heartbeat_throttle_interval=SOON,
    )  # fmt: skip
    task = asyncio.create_task(worker.run())
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    await task


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
