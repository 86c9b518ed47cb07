"""Records histories/*.json from a real Temporal: `python -m tests.console.record_histories ADDRESS`."""

from __future__ import annotations

import asyncio
import sys
import uuid
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from tests.console.flows import worker
from tests.replay.recording import portable

FOLDER = Path(__file__).parent / "histories"


async def save(name: str, handle: WorkflowHandle[object, object]) -> None:
    """Write the run's history."""
    history = await handle.fetch_history()
    (FOLDER / f"{name}.json").write_text(portable(history.to_json()))


async def until(handle: WorkflowHandle[object, object], text: str) -> None:
    """Wait until an event of the history mentions the text."""
    while text not in (await handle.fetch_history()).to_json():
        await asyncio.sleep(0.1)


async def everything(client: Client, queue: str) -> None:
    """Pass through every kind of event, then finish by a signal."""
    handle = await client.start_workflow(
        "app.flows:everything", {"order": 7}, id=f"everything-{uuid.uuid4()}", task_queue=queue
    )
    await until(handle, "EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE")
    await handle.execute_update("rename", "ann")
    await handle.signal("finish", {"approved": True})
    await handle.result()
    await save("everything", handle)


async def ends(client: Client, queue: str) -> None:
    """One history for each other way to end, and one that does not."""
    for name, end in [("terminated", "terminate"), ("canceled", "cancel")]:
        handle = await client.start_workflow("app.flows:child", "wait", id=f"{name}-{uuid.uuid4()}", task_queue=queue)
        await until(handle, "TASK_COMPLETED")
        await (handle.terminate("enough") if end == "terminate" else handle.cancel())
        await until(handle, f"WORKFLOW_EXECUTION_{name.upper()}")
        await save(name, handle)
    handle = await client.start_workflow("app.flows:child", "fail", id=f"failed-{uuid.uuid4()}", task_queue=queue)
    await until(handle, "WORKFLOW_EXECUTION_FAILED")
    await save("failed", handle)
    handle = await client.start_workflow(
        "app.flows:stuck", id=f"stuck-{uuid.uuid4()}", task_queue=queue, execution_timeout=timedelta(seconds=3)
    )
    await until(handle, "WORKFLOW_TASK_FAILED")
    await save("stuck", handle)
    await until(handle, "WORKFLOW_EXECUTION_TIMED_OUT")
    await save("timed_out", handle)


async def main(address: str) -> None:
    """Record all."""
    client = await Client.connect(address)
    queue = f"record-{uuid.uuid4()}"
    async with worker(client, queue):
        await asyncio.gather(everything(client, queue), ends(client, queue))


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except RPCError as error:
        sys.exit(str(error))
