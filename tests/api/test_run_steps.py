"""Steps of runs by the API: their timeline, resets, queries and updates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.api.calling import api_of
from tests.api.test_questions import asked, at_once
from tests.console.departments import OURS, THEIRS, Room
from tests.console.operating import Stage
from tests.console.test_resets import CALL, failed, waiting
from tests.console.test_votes import MORE, ask
from wippy_console.models import AuditRow, Decision, Run


def test_the_timeline_is_read_in_pages(on_stage: Stage) -> None:
    question = asked(on_stage)
    api, path = api_of(on_stage.cast.viewer), f"/runs/{question.run_id}/timeline"
    every = api.get(path).json()
    assert every["next"] == ""
    assert every["items"][0]["kind"] == "workflow"
    assert question.pk in [each["question_id"] for each in every["items"]]
    seen: list[Any] = []
    cursor = ""
    while True:
        page = api.get(f"{path}?limit=1&cursor={cursor}").json()
        seen += page["items"]
        if not (cursor := page["next"]):
            break
    assert seen == every["items"]
    for odd in ("x", "eHx5", "bmFufDE", "aW5mfHg"):  # x|y, nan|1, inf|x
        assert api.get(f"{path}?cursor={odd}").status_code in (200, 422), odd


def test_a_failed_run_is_reset_to_where_it_failed(on_stage: Stage) -> None:
    run, api = failed(on_stage), api_of(on_stage.cast.operator)
    points = api.get(f"/runs/{run.run_id}/reset-points").json()
    labels = {each["event_id"]: each["label"] for each in points["items"]}
    assert CALL in labels.values() and labels[points["likely"]] == "app.api:mended"
    plan = api.get(f"/runs/{run.run_id}/reset-points/{points['likely']}").json()
    assert ([each["label"] for each in plan["repeated"]], plan["ends_run_id"]) == (["app.api:mended"], "")
    assert plan["has_effects"] is True and plan["more"] == {}
    body = {"event_id": points["likely"], "reason": "mended", "seen": plan["seen"]}
    for change, path in (({"reason": ""}, "/reason"), ({"event_id": 0}, "/event_id"), ({"odd": 1}, "/odd")):
        refused = api.post(f"/runs/{run.run_id}/reset", {**body, **change})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path), refused.content
    stale = api.post(f"/runs/{run.run_id}/reset", {**body, "seen": "other"})
    assert (stale.status_code, "went on" in stale.json()["detail"]) == (409, True)
    answers = at_once(*[lambda: api.post(f"/runs/{run.run_id}/reset", body, Idempotency_Key="r")] * 2)
    made = min(answers, key=lambda answered: answered.status_code)
    assert made.status_code == 201, made.content
    assert {each.status_code for each in answers} <= {201, 409}
    new = made.json()["run_id"]
    assert made["Location"] == f"/api/v1/runs/{new}"
    assert api.get(f"/runs/{new}").json()["workflow_id"] == run.workflow_id
    assert (
        Run.objects.filter(previous_run_id=run.run_id).count() == Decision.objects.filter(action="reset").count() == 1
    )
    assert api.get(f"/decisions/{made.json()['id']}").json()["verdict"] == {"run_id": new}
    assert AuditRow.objects.get(action="reset").data["token"].startswith("tests")


def test_a_reset_that_ends_an_open_run_takes_the_right_to_terminate(on_stage: Stage) -> None:
    run = waiting(on_stage)
    plan = api_of(on_stage.cast.operator).get(f"/runs/{run.run_id}/reset-points/1").json()
    assert plan["ends_run_id"] == run.run_id
    body = {"event_id": 1, "reason": "anew"}
    assert api_of(on_stage.cast.operator).post(f"/runs/{run.run_id}/reset", body).status_code == 403
    viewer = api_of(on_stage.cast.viewer)
    for path in ("reset-points", "reset-points/1"):
        assert viewer.get(f"/runs/{run.run_id}/{path}").status_code == 403
    nowhere = api_of(on_stage.cast.author).get(f"/runs/{run.run_id}/reset-points/999999999999999999999")
    assert nowhere.status_code == 404


def test_children_are_listed(on_stage: Stage) -> None:
    run, api = on_stage.start(), api_of(on_stage.cast.viewer)
    child = on_stage.start("app.flows:child", "wait")
    Run.objects.filter(pk=child.pk).update(parent_run_id=run.run_id, parent_workflow_id=run.workflow_id)
    found = api.get(f"/runs/{run.workflow_id}/children").json()
    assert [each["run_id"] for each in found["items"]] == [child.run_id]
    assert api.get(f"/runs/{child.run_id}/children").json() == {"items": [], "next": ""}


def test_queries_are_answered_by_the_worker(on_stage: Stage) -> None:
    run, api = on_stage.start(), api_of(on_stage.cast.operator)
    path = f"/runs/{run.run_id}/queries"
    names = [each["name"] for each in api.get(path).json()]
    assert "echo" in names
    answered = api.post(f"{path}/echo", {"args": [9007199254740993, {"b": [1]}]})
    assert answered.json()["value"] == [9007199254740993, {"b": [1]}], answered.content
    assert b"9007199254740993" in answered.content
    unknown = api.post(f"{path}/no/such")
    assert unknown.status_code in (422, 503), unknown.content
    assert unknown["Content-Type"] == "application/problem+json"
    assert api.post(f"{path}/echo", {"args": "x"}).json()["errors"][0]["path"] == "/args"
    assert api_of(on_stage.cast.viewer).post(f"{path}/echo").status_code == 403


def test_an_update_brings_the_run_s_verdict(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    path, api = f"/runs/{run.run_id}/updates", api_of(on_stage.cast.author)
    answers = at_once(*[lambda: api.post(f"{path}/rate/a", {"payload": {"a": 1}}, Idempotency_Key="u")] * 2)
    made = min(answers, key=lambda answered: answered.status_code)
    assert (made.status_code, made.json()["state"], made.json()["verdict"]) == (200, "sent", {"taken": 1})
    assert {each.status_code for each in answers} <= {200, 409}
    assert api.post(f"{path}/rate/b", {"payload": {"a": 1}}).json()["verdict"] == {"taken": 2}
    assert Decision.objects.filter(via="update", topic="rate/a").count() == 1
    refused = api.post(f"{path}/rate", {"payload": {"refuse": True}})
    assert (refused.status_code, refused.json()["detail"]) == (422, "The run refused it: the run says no")
    for user in (on_stage.cast.operator, on_stage.cast.viewer):
        assert api_of(user).post(f"{path}/rate", {"payload": {}}).status_code == 403
    signal = api.post(f"{path}/comment", {"payload": {}})
    assert (signal.status_code, "declares 'comment' as a signal" in signal.json()["detail"]) == (422, True)
    reserved = api.post(f"{path}/__temporal_x", {"payload": {}})
    assert reserved.status_code == 422


def test_a_declared_update_is_the_answer_to_its_question(on_stage: Stage) -> None:
    schema = {"type": "object", "properties": {"days": {"type": "integer"}, "why": {"type": "string"}}}
    question = ask(on_stage, {**MORE, "via": "update", "schema": schema})
    path, api = f"/runs/{question.run_id}/updates/more_time", api_of(on_stage.cast.operator)
    refused = api.post(path, {"payload": {"why": 5}})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "/payload/why")
    made = api.post(path, {"payload": {"why": "late"}})
    assert (made.status_code, made.json()["verdict"]) == (200, {"taken": 1}), made.content
    question.refresh_from_db()
    assert question.outcome == "answered"


def test_a_silent_run_keeps_the_update_for_the_same_key(on_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wippy_console.services.decisions.wire.VERDICT_TIMEOUT", timedelta(seconds=0.5))
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    api, body = api_of(on_stage.cast.author), {"payload": {"sleep": True}}
    path = f"/runs/{run.run_id}"
    late = api.post(f"{path}/updates/slow", body, Idempotency_Key="s")
    assert (late.status_code, late["Retry-After"] != "") == (503, True), late.content
    assert api.post(f"{path}/signals", {"topic": "odd", "payload": 1, "raw": True}).status_code == 200
    monkeypatch.undo()
    again = api.post(f"{path}/updates/slow", body, Idempotency_Key="s")
    assert (again.status_code, again.json()["verdict"]) == (200, {"taken": 2}), again.content
    assert Decision.objects.filter(topic="slow").count() == 1


def test_others_runs_are_not_there(rooms: dict[str, Room], clerk: User) -> None:
    api, theirs = api_of(clerk), rooms[THEIRS].run.run_id
    for path in ("timeline", "reset-points", "reset-points/1", "queries", "children", "again"):
        assert api.get(f"/runs/{theirs}/{path}").status_code == 404, path
    bodies = {"reset": {"event_id": 1, "reason": "x"}, "queries/state": {}, "updates/x": {}, "again": {}}
    for path, body in bodies.items():
        assert api.post(f"/runs/{theirs}/{path}", body).status_code == 404, path
    assert api.get(f"/runs/{rooms[OURS].run.run_id}/children").status_code == 200
    nowhere = api.get("/runs/nul%00")
    assert (nowhere.status_code, nowhere["Content-Type"]) == (404, "application/problem+json")
