"""Records histories: `python -m tests.replay.record [SCENARIO...]` writes tests/replay/histories/*.json.

It starts a Temporal server of its own. Record again only when a scenario is new or meant to change: the point of
the others is that later kernels replay what earlier ones did. A kernel that can't must say so in the changelog.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.engine.hosts.temporal.stage import Stage, workflow_id
from tests.replay.recording import FOLDER, Recording
from tests.replay.scenarios import SCENARIOS, perform
from tests.temporal_server import running_temporal


async def recorded(stage: Stage, pid: str) -> list[Recording]:
    """The recordings of all runs of a workflow, oldest first."""
    recordings = [await recording_of(stage, pid)]
    attributes = recordings[0].history.events[0].workflow_execution_started_event_attributes
    while attributes.continued_execution_run_id:
        recordings.insert(0, await recording_of(stage, pid, attributes.continued_execution_run_id))
        attributes = recordings[0].history.events[0].workflow_execution_started_event_attributes
    return recordings


async def recording_of(stage: Stage, pid: str, run_id: str = "") -> Recording:
    """The recording of one run; of the latest without a run id."""
    handle = stage.client.get_workflow_handle(workflow_id(pid), run_id=run_id or None)
    kinds = ("workflow.lua", "function.lua", "temporal.worker", "temporal.client")
    entries = {entry.id: entry for kind in kinds for entry in stage.catalog.entries(kind)}
    programs = [stage.catalog.current(key) for key, entry in entries.items() if entry.kind == "workflow.lua"]
    return Recording(
        history=await handle.fetch_history(),
        programs={program.digest: program for program in programs},
        entries=entries,
        worker=stage.settings.worker,
        client=stage.settings.client,
        task_queue=stage.settings.task_queue,
    )


async def record(address: str, name: str) -> None:
    """Record one scenario, pinned by its start and not."""
    for pinned in (True, False):
        stage = await Stage.open(address, queue="recording")
        pid = await perform(stage, name, pinned=pinned)
        for number, recording in enumerate(await recorded(stage, pid), 1):
            recording.save(FOLDER / f"{name}{'' if pinned else '-foreign'}-{number}.json")
        await stage.close()


async def main(address: str, names: list[str]) -> None:
    """Record the named scenarios, or all."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or SCENARIOS:
        await record(address, name)
        sys.stdout.write(f"recorded {name}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, running_temporal(Path(folder)) as server:
        asyncio.run(main(server, sys.argv[1:]))
    sys.stdout.flush()
    os._exit(0)
