"""Decisions and the audit by the API."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.api.calling import api_of
from tests.console.departments import OURS, THEIRS, Room
from tests.console.operating import Cast, Stage
from wippy_console.models import AuditRow, Decision, Run
from wippy_console.services import audit, decisions


def test_a_decision_tells_what_became_of_it(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    api = api_of(on_stage.cast.author)
    sent = api.post(f"/runs/{run.run_id}/signals", {"topic": "odd", "payload": [1, 2**62], "raw": True, "reason": "x"})
    found = api.get(f"/decisions/{sent.json()['id']}")
    assert found.status_code == 200, found.content
    made = Decision.objects.get()
    assert found.json() | {"created_at": "", "completed_at": ""} == {
        "id": str(made.pk), "action": "signal", "state": "sent", "by": "author", "token": made.token,
        "run_id": run.run_id, "workflow_id": run.workflow_id, "entry": "app.flows:approval", "question_id": None,
        "topic": "odd", "label": "",
        "payload": [1, 2**62], "reason": "x", "via": "signal", "verdict": None, "error": "", "created_at": "",
        "completed_at": "", "event_id": made.event_id,
    }  # fmt: skip
    assert api.get(f"/decisions?run_id={run.run_id}&action=signal&state=sent").json()["items"] == [found.json()]
    row = api.get(f"/audit?run={run.workflow_id}&action=signal").json()["items"][0]
    assert (row["decision_id"], row["event_id"], row["user"]) == (str(made.pk), made.event_id, "author")
    assert row["data"]["token"].startswith("tests")
    assert list(audit.verify()) == []


def test_what_is_sent_later_still_names_its_token(on_stage: Stage) -> None:
    run, api = on_stage.start("app.flows:approval", {"wanted": 9}), api_of(on_stage.cast.author)
    body = {"topic": "odd", "raw": True}
    token = api.get(f"/decisions/{api.post(f'/runs/{run.run_id}/signals', body).json()['id']}").json()["token"]
    Decision.objects.create(run=run, user=on_stage.cast.author, topic="late", token=token)
    assert decisions.resume_pending(older_than=0) == 1
    assert AuditRow.objects.get(data__topic="late").data["token"] == token


def test_decisions_are_paged_newest_first(cast: Cast) -> None:
    run = Run.objects.create(run_id="r", workflow_id="w", entry_id="a:b", client="a:c", started_at=timezone.now())
    for number in range(5):
        Decision.objects.create(run=run, user=cast.operator, topic=str(number), state="sent")
    Decision.objects.update(created_at=timezone.now())  # of one moment: none is lost between pages
    api, seen, cursor = api_of(cast.viewer), [], ""
    while True:
        page = api.get(f"/decisions?limit=2&cursor={cursor}").json()
        seen += [each["topic"] for each in page["items"]]
        if not (cursor := page["next"]):
            break
    assert sorted(seen) == ["0", "1", "2", "3", "4"]
    for query in ("user=viewer", "state=failed", "action=reset", "run_id=x", "question=1"):
        assert api.get(f"/decisions?{query}").json()["items"] == [], query


def test_a_pending_payload_shows_no_secret(on_stage: Stage) -> None:
    run = on_stage.start()
    schema = {"type": "object", "properties": {"pin": {"type": "string", "writeOnly": True}}}
    question = on_stage.ask(run)
    question.signals = [{"index": 1000, "topic": "code", "label": "Code", "schema": schema}]
    question.save()
    made = Decision.objects.create(run=run, user=on_stage.cast.operator, topic="code", payload={"pin": "1234"})
    found = api_of(on_stage.cast.viewer).get(f"/decisions/{made.pk}").json()
    assert (found["state"], found["payload"]) == ("pending", {"pin": "••••••"})
    assert decisions.told_payload(made) == {"pin": "••••••"}


def test_the_audit_is_filtered_and_paged(cast: Cast) -> None:
    for number in range(3):
        audit.append(audit.EXPORT, cast.author, label=f"file {number}", outcome="done")
    api = api_of(cast.viewer)
    first = api.get("/audit?limit=2&action=export").json()
    assert [each["label"] for each in first["items"]] == ["file 2", "file 1"]
    rest = api.get(f"/audit?limit=2&action=export&cursor={first['next']}").json()
    assert ([each["label"] for each in rest["items"]], rest["next"]) == (["file 0"], "")
    assert rest["items"][0]["hash"] == first["items"][1]["previous"]
    later = (timezone.now() + timedelta(hours=1)).isoformat().replace("+", "%2B")
    for query in (f"since={later}", "user=nobody", "label=nothing", "outcome=refused", "run=none", "entry=a:b"):
        assert api.get(f"/audit?{query}").json()["items"] == [], query


@pytest.mark.parametrize(
    "path",
    [
        "/audit?action=odd",
        "/audit?cursor=x",
        "/audit?cursor=99999999999999999999",
        "/audit?since=2026-01-01",
        "/audit?label=%00",
        "/decisions?cursor=eHg",
        "/decisions?cursor=MjAyNi0wMS0wMVQwMDowMDowMFp8eHg",
        "/decisions?question=99999999999999999999",
        "/decisions?state=odd",
    ],
)
def test_what_no_filter_is_is_refused(cast: Cast, path: str) -> None:
    refused = api_of(cast.viewer).get(path)
    assert refused.status_code == 422, refused.content
    assert refused["Content-Type"] == "application/problem+json"


def test_everybody_sees_their_own_namespaces(rooms: dict[str, Room], clerk: User, cast: Cast) -> None:
    api = api_of(clerk)
    ours, theirs = (Decision.objects.get(run=rooms[name].run) for name in (OURS, THEIRS))
    assert [each["id"] for each in api.get("/decisions").json()["items"]] == [str(ours.pk)]
    assert api.get(f"/decisions/{ours.pk}").status_code == 200
    for other in (theirs.pk, uuid.uuid4(), "x"):
        assert api.get(f"/decisions/{other}").status_code == 404
    listed = {each["id"] for each in api.get("/audit").json()["items"]}
    assert listed == set(AuditRow.objects.filter(namespace=OURS).values_list("pk", flat=True))
    for path in ("/decisions", "/audit", f"/decisions/{ours.pk}"):
        assert api_of(cast.stranger).get(path).status_code == 403
