"""Runs of the whole product as the crash tests see them: through Temporal, the feed's table and the logs."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
import uuid
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from tests.patience import PATIENCE
from tests.product import Product, until

WORKER = "app:temporal_worker"


@dataclass(frozen=True)
class StartedRun:
    """A run that a test started."""

    product: Product
    workflow_id: str

    def result(self, seconds: float = PATIENCE) -> Any:
        """Wait for the run to end, however often Temporal is away meanwhile, and return its result."""
        return asyncio.run(_result(self.product, self.workflow_id, seconds))

    def attempts(self) -> dict[str, int]:
        """The attempt that was recorded for each step of the saga, by the step's name."""
        return asyncio.run(_attempts(self.product, self.workflow_id))

    def effects(self) -> Counter[str]:
        """How often each step had its effect, as the log of the worker says."""
        return Counter(re.findall(rf"effect (\w+) of {self.workflow_id}\b", self.product.log("worker")))

    def wait_begun(self, step: str) -> None:
        """Wait until a function call of the step has begun."""
        line = f"begin {step} of {self.workflow_id}"
        until(lambda: line in self.product.log("worker"), line)

    def feed(self) -> Counter[str]:
        """How often the feed holds each kind for this run, after the EXIT has arrived."""
        until(lambda: "EXIT" in kinds(self.product, self.workflow_id), f"EXIT of {self.workflow_id} in the feed")
        return Counter(kinds(self.product, self.workflow_id))


def start(product: Product, entry: str, workflow_id: str, argument: object = None) -> StartedRun:
    """Start a run by the command line."""
    product.manage("start", entry, "--host", WORKER, "--id", workflow_id, "--input", json.dumps(argument))
    return StartedRun(product, workflow_id)


def kinds(product: Product, workflow_id: str) -> list[str]:
    """The kinds of the feed's events of one workflow id, in order."""
    with closing(sqlite3.connect(f"file:{product.data / 'console.sqlite3'}?mode=ro", uri=True)) as database:
        query = "select kind from wippy_console_feedevent where workflow_id = ? order by id"
        return [kind for (kind,) in database.execute(query, (workflow_id,))]


async def send(product: Product, workflow_id: str, topic: str, payload: dict[str, Any]) -> None:
    """Send a signal as a foreign client does, again and again until the server has taken it.

    The request id lets the server know a repetition whose first sending it took without our hearing of it.
    """
    request_id = str(uuid.uuid4())
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await _signal(await _connect(product), workflow_id, topic, payload, request_id)
        except (RPCError, RuntimeError):
            assert time.monotonic() < deadline, "the signal was never taken"
            await asyncio.sleep(0.1)
        else:
            return


async def _signal(client: Client, workflow_id: str, topic: str, payload: dict[str, Any], request_id: str) -> None:
    request = SignalWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id),
        signal_name=topic,
        input=Payloads(payloads=await client.data_converter.encode([payload])),
        request_id=request_id,
    )
    await client.workflow_service.signal_workflow_execution(request)


async def _result(product: Product, workflow_id: str, seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await asyncio.wait_for((await _handle(product, workflow_id)).result(), deadline - time.monotonic())
        except (RPCError, RuntimeError):
            assert time.monotonic() < deadline, f"{workflow_id} did not end"
            await asyncio.sleep(0.2)


async def _attempts(product: Product, workflow_id: str) -> dict[str, int]:
    """Read the history; the second argument of each call names the step."""
    history = await (await _handle(product, workflow_id)).fetch_history()
    steps: dict[int, str] = {}
    found: dict[str, int] = {}
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            payloads = event.activity_task_scheduled_event_attributes.input.payloads
            steps[event.event_id] = next(
                step for step in ("reserve", "charge", "ship") if step.encode() in b"".join(p.data for p in payloads)
            )
        elif event.HasField("activity_task_started_event_attributes"):
            started = event.activity_task_started_event_attributes
            found[steps[started.scheduled_event_id]] = started.attempt
    return found


async def _handle(product: Product, workflow_id: str) -> WorkflowHandle[Any, Any]:
    return (await _connect(product)).get_workflow_handle(workflow_id)


async def _connect(product: Product) -> Client:
    """Connect anew: the server may be another process than a moment ago."""
    return await Client.connect(product.ready["temporal"].split()[0])
