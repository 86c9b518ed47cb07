"""Queries of a run by name: offered, asked with arguments, answered within bounds, refused in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.console.lua_stage import LuaStage, lua_stage, serving
from tests.console.operating import Stage
from tests.console.test_run_state import INPUT, META, entry, plain, text_of
from wippy_console.models import AuditRow, Run
from wippy_console.services.diagnosis import by_name

pytestmark = pytest.mark.django_db(transaction=True)

ASKING = """
local funcs = require("funcs")
return function(order) process.listen("go", {ask = {title = "Charge " .. order.card.number .. "?"}}):receive() end
"""


@pytest.fixture
def stage(transactional_db: None, temporal_address: str) -> Iterator[LuaStage]:
    """A workflow that waits and says a masked value aloud."""
    with lua_stage(temporal_address) as made:
        made.publish(entry("case:asking", ASKING, **META))
        yield made


def ask(user: User, run: Run, name: str, args: Any = None) -> Any:
    client = Client()
    client.force_login(user)
    given = {"name": name, "args": "" if args is None else json.dumps(args)}
    return client.get(f"/runs/{run.workflow_id}/{run.run_id}/query/?{urlencode(given)}")


def test_a_lua_run_offers_the_engines_queries_and_answers_them_masked_and_without_a_row_of_the_audit(
    stage: LuaStage,
) -> None:
    with serving(stage):
        run = stage.waits(stage.start("case:asking", INPUT), "topic", "go")
        page = plain(text_of(stage.cast.viewer, run, "?tab=queries"))
        rows = AuditRow.objects.count()
        state = ask(stage.cast.viewer, run, "state")
        stack = ask(stage.cast.viewer, run, "__stack_trace")
    for name in ("state", "pid", "__stack_trace"):
        assert f" {name} " in page
    assert state.status_code == 200
    assert "case:asking" in plain(state.content.decode())
    assert "4111-1111" not in state.content.decode()
    assert "main: receive topic go" in plain(stack.content.decode())
    assert AuditRow.objects.count() == rows


def test_a_query_that_the_run_does_not_know_is_refused_in_its_words(stage: LuaStage) -> None:
    with serving(stage):
        run = stage.waits(stage.start("case:asking", INPUT), "topic", "go")
        answer = ask(stage.cast.operator, run, "nothing", [1])
    assert answer.status_code == 422
    assert "query 'nothing' not found" in plain(answer.content.decode())


def test_arguments_that_are_no_json_are_told_at_their_field(stage: LuaStage) -> None:
    run = stage.start("case:asking", INPUT)
    client = Client()
    client.force_login(stage.cast.operator)
    answer = client.get(f"/runs/{run.workflow_id}/{run.run_id}/query/?name=state&args=%7Boops")
    assert answer.status_code == 422
    assert "Arguments" in plain(answer.content.decode())


def test_without_a_worker_the_tab_and_the_answer_say_why(stage: LuaStage) -> None:
    run = stage.start("case:asking", INPUT)
    assert f"no worker serves task queue {stage.queue}" in plain(text_of(stage.cast.viewer, run, "?tab=queries"))
    answer = ask(stage.cast.viewer, run, "state")
    assert answer.status_code == 503
    assert "Nobody can answer" in plain(answer.content.decode())


def test_code_of_others_is_asked_by_those_alone_who_may_signal_the_run(stage: LuaStage) -> None:
    run = stage.start("case:asking", INPUT)
    assert ask(stage.cast.viewer, run, "other").status_code == 403
    assert ask(stage.cast.stranger, run, "state").status_code == 403


def test_a_workflow_in_another_language_is_asked_with_arguments_and_a_large_answer_is_cut(
    on_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 1})
    operator = on_stage.cast.operator
    names = [each.name for each in by_name.offered(operator, run)]
    assert "echo" in names
    answer = ask(operator, run, "echo", [{"n": 2**62}, "<b>two</b>"])
    assert str(2**62) in answer.content.decode()
    assert "&lt;b&gt;two&lt;/b&gt;" in answer.content.decode()
    monkeypatch.setattr(by_name, "LIMIT", 100)
    assert "cut: " in plain(ask(operator, run, "echo", ["x" * 1000]).content.decode())
