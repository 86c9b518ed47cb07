"""Who ended a run, and why, from whichever client: kept with its row, told on its page."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHistory

from engine.memory.catalog import MemoryCatalog
from tests.console.operating import CLIENT, Stage
from tests.console.test_run_state import plain, text_of
from wippy_console.models import Run
from wippy_console.services import histories, projection, temporal
from wippy_console.services.projection import Ref
from wippy_console.services.projection.reading import ending

HISTORIES = Path(__file__).parent / "histories"


def details_of(name: str) -> Any:
    """The details of the failure with which the recorded run ended."""
    events = WorkflowHistory.from_json("w", (HISTORIES / f"{name}.json").read_text()).events
    ended = asyncio.run(ending(MemoryCatalog([]), Ref(CLIENT, "w", "r"), events))
    assert ended is not None
    assert ended.failure is not None
    return ended.failure.details


def test_recorded_ends_tell_who_asked_and_why() -> None:
    assert details_of("terminated")["by"]
    assert details_of("canceled")["by"]
    assert "by" not in details_of("timed_out")
    assert "by" not in details_of("failed")


@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_run_that_another_client_terminated_names_it_and_its_reason(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 1})

    async def terminate() -> None:
        client = await Client.connect(on_stage.address, identity="night-shift@desk")
        await client.get_workflow_handle(run.workflow_id, run_id=run.run_id).terminate(reason="wrong <customer>")

    asyncio.run(terminate())
    ended = asyncio.run(ending(temporal.catalog(), Ref(CLIENT, run.workflow_id, run.run_id), histories.newest(run)))
    assert ended is not None
    projection.write(temporal.catalog(), [ended])
    page = text_of(on_stage.cast.viewer, Run.objects.get(pk=run.pk), "?tab=audit")
    assert "by night-shift@desk : wrong <customer>" in plain(page)
    assert "wrong &lt;customer&gt;" in page


@pytest.mark.django_db(transaction=True)
def test_a_run_that_was_asked_to_stop_and_goes_on_says_who_asked(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:deaf")

    async def cancel() -> None:
        client = await Client.connect(on_stage.address, identity="night-shift@desk")
        await client.get_workflow_handle(run.workflow_id, run_id=run.run_id).cancel(reason="no <stock>")

    asyncio.run(cancel())
    page = text_of(on_stage.cast.viewer, run, "?tab=events")
    assert "Asked to cancel by night-shift@desk: no <stock>" in plain(page)
