"""The tab State: where a run's code stands, with its source, and why nobody tells where nobody does."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from engine.entry import Entry
from tests.console.lua_stage import LuaStage, lua_stage, serving
from tests.patience import PATIENCE
from wippy_console.models import Run
from wippy_console.services import masking
from wippy_console.services.diagnosis import asking
from wippy_console.services.masking import MASK

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = """
local funcs, time = require("funcs"), require("time")
local function charge(order)
  local note = "charging " .. order.card.number
  local answer = funcs.call("case:slow", order.total)
  return answer, note
end
return function(order)
  local api_token = "tok-1"
  coroutine.spawn(function() local part = "<b>first</b>" time.sleep("2h") end)
  local done = charge(order)
  return done
end
"""
INPUT = {"total": 30, "pin": "9876-5", "card": {"number": "4111-1111", "month": 5}}
META: dict[str, Any] = {
    "mask": ["card.number"],
    "input_schema": {"type": "object", "properties": {"pin": {"type": "string", "writeOnly": True}}},
}


@pytest.fixture
def stage(transactional_db: None, temporal_address: str) -> Iterator[LuaStage]:
    """A stage whose entries are published; the tests serve it where they need to."""
    with lua_stage(temporal_address) as made:
        made.publish(entry("case:order", ORDER, **META), entry("case:slow", SLOW, "function.lua"))
        yield made


SLOW = "return function() require('time').sleep('1h') end"


def entry(entry_id: str, source: str, kind: str = "workflow.lua", **meta: object) -> Entry:
    data = {"source": source, "method": "main", "modules": ["funcs", "time"]}
    return Entry(entry_id, kind, meta, data if kind == "workflow.lua" else {**data, "modules": ["time"]})


def text_of(user: User, run: Run, address: str = "?tab=state") -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/runs/{run.workflow_id}/{run.run_id}/{address}")
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def plain(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_the_page_tells_what_each_coroutine_waits_for_with_its_lines_and_variables(stage: LuaStage) -> None:
    with serving(stage):
        run = stage.waits(stage.start("case:order", INPUT), "call", "case:slow")
        page = text_of(stage.cast.viewer, run)
    shown = plain(page)
    assert "waits for the answer of case:slow" in shown
    assert "case:order:5 in charge" in shown
    assert "waits for a timer" in shown
    assert "total = 30" in shown
    assert "&lt;b&gt;first&lt;/b&gt;" in page
    assert f'href="/runs/{run.workflow_id}/{run.run_id}/source/case:order/#L5"' in page


def test_variables_show_no_secret_and_no_masked_value_in_no_place(stage: LuaStage) -> None:
    with serving(stage):
        run = stage.waits(stage.start("case:order", INPUT), "call", "case:slow")
        page = text_of(stage.cast.operator, run)
        for secret in ("9876-5", "4111-1111", "tok-1"):
            assert secret not in page
        assert f"number = {MASK}" in plain(page)
        assert f"note {MASK}" in plain(page)
        boss = stage.cast.administrator
        masking.show(boss, run)
        page = text_of(boss, run)
        assert "4111-1111" in page
        assert "9876-5" not in page


def test_without_a_worker_the_page_says_so_at_once(stage: LuaStage) -> None:
    run = stage.start("case:order", INPUT)
    began = time.monotonic()
    shown = plain(text_of(stage.cast.viewer, run))
    assert f"no worker serves task queue {stage.queue}" in shown
    assert time.monotonic() - began < PATIENCE


def test_a_worker_that_went_away_is_waited_for_a_short_while_and_named(
    stage: LuaStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.5)
    with serving(stage):
        run = stage.waits(stage.start("case:order", INPUT), "call", "case:slow")
    shown = plain(text_of(stage.cast.viewer, run))
    assert "No worker answered within 0.5 seconds" in shown
    assert "it may be busy or gone" in shown


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("no worker serves task queue elsewhere", "Nobody can answer: no worker serves task queue elsewhere."),
        ("its workflow task fails again and again: boom", "so its worker can't look into it"),
        ("quarantined since noon", "Its program may not run at the moment: quarantined since noon."),
    ],
)
def test_of_a_run_in_trouble_the_trouble_is_told_instead(stage: LuaStage, reason: str, said: str) -> None:
    run = stage.start("case:order", INPUT)
    Run.objects.filter(pk=run.pk).update(stuck_reason=reason)
    assert said in plain(text_of(stage.cast.viewer, run))


def test_a_run_that_is_over_says_so(stage: LuaStage) -> None:
    run = stage.start("case:order", INPUT)
    Run.objects.filter(pk=run.pk).update(status="completed", closed_at=run.started_at)
    assert "The run is over" in plain(text_of(stage.cast.viewer, run))


def test_a_line_opens_the_source_that_the_run_runs_also_when_the_entry_has_changed(stage: LuaStage) -> None:
    with serving(stage):
        run = stage.waits(stage.start("case:order", INPUT), "call", "case:slow")
    stage.publish(entry("case:order", "return function() return 'today' end", **META))
    page = text_of(stage.cast.author, run, "source/case:order/")
    assert '<li id="L5"><a class="num" href="#L5"' in page
    assert "funcs.call(&quot;case:slow&quot;, order.total)" in page
    assert "today" not in page
    assert "another source by now" in page
    assert "/registry/edit/case:order/" in page
    assert f"/runs/start/?again={run.run_id}" in page
    assert "/registry/edit/" not in text_of(stage.cast.viewer, run, "source/case:order/")


def test_a_called_function_opens_as_of_the_version_that_the_run_began_with(stage: LuaStage) -> None:
    run = stage.start("case:order", INPUT)
    stage.publish(entry("case:slow", "return function() return 'other' end", "function.lua"))
    page = text_of(stage.cast.viewer, run, "source/case:slow/")
    assert "sleep(&#x27;1h&#x27;)" in page
    assert "no part of the run's own program" in plain(page)


def test_a_failure_leads_to_its_lines_and_keeps_the_engines_notes_apart(stage: LuaStage) -> None:
    run = stage.start("case:order", INPUT)
    failure = {
        "kind": "Internal",
        "message": "case:order:4: attempt to index a nil value",
        "stack": "stack traceback:\n\tcase:order:4: in function 'charge'\n\t[C]: in ?",
        "details": {"stock": 0, "_activity_id": "1-ab"},
    }
    Run.objects.filter(pk=run.pk).update(status="failed", closed_at=run.started_at, failure=failure)
    page = text_of(stage.cast.viewer, run, "")
    link = f'<a href="/runs/{run.workflow_id}/{run.run_id}/source/case:order/#L4">case:order:4</a>'
    assert page.count(link) == 2
    assert "/registry/edit/case:order/" not in page
    assert "/registry/edit/case:order/" in text_of(stage.cast.author, run, "")
    assert page.index("stock") < page.index("Details of the engine") < page.index("_activity_id")


def test_who_may_not_see_the_registry_there_sees_no_source(stage: LuaStage) -> None:
    run = stage.start("case:order", INPUT)
    person = User.objects.create_user("narrow", password="secret")
    person.user_permissions.add(Permission.objects.get(codename="view_run"))
    client = Client()
    client.force_login(person)
    assert client.get(f"/runs/{run.workflow_id}/{run.run_id}/source/case:order/").status_code == 404
