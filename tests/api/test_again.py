"""Runs that are started again by the API."""

from __future__ import annotations

from tests.api.calling import api_of
from tests.console.operating import WORKER, Stage
from tests.console.test_again import BIG, ORDER, ordering
from wippy_console.models import AuditRow, Run
from wippy_console.services import runs


def test_a_run_is_started_again_as_it_was_or_with_other_input(on_stage: Stage) -> None:
    run, api = on_stage.start("app.flows:approval", {"wanted": BIG}), api_of(on_stage.cast.operator)
    path = f"/runs/{run.run_id}/again"
    before = api.get(path).json()
    assert (before["args"], before["hidden"], before["entry"]) == ([{"wanted": BIG}], [], "app.flows:approval")
    same = api.post(path, Idempotency_Key="a")
    assert (same.status_code, same.json()["input"]) == (201, [{"wanted": BIG}]), same.content
    assert same["Location"] == f"/api/v1/runs/{same.json()['run_id']}"
    assert api.post(path, Idempotency_Key="a").json() == same.json()
    other = api.post(path, {"args": [{"wanted": 2}], "workflow_id": "order again"})
    assert (other.json()["input"], other.json()["workflow_id"]) == ([{"wanted": 2}], "order again")
    assert Run.objects.count() == 3
    noted = AuditRow.objects.filter(action="start", data__again=run.run_id)
    assert noted.count() == 2
    wrong = api.post(path, {"args": [{"wanted": "x"}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "/args/0/wanted")
    for get_or_post in (api_of(on_stage.cast.viewer).get, api_of(on_stage.cast.viewer).post):
        assert get_or_post(path).status_code == 403


def test_hidden_values_are_given_anew(on_stage: Stage) -> None:
    ordering(on_stage)
    secret, user = "s3cret", on_stage.cast.operator
    run, api = runs.start(user, ORDER, WORKER, [{"number": 1, "token": secret}]), api_of(user)
    path = f"/runs/{run.run_id}/again"
    before = api.get(path)
    assert (before.json()["args"], before.json()["hidden"]) == ([{"number": 1}], ["token"])
    assert secret.encode() not in before.content
    refused = api.post(path)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "/args"), refused.content
    assert "token" in refused.json()["errors"][0]["message"]
    made = api.post(path, {"args": [{"number": 2, "token": secret}]})
    assert (made.status_code, made.json()["entry"]) == (201, ORDER), made.content
    assert secret.encode() not in made.content
