"""Questions by the API: found, taken, talked about, answered once, voted on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.api.calling import Api, api_of
from tests.console.departments import OURS, THEIRS, Room
from tests.console.operating import Cast, Stage
from tests.console.test_decisions import signals
from tests.console.test_votes import APPROVE, MORE, REJECT, ask, voter
from wippy_console.models import AuditRow, Comment, Decision, Question, Run


def asked(stage: Stage) -> Question:
    """A question with a role and a rule of reasons among its answers."""
    return stage.ask(stage.start())


def at_once(*calls: Any) -> list[Any]:
    """What came of calls that are made at the same moment."""

    def made(call: Any) -> Any:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(made, calls))


def test_questions_are_listed_by_views_and_filters(on_stage: Stage) -> None:
    first, second = asked(on_stage), asked(on_stage)
    api = api_of(on_stage.cast.approver)
    page = api.get("/questions?limit=1")
    assert page.status_code == 200, page.content
    assert [each["id"] for each in page.json()["items"]] == [first.pk]
    rest = api.get(f"/questions?limit=1&cursor={page.json()['next']}").json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == ([second.pk], "")
    assert [each["id"] for each in api.get(f"/questions?run_id={second.run_id}").json()["items"]] == [second.pk]
    for query in ("view=done", "label=nobody", "entry=app:other", "priority=urgent", "view=mine"):
        assert api.get(f"/questions?{query}").json()["items"] == [], query
    for query in ("view=odd", "cursor=x", "due_to=9999-12-31T23:59:59-23:00", "priority=5"):
        assert api.get(f"/questions?{query}").status_code == 422, query


def test_a_question_tells_what_may_be_answered_and_by_whom(on_stage: Stage) -> None:
    question = asked(on_stage)
    found = api_of(on_stage.cast.operator).get(f"/questions/{question.pk}").json()
    approve, reject, comment = found["answers"]
    assert (approve["label"], approve["payload"], approve["groups"]) == ("Approve", {"approved": True}, ["approvers"])
    assert approve["payload_schema"]["required"] == ["comment"] and approve["reason"] == "required"
    assert "approvers" in approve["why_not"] and reject["why_not"] == ""
    assert (comment["topic"], found["outcome"], found["decision"], found["votes"]) == ("comment", "", None, [])
    assert found["run_id"] == question.run_id
    for path in ("/questions/0", "/questions/99999999999999999999", f"/questions/{'9' * 5000}", "/questions/x"):
        assert api_of(on_stage.cast.operator).get(path).status_code == 404


def test_a_longer_page_costs_no_more_queries(cast: Cast, django_assert_num_queries: Any) -> None:
    api = api_of(cast.root)
    ask_once("1")
    api.get("/questions")
    with CaptureQueriesContext(connection) as few:
        assert len(api.get("/questions").json()["items"]) == 1
    for number in range(2, 7):
        ask_once(str(number))
    with django_assert_num_queries(len(few)):
        assert len(api.get("/questions").json()["items"]) == 6


def ask_once(number: str) -> None:
    """A question of a run of its own, with somebody's vote."""
    run = Run.objects.create(run_id=number, workflow_id=number, entry_id="a:b", client="a:c", started_at=timezone.now())
    items = [{"index": 0, "topic": "decision", "label": "Approve", "quorum": {"approve": 2}}]
    question = Question.objects.create(
        run=run, key=number, channel="decision", number=0, signals=items, opened_at=timezone.now()
    )
    question.votes.create(user=User.objects.create(username=f"voter {number}"), index=0, topic="decision")


def test_whoever_may_not_see_questions_gets_none(rooms: dict[str, Room], clerk: User) -> None:
    api = api_of(clerk)
    assert [each["id"] for each in api.get("/questions").json()["items"]] == [rooms[OURS].question.pk]
    assert api.get(f"/questions/{rooms[OURS].question.pk}").status_code == 200
    for act in ("", "/comments"):
        assert api.get(f"/questions/{rooms[THEIRS].question.pk}{act}").status_code == 404
    bodies = {"answer": {"label": "Approve"}, "claim": {}, "release": {}, "assign": {"to": "clerk"}}
    for act, body in {**bodies, "postpone": {"until": None}, "comments": {"text": "hello"}}.items():
        assert api.post(f"/questions/{rooms[THEIRS].question.pk}/{act}", body).status_code == 404, act


def test_a_viewer_and_a_limited_token_answer_nothing(on_stage: Stage) -> None:
    question = asked(on_stage)
    viewer = api_of(on_stage.cast.viewer)
    assert viewer.get(f"/questions/{question.pk}").status_code == 200
    limited = api_of(on_stage.cast.author, rights=["view_run", "view_question"])
    for api in (viewer, limited):
        for act, body in {"answer": {"label": "Reject"}, "claim": {}, "assign": {"to": "author"}}.items():
            assert api.post(f"/questions/{question.pk}/{act}", body).status_code == 403, act
    assert api_of(on_stage.cast.stranger).get("/questions").status_code == 403
    assert not Decision.objects.exists()


def test_an_answer_is_given_once(on_stage: Stage) -> None:
    question, api = asked(on_stage), api_of(on_stage.cast.approver)
    path = f"/questions/{question.pk}/answer"
    wanted = {"label": "Approve", "payload": {"comment": "fine", "amount": 9007199254740993}, "reason": "it fits"}
    given = api.post(path, wanted, Idempotency_Key="a")
    assert (given.status_code, given.json()["state"]) == (200, "sent"), given.content
    again = api.post(path, wanted, Idempotency_Key="a")
    assert (again.json(), again["Idempotency-Replayed"]) == (given.json(), "true")
    assert len(signals(question.run)) == 1
    late = api_of(on_stage.cast.operator).post(path, {"label": "Reject"})
    assert late.status_code == 409
    assert late.json()["detail"].startswith("approver already answered: Approve")
    found = api.get(f"/questions/{question.pk}").json()
    assert (found["outcome"], found["decision"]["by"], found["decision"]["reason"]) == (
        "answered",
        "approver",
        "it fits",
    )
    row = AuditRow.objects.get(action="answer")
    assert row.data["token"].startswith("tests")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"label": "Approve", "payload": {"comment": 5}, "reason": "x"}, "/payload/comment"),
        ({"label": "Approve", "payload": {}, "reason": "x"}, "/payload/comment"),
        ({"label": "Approve", "payload": {"comment": "fine"}}, "/reason"),
        ({"label": "Perhaps"}, "/label"),
        ({"topic": "decision"}, "/label"),
        ({"label": "Reject", "reason": "nul \0"}, "/reason"),
        ({"label": "Reject", "odd": 1}, "/odd"),
        ({"index": -1}, "/index"),
    ],
)
def test_an_answer_that_is_wrong_is_refused_at_its_place(on_stage: Stage, body: dict[str, Any], path: str) -> None:
    question = asked(on_stage)
    refused = api_of(on_stage.cast.approver).post(f"/questions/{question.pk}/answer", body)
    assert refused.status_code in (400, 422), refused.content
    if refused.status_code == 422:
        assert refused.json()["errors"][0]["path"] == path


def test_of_two_who_answer_at_once_one_wins_and_the_other_reads_who(on_stage: Stage) -> None:
    question = asked(on_stage)
    body = {"label": "Reject", "payload": {}}
    callers = [api_of(user) for user in (on_stage.cast.operator, on_stage.cast.author)]
    won, lost = sorted(
        at_once(*(lambda api=api: api.post(f"/questions/{question.pk}/answer", body) for api in callers)),
        key=lambda answered: answered.status_code,
    )
    assert (won.status_code, lost.status_code) == (200, 409), (won.content, lost.content)
    assert Decision.objects.get().user.get_username() in lost.json()["detail"]
    assert len(signals(question.run)) == 1


def test_one_key_sent_twice_at_once_has_one_effect(on_stage: Stage) -> None:
    question, api = asked(on_stage), api_of(on_stage.cast.operator)

    def send() -> Any:
        other = Api(api.token, api.client)
        return other.post(f"/questions/{question.pk}/answer", {"label": "Reject"}, Idempotency_Key="same")

    first, second = sorted(at_once(send, send), key=lambda answered: answered.status_code)
    assert first.status_code == 200, first.content
    assert second.status_code in (200, 409)
    if second.status_code == 409:
        assert second["Retry-After"]
    assert send().json() == first.json()
    assert len(signals(question.run)) == Decision.objects.count() == 1


def test_votes_are_counted_until_there_are_enough(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE, REJECT)
    path, body = f"/questions/{question.pk}/answer", {"label": "Approve", "payload": {"note": "yes"}}
    api = api_of(on_stage.cast.approver)
    first = api.post(path, body, Idempotency_Key="mine")
    assert (first.status_code, first.json()["state"]) == (200, "counted"), first.content
    assert first.json()["tally"] == [
        {"label": "Approve", "given": 1, "needed": 2},
        {"label": "Reject", "given": 0, "needed": 1},
    ]
    twice = api.post(path, body)
    assert (twice.status_code, "You voted" in twice.json()["detail"]) == (409, True)
    assert api.get(f"/questions/{question.pk}").json()["votes"][0]["user"] == "approver"
    last = api_of(voter("ben")).post(path, body)
    assert (last.json()["state"], len(signals(question.run))) == ("sent", 1)


def test_a_run_s_verdict_comes_with_the_answer(on_stage: Stage) -> None:
    question = ask(on_stage, {**MORE, "via": "update"})
    given = api_of(on_stage.cast.operator).post(f"/questions/{question.pk}/answer", {})
    assert (given.json()["state"], given.json()["verdict"]) == ("sent", {"taken": 1})


def test_a_question_is_taken_given_and_put_back(on_stage: Stage) -> None:
    question = asked(on_stage)
    path = f"/questions/{question.pk}"
    mine, other = api_of(on_stage.cast.operator), api_of(on_stage.cast.author)
    taken = mine.call("POST", f"{path}/claim")
    assert (taken.status_code, taken.json()["assignee"]) == (200, "operator"), taken.content
    refused = other.post(f"{path}/claim")
    assert (refused.status_code, refused.json()["detail"]) == (409, "operator has taken it.")
    assert other.post(f"{path}/claim", {"over": "operator"}).json()["assignee"] == "author"
    assert mine.post(f"{path}/release").status_code == 409
    nobody = other.post(f"{path}/assign", {"to": "nobody"})
    assert (nobody.status_code, nobody.json()["errors"][0]["path"]) == (422, "/to")
    given = other.post(f"{path}/assign", {"to": "operator", "reason": "yours"})
    assert given.json()["assignee"] == "operator"
    assert [each["text"] for each in mine.get(f"{path}/comments").json()["items"]] == ["yours"]
    assert mine.post(f"{path}/release", {"odd": 1}).json()["errors"][0]["path"] == "/odd"
    assert mine.post(f"{path}/release").json()["assignee"] == ""


def test_a_question_is_put_off_and_brought_back(on_stage: Stage) -> None:
    question, api = asked(on_stage), api_of(on_stage.cast.operator)
    path, until = f"/questions/{question.pk}/postpone", timezone.now() + timedelta(days=3)
    assert api.post(path, {"until": until.isoformat()}).status_code == 200
    assert api.get("/questions").json()["items"] == []
    assert [each["id"] for each in api.get("/questions?view=later").json()["items"]] == [question.pk]
    for odd in ("2001-01-01T00:00:00Z", "2999-01-01T00:00:00", "tomorrow", "9999-12-31T23:59:59-23:00"):
        refused = api.post(path, {"until": odd})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "/until"), odd
    assert api.post(path, {"until": None}).json()["follow_up_at"] is None
    assert api.post(path, {}).status_code == 422


def test_comments_are_said_once(on_stage: Stage) -> None:
    question, api = asked(on_stage), api_of(on_stage.cast.viewer)
    path = f"/questions/{question.pk}/comments"
    said = api.post(path, {"text": "hello"}, Idempotency_Key="c")
    assert (said.status_code, said.json()["by"], said.json()["text"]) == (201, "viewer", "hello")
    assert api.post(path, {"text": "hello"}, Idempotency_Key="c").json() == said.json()
    assert Comment.objects.count() == 1
    assert api.get(path).json()["items"] == [said.json()]
    empty = api.post(path, {"text": " "})
    assert (empty.status_code, empty.json()["errors"][0]["path"]) == (422, "/text")
