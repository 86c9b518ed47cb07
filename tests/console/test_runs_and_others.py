"""Runs whose answers come from different places, and runs that another client starts for later."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser
from django.urls import reverse

from engine.entry import Entry
from tests.console.operating import Cast
from tests.console.test_worker import (
    SIGNALS,
    Server,
    log,
    manage,
    open_question,
    publish,
    queue,
    running_node,
    server,
    until,
)
from wippy_console.models import Run
from wippy_console.services import decisions, runs, temporal
from wippy_console.supervision.dev_server import BINARY

__all__ = ["log", "queue", "server"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh(server: Server) -> Iterator[None]:
    """The console's own client, which starts runs here, belongs to the registry of one test."""
    temporal.reset()
    yield
    temporal.reset()


LISTENER = """
return { main = function()
    local inbox, found = process.inbox(), {}
    while #found < 3 do
        table.insert(found, inbox:receive():from())
    end
    return found
end }
"""


def test_a_run_sees_who_answered_it(server: Server, log: Path, cast: Cast) -> None:
    publish(Entry("app:listener", "workflow.lua", {"signals": SIGNALS}, {"source": LISTENER, "method": "main"}))
    with running_node(log):
        run = Run.objects.get(pk=runs.start(cast.operator, "app:listener", "app:worker", [], "listener").run_id)
        until(lambda: open_question(run.run_id), log=log)
        decisions.decide(cast.approver, run, 0, {})
        manage("signal", "listener", "decision")
        server.approve("listener")
        until(lambda: Run.objects.get(pk=run.pk).result, log=log)
    seen: Any = Run.objects.get(pk=run.pk).result
    console, command_line, client = seen
    assert (console, client) == ("{console|user:approver}", "")
    assert re.fullmatch("cli:.+", command_line)


def scheduled(workflow_id: str) -> dict[str, Any] | None:
    """What the command line tells of the run, once it knows when its code begins."""
    found: list[dict[str, Any]] = json.loads(manage("runs", "--json", "--text", workflow_id))["runs"]
    return next((run["state"] for run in found if run["state"]["key"] == "scheduled"), None)


@pytest.mark.parametrize("when", [("--start-delay", "1h"), ("--cron", "CRON_TZ=Europe/Berlin 30 2 * * *")])
def test_a_run_that_begins_later_says_when(
    server: Server, log: Path, cast: Cast, client: Browser, when: tuple[str, str]
) -> None:
    command = [str(BINARY), "workflow", "start", "--address", server.address, "--type", "app:approval"]
    command += ["--task-queue", server.queue, "--workflow-id", f"later{when[0]}", "--input", "1", *when]
    with running_node(log):
        subprocess.run(command, capture_output=True, check=True)
        state = until(lambda: scheduled(f"later{when[0]}"), log=log)
    begins = datetime.fromisoformat(state["next_at"])
    assert begins > datetime.now(UTC)
    assert when[0] != "--cron" or begins.astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M:%S") == "02:30:00"
    client.force_login(cast.viewer)
    for address in (
        "/runs/",
        reverse("run", args=[f"later{when[0]}", Run.objects.get(workflow_id=f"later{when[0]}").run_id]),
    ):
        shown = client.get(address).content.decode()
        assert "Scheduled" in shown
        assert f'datetime="{begins.strftime("%Y-%m-%dT%H:%M")}' in shown
        assert "a worker has yet to pick it up" not in shown
        assert address == "/runs/" or ("begins after 1h" if when[0] != "--cron" else when[1]) in shown
