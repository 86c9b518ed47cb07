"""Histories as files: a download replays in Temporal's own tools, and any file can be opened, or says why not."""

from __future__ import annotations

import asyncio
import json
import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from engine.entry import Entry
from tests.console import flows
from tests.console.operating import LUA, WORKER, Cast, Stage
from tests.console.test_resets import close, failed
from wippy_console.management.operations import operator
from wippy_console.models import HistoryArchive, ImportedHistory, Run
from wippy_console.services import imported, registry, runs
from wippy_console.services.errors import Refused
from wippy_console.services.registry import Changes

pytestmark = pytest.mark.django_db(transaction=True)

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
EVERYTHING = next(each for each in HISTORIES if each.stem == "everything")


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def upload(user: User, data: bytes, name: str = "history.json") -> HttpResponse:
    answer: HttpResponse = browser(user).post("/runs/import/", {"file": SimpleUploadedFile(name, data)})  # type: ignore[assignment]
    return answer


def content(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def spelled(history: dict[str, Any], spell: Any) -> Any:
    """All names within, spelled anew."""
    if isinstance(history, dict):
        return {spell(name): spelled(value, spell) for name, value in history.items()}
    return [spelled(each, spell) for each in history] if isinstance(history, list) else history


def snake(name: str) -> str:
    return name if name[:1].isupper() else re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", name)


# -- download --------------------------------------------------------------------------------------


def test_a_downloaded_history_replays_in_the_sdk_of_open_and_of_archived_runs(on_stage: Stage) -> None:
    run = failed(on_stage)
    url = f"/runs/{run.workflow_id}/{run.run_id}/history.json"
    answer = browser(on_stage.cast.viewer).get(url)
    assert answer["Content-Disposition"].endswith(f'history-{run.run_id}.json"')
    text = content(answer)
    told = json.loads(text)
    assert list(told) == ["events"] and told["events"][0]["eventType"] == "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED"
    replayer = Replayer(workflows=[flows.Steps], workflow_runner=UnsandboxedWorkflowRunner())
    asyncio.run(replayer.replay_workflow(WorkflowHistory.from_json(run.workflow_id, text)))
    open_run = on_stage.start("app.flows:approval")
    text = content(browser(on_stage.cast.viewer).get(f"/runs/{open_run.workflow_id}/{open_run.run_id}/history.json"))
    replayer = Replayer(workflows=[flows.Approval], workflow_runner=UnsandboxedWorkflowRunner())
    asyncio.run(replayer.replay_workflow(WorkflowHistory.from_json(open_run.workflow_id, text)))
    assert HistoryArchive.objects.filter(pk=run.pk).exists() == bool(run.closed_at)


def test_a_file_with_masked_values_says_so_in_its_name(on_stage: Stage) -> None:
    schema = {"type": "object", "properties": {"token": {"type": "string", "writeOnly": True}}}
    entry = Entry("app.flows:secret", "workflow.lua", meta={"input_schema": schema}, data={"source": LUA})
    registry.publish(operator(), Changes(create=(entry,)), base=None, message="a secret")
    started = runs.start(on_stage.cast.operator, entry.id, WORKER, [{"token": "s3cret"}])
    answer = browser(on_stage.cast.viewer).get(f"/runs/{started.workflow_id}/{started.run_id}/history.json")
    assert f"history-{started.run_id}-masked.json" in answer["Content-Disposition"]
    text = content(answer)
    assert "s3cret" not in text and WorkflowHistory.from_json("", text).events


# -- import ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_history_is_looked_at_without_a_server(cast: Cast, path: Path) -> None:
    user = cast.viewer
    where = upload(user, path.read_bytes(), path.name)["Location"]
    for tab in ("", "?tab=table", "?tab=events", "?tab=json", "?find=charge&kind=activity&only=failed&own=1"):
        page = browser(user).get(where + tab)
        assert page.status_code == 200 and "can't be shown" not in page.content.decode(), tab
    assert browser(user).get(f"{where}events/1/").status_code == 200
    assert browser(user).get(f"{where}events/99999/").status_code == 404
    kept = imported.listed(user)[0]
    text = content(browser(user).get(f"{where}history.json"))
    assert imported.read(text.encode()) == list(imported.events(kept))
    assert Run.objects.count() == 0


def test_all_spellings_of_a_history_are_the_same_history(cast: Cast) -> None:
    text = EVERYTHING.read_text()
    history = json.loads(text)
    wanted = imported.read(text.encode())
    short = json.loads(text)
    for event in short["events"]:
        event["eventType"] = "".join(part.title() for part in event["eventType"].split("_")[2:])
    for other in (
        history["events"], {"history": history}, spelled(history, snake), short, {"more": 1, **history},
    ):  # fmt: skip
        assert imported.read(json.dumps(other, indent=3).encode()) == wanted
    assert imported.read(b"\xef\xbb\xbf" + text.encode()) == wanted


def test_what_is_wrong_is_said_with_its_place() -> None:
    history = json.loads(EVERYTHING.read_text())

    def refused(data: Any) -> str:
        with pytest.raises(Refused) as refusal:
            imported.read(data if isinstance(data, bytes) else json.dumps(data, indent=1).encode())
        return refusal.value.message

    assert "empty" in refused(b" \n ")
    assert "not UTF-8" in refused(b"\xff\xfe{}")
    assert refused(b'{"events": [\n{"a" 1}]}').startswith("Line 2, column")
    assert "nested too deeply" in refused(b"[" * 200_000)
    assert "no list of events" in refused({"runs": []}) and "runs" in refused({"runs": []})
    assert "list of events is empty" in refused({"events": []})
    assert "event 1 is a int" in refused([7])
    assert "too large" in refused(b" " * (imported.MOST_BYTES + 1))
    assert "more than" in refused(b"[" + b"{}," * 1_600_000 + b"{}]")
    broken = json.loads(json.dumps(history))
    broken["events"][4]["eventTime"] = "yesterday"
    line = json.dumps(broken, indent=1).split("yesterday")[0].count("\n")
    said = refused(broken)
    assert "event 5 can't be read" in said and "eventTime" in said
    assert abs(int(re.findall(r"Line (\d+)", said)[0]) - line) < 5
    missing = {"events": history["events"][:3] + history["events"][4:]}
    assert "event 4 has the id 5, not 4" in refused(missing)
    assert "no start of a workflow" in refused(
        [{"eventId": "1", "eventType": "EVENT_TYPE_WORKFLOW_TASK_STARTED", "workflowTaskStartedEventAttributes": {}}]
    )
    other = json.loads(json.dumps(history))
    other["events"][1]["eventType"] = "EVENT_TYPE_TIMER_FIRED"
    assert "lacks timer_fired_event_attributes" in refused(other)
    unknown = json.loads(json.dumps(history))
    unknown["events"][2]["eventType"] = "EVENT_TYPE_OF_TOMORROW"
    assert "event 3" in refused(unknown)


def broken_ones(count: int) -> list[bytes]:
    """Byte soup, cut and stirred texts, and histories with odd values in odd places; the same at each run."""
    dice, found = random.Random(7), []
    for number in range(count):
        text = HISTORIES[number % len(HISTORIES)].read_bytes()
        match number % 4:
            case 0:
                found.append(dice.randbytes(dice.randrange(1, 400)))
            case 1:
                found.append(text[: dice.randrange(len(text))])
            case 2:
                stirred = bytearray(text)
                for _ in range(dice.randrange(1, 20)):
                    stirred[dice.randrange(len(stirred))] = dice.randrange(256)
                found.append(bytes(stirred))
            case _:
                found.append(json.dumps(odd(json.loads(text), dice)).encode())
    return found


def odd(history: Any, dice: random.Random) -> Any:
    for _ in range(dice.randrange(1, 4)):
        part = dice.choice(history["events"])
        while isinstance(part, dict) and part:
            name = dice.choice(list(part))
            if isinstance(part[name], dict) and dice.random() < 0.8:
                part = part[name]
                continue
            if name not in ("eventId", "eventType"):
                part[name] = dice.choice(ODD.get(type(part[name]), ODD[str]) if dice.random() < 0.8 else ODD[object])
            break
    return history


ODD: dict[type, list[Any]] = {
    str: [
        "",
        "x",
        "7",
        "-1",
        "99999999999",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "315576000000s",
        "ew==",
        "0s",
    ],
    int: [0, 1, -1, 2**31 - 1],
    dict: [{}, {"payloads": [{}]}, {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "ew=="}]}],
    list: [[], [{}], [{}, {}]],
    bool: [True, False],
    object: [None, 10**30, 1.5e300, [[]], "\ud800", {"payloads": [{"data": "!!"}]}, {"fields": {"x": {}}}],
}


def test_no_file_whatever_is_in_it_breaks_a_page(cast: Cast) -> None:
    user, client, opened = cast.viewer, browser(cast.viewer), 0
    for data in broken_ones(160):
        answer = client.post("/runs/import/", {"file": SimpleUploadedFile("odd\x00.json", data)})
        assert answer.status_code in (302, 422), data[:200]
        if answer.status_code == 302:
            opened += 1
            for tab in ("", "?tab=table", "?tab=events", "?tab=json"):
                assert client.get(answer["Location"] + tab).status_code == 200, data[:200]
            last = imported.listed(user)[0].events
            for event in {1, last, max(1, last // 2)}:
                assert client.get(f"{answer['Location']}events/{event}/").status_code in (200, 422)
    assert opened > 10


def test_it_is_its_owners_alone_and_goes_after_a_while(cast: Cast) -> None:
    data = EVERYTHING.read_bytes()
    where = upload(cast.viewer, data)["Location"]
    assert browser(cast.root).get(where).status_code == 404
    assert browser(cast.root).get(f"{where}history.json").status_code == 404
    assert browser(cast.root).post(f"{where}discard/").status_code == 404
    assert browser(cast.stranger).get("/runs/import/").status_code == 403
    assert upload(cast.stranger, data).status_code == 403
    for _ in range(imported.KEPT):
        upload(cast.viewer, data)
    assert len(imported.listed(cast.viewer)) == imported.KEPT and browser(cast.viewer).get(where).status_code == 404
    upload(cast.root, data)
    ImportedHistory.objects.update(created_at=timezone.now() - timedelta(days=imported.KEPT_DAYS + 1))
    assert imported.listed(cast.viewer) == []
    upload(cast.root, data)
    assert ImportedHistory.objects.count() == 1
    newest = imported.listed(cast.root)[0]
    assert browser(cast.root).post(f"/runs/imported/{newest.pk}/discard/").status_code == 302
    assert ImportedHistory.objects.count() == 0


def test_what_a_file_holds_is_never_run(cast: Cast) -> None:
    history = json.loads(EVERYTHING.read_text())
    began = history["events"][0]["workflowExecutionStartedEventAttributes"]
    began["workflowType"]["name"] = began["workflowId"] = "<script>alert(1)</script>"
    where = upload(cast.viewer, json.dumps(history).encode(), "<script>x</script>.json")["Location"]
    assert "<script>alert" not in browser(cast.viewer).get(where).content.decode()
    assert "<script>x" not in browser(cast.viewer).get("/runs/import/").content.decode()


def test_a_missing_file_is_asked_for(cast: Cast) -> None:
    assert browser(cast.viewer).post("/runs/import/", {}).status_code == 422


def test_a_run_of_ours_is_opened_again_from_its_own_file(on_stage: Stage) -> None:
    run = close(failed(on_stage))
    user = on_stage.cast.viewer
    text = content(browser(user).get(f"/runs/{run.workflow_id}/{run.run_id}/history.json"))
    page = browser(user).get(upload(user, text.encode())["Location"]).content.decode()
    assert run.workflow_id in page and "broken as yet" in page and "app.api:mended" in page
