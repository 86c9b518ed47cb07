"""The page of a question, its section on the run's page, and open forms that follow their run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from engine.entry import Entry
from tests.console.registry_cast import create
from tests.console.test_questions import LUA, NOW, asked, person
from wippy_console.models import Decision, Question, Run, Vote
from wippy_console.services import decisions
from wippy_console.services.labelled import labelled
from wippy_console.services.markdown import to_html

pytestmark = pytest.mark.django_db

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "title": "Order"},
        "card": {"type": "string", "writeOnly": True},
        "customer": {"$ref": "#/$defs/person"},
        "size": {"oneOf": [{"const": "s", "title": "Small"}, {"const": "l", "title": "Large"}]},
        "ordered": {"type": "string", "format": "date-time"},
        "lines": {"type": "array", "items": {"title": "Line", "properties": {"sku": {"title": "Article"}}}},
    },
    "$defs": {"person": {"title": "Customer", "properties": {"name": {"title": "Name"}}}},
}
SIGNALS: list[dict[str, Any]] = [
    {"topic": "decision", "label": "Approve", "index": 0, "role": "approvers"},
    {"topic": "decision", "label": "Reject", "index": 1, "role": "approvers", "reason": "required"},
]


def question(name: str = "00000000-0000-0000-0000-000000000001", **fields: Any) -> Question:
    made = asked(name, "approvers")
    Run.objects.filter(pk=name).update(
        history_length=9999, input=[{"order_id": "7", "card": "4111", "customer": {"name": "Ada"}, "rush": True}]
    )
    about = {"signals": SIGNALS, "channel": "decision", "waits": [["decision", 0]]} | fields
    Question.objects.filter(pk=made.pk).update(**about)
    return Question.objects.select_related("run").get(pk=made.pk)


@pytest.fixture
def anna(client: Client) -> User:
    """An approver, who is signed in."""
    create(Entry("app:flow", "workflow.lua", {"title": "Pay", "input_schema": SCHEMA, "signals": SIGNALS}, LUA))
    user = person("anna", "operator", "approvers")
    client.force_login(user)
    return user


def page(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_a_question_says_what_is_asked_and_shows_the_input_by_its_titles(client: Client, anna: User) -> None:
    made = question(title="Pay 7?", text="**Now** <script>alert(1)</script> [x](javascript:alert(1))")
    text = page(client, f"/inbox/{made.pk}/")
    assert "<strong>Now</strong>" in text and "<script>alert" not in text and 'href="javascript' not in text
    assert '<h1 id="question-title" tabindex="-1">Pay 7?' in text
    assert "<dt>Order</dt>" in text and "<dt>Name</dt>" in text and "<dt>Rush</dt>" in text
    assert "4111" not in text and "••••••" in text
    assert text.index("Your answer") < text.index("What it is about") < text.index("What it did last")


def test_a_question_says_what_happens_by_itself(client: Client, anna: User) -> None:
    later = NOW + timedelta(hours=1)
    made = question(
        due_at=later, deadline=later, escalates_at=later,
        options={"escalate": {"to": "board"}, "default": 1}, signals=[SIGNALS[0], {**SIGNALS[1], "default": True}],
    )  # fmt: skip
    text = page(client, f"/inbox/{made.pk}/")
    assert "board are asked as well." in text and "“Reject” is answered by itself." in text
    assert "the run waits no longer" in text
    assert "approvers" in text


def test_votes_are_told_by_whom_and_how_many_are_needed(client: Client, anna: User) -> None:
    made = question(signals=[{**SIGNALS[0], "quorum": {"approve": 2}}, SIGNALS[1]])
    Vote.objects.create(question=made, user=person("bert"), index=0, topic="decision", label="Approve", reason="fine")
    text = page(client, f"/inbox/{made.pk}/")
    assert "1 of 2 votes" in text and "bert" in text and "fine" in text
    assert "1 of 2 votes" in page(client, "/inbox/")


def test_a_question_that_is_over_says_how_and_offers_nothing(client: Client, anna: User) -> None:
    made = question(closed_at=timezone.now(), outcome="withdrawn", outcome_text="The run was terminated.")
    text = page(client, f"/inbox/{made.pk}/")
    assert "Withdrawn" in text and "The run was terminated." in text
    assert "Your answer" not in text and "/claim/" not in text


def test_who_voted_or_began_it_is_told_before_the_form(client: Client, anna: User) -> None:
    made = question(signals=[{**SIGNALS[0], "quorum": {"approve": 2}}, SIGNALS[1]])
    Vote.objects.create(question=made, user=anna, index=0, topic="decision", label="Approve")
    text = page(client, f"/inbox/{made.pk}/")
    assert text.count("You voted “Approve” before.") == 2 and 'role="button"' not in text
    assert "You voted" in page(client, "/inbox/")
    bert = person("bert", "operator", "approvers")
    Run.objects.update(started_by=bert)
    client.force_login(bert)
    assert "You started this run, so others have to decide." in page(client, f"/inbox/{made.pk}/")


@pytest.mark.parametrize(("name", "why"), [("nobody", "whom nobody knows"), ("vera", "who may not answer it")])
def test_a_question_says_whom_it_was_meant_for(client: Client, anna: User, name: str, why: str) -> None:
    person("vera", "viewer")
    made = question(options={"assignee": name})
    assert f"Meant for {name}, {why}" in page(client, f"/inbox/{made.pk}/")


def test_who_may_only_look_is_told_so(client: Client, anna: User) -> None:
    made = question()
    client.force_login(person("olga", "operator"))
    text = page(client, f"/inbox/{made.pk}/")
    assert "but not answer it" in text and "Only members of approvers may answer this." in text
    run = page(client, f"/runs/{made.run.workflow_id}/{made.run_id}/")
    for move in ("claim", "assign", "postpone"):
        assert f"/inbox/{made.pk}/{move}/" not in text + run


def test_it_is_taken_and_put_back_without_javascript(client: Client, anna: User) -> None:
    made = question()
    assert client.post(f"/inbox/{made.pk}/claim/", {"next": "/inbox/"}).headers["Location"] == "/inbox/"
    assert "You have taken it" in page(client, f"/inbox/{made.pk}/")
    assert client.post(f"/inbox/{made.pk}/release/", {"next": "//evil.example/"}).status_code == 302
    for there in ("//evil.example/", "https://evil.example/"):
        response = client.post(f"/inbox/{made.pk}/claim/", {"next": there})
        assert response.headers["Location"] == f"/inbox/{made.pk}/"
    assert client.get(f"/inbox/{made.pk}/claim/").status_code == 405


def test_it_is_given_to_a_candidate_by_a_form(client: Client, anna: User) -> None:
    made = question()
    bert = person("bert", "operator", "approvers")
    form = page(client, f"/inbox/{made.pk}/assign/")
    assert '<option value="bert">' in form
    refused = client.post(f"/inbox/{made.pk}/assign/", {"to": "nobody", "reason": "Holidays"})
    assert refused.status_code == 422 and "There is no active user" in refused.content.decode()
    assert "Holidays" in refused.content.decode()
    assert client.post(f"/inbox/{made.pk}/assign/", {"to": "bert"}).status_code == 302
    late = client.post(f"/inbox/{made.pk}/assign/", {"to": "anna", "over": ""})
    assert late.status_code == 409 and "bert has taken it." in late.content.decode()
    assert Question.objects.get(pk=made.pk).assignee == bert


def test_it_is_put_off_and_brought_back_by_forms(client: Client, anna: User) -> None:
    made = question()
    for day, status in (("2020-01-01", 422), ("soon", 422), ("", 422), ("2099-01-01", 302)):
        assert client.post(f"/inbox/{made.pk}/postpone/", {"until": day}).status_code == status
    assert f"question-{made.pk}" not in page(client, "/inbox/")
    assert "Put off until" in page(client, f"/inbox/{made.pk}/")
    assert client.post(f"/inbox/{made.pk}/postpone/", {"back": "1"}).status_code == 302
    assert f"question-{made.pk}" in page(client, "/inbox/")


def test_the_page_of_the_run_shows_the_same_section_before_its_history(client: Client, anna: User) -> None:
    made = question(title="Pay 7?")
    text = page(client, f"/runs/{made.run.workflow_id}/{made.run_id}/")
    assert f'id="answers-{made.pk}"' in text and "Pay 7?" in text and f"/inbox/{made.pk}/claim/" in text
    assert text.index(f'id="answers-{made.pk}"') < text.index("History")


def test_an_open_form_is_told_at_once_that_its_question_is_over(client: Client, anna: User) -> None:
    made = question()
    run = f"/runs/{made.run.workflow_id}/{made.run_id}/answer/0/"
    form = page(client, f"{run}?question={made.pk}", **{"HX-Request": "true"})
    assert f"{run}standing/?question={made.pk}" in form and f'hx-trigger="feed-run-{made.run_id} from:body"' in form
    still = page(client, f"{run}standing/?question={made.pk}", **{"HX-Request": "true"})
    assert "data-over" not in still and "be sent now" not in still
    bert = person("bert", "operator", "approvers")
    decisions.claim(bert, made)
    taken = page(client, f"{run}standing/?question={made.pk}", **{"HX-Request": "true"})
    assert "bert has taken it." in taken and " data-over " in taken
    Question.objects.update(closed_at=timezone.now(), outcome="expired", assignee=None)
    assert "The time to answer ended" in page(client, f"{run}standing/?question={made.pk}", **{"HX-Request": "true"})


def test_a_form_whose_answer_the_run_refused_stays_on_for_what_it_asks_anew(client: Client, anna: User) -> None:
    made = question()
    address = f"/runs/{made.run.workflow_id}/{made.run_id}/answer/0/standing/?question={made.pk}"
    Question.objects.update(closed_at=timezone.now(), outcome="withdrawn", outcome_text="The run refused it: too much")
    assert " data-over " in page(client, address, **{"HX-Request": "true"})
    refused: dict[str, Any] = {"topic": "decision", "via": "update", "state": Decision.State.FAILED}
    Decision.objects.create(run=made.run, question=made, user=anna, action="signal", **refused)
    anew = Question.objects.create(
        run=made.run, key="anew", channel="decision", number=1, waits=[["decision", 1]], signals=SIGNALS, opened_at=NOW
    )
    still = page(client, address, **{"HX-Request": "true"})
    assert "data-over" not in still and "be sent now" not in still and f"?question={anew.pk}" in still


def test_who_is_asked_and_what_is_overdue_stand_truly_when_a_question_escalated(client: Client, anna: User) -> None:
    made = question(due_at=timezone.now() - timedelta(minutes=1), title="Pay 7?")
    made.roles.all().delete()
    made.roles.create()
    made.roles.create(role="finance")
    made.roles.create(user="finance")  # what `of` names may be either
    text = page(client, f"/inbox/{made.pk}/")
    assert "every operator, finance</dd>" in text
    assert "it is overdue, and stays open" in text and "it is due, and stays open" not in text
    form = page(client, f"/runs/{made.run.workflow_id}/{made.run_id}/answer/0/?question={made.pk}")
    assert "<p>Pay 7?</p>" in form


@pytest.mark.parametrize("script", [True, False])
def test_an_answer_leads_to_the_next_question_else_to_the_list(
    client: Client, anna: User, monkeypatch: pytest.MonkeyPatch, script: bool
) -> None:
    made, other = question(), question("00000000-0000-0000-0000-000000000002")
    monkeypatch.setattr(decisions, "decide", lambda *_, **__: Decision(label="Approve"))
    headers = {"HX-Request": "true"} if script else {}

    def answer() -> str:
        address = f"/runs/{made.run.workflow_id}/{made.run_id}/answer/0/"
        form = {"question": made.pk, "key": "8f14e45f-ceea-467f-a8d4-3f1a2a4b5c6d", "next": "/inbox/"}
        response = client.post(address, form, headers=headers)
        return response.headers["HX-Redirect" if script else "Location"]

    assert answer() == f"/inbox/{other.pk}/#question-title"
    Question.objects.filter(pk=other.pk).update(closed_at=timezone.now(), outcome="answered")
    assert answer() == "/inbox/#inbox-title"


def test_values_are_shown_as_their_schema_names_them() -> None:
    fields = {
        each.label: each
        for each in labelled(
            SCHEMA,
            {"card": "1", "size": "l", "ordered": "2026-11-26T09:30:00Z", "lines": [{"sku": "A"}], "ok": None, "t": []},
        )
    }
    assert list(fields) == ["Card", "Size", "Ordered", "Lines", "Ok", "T"]
    assert fields["Card"].is_secret and fields["Size"].value == "Large" and fields["Ordered"].moment is not None
    assert [(part.label, part.parts[0].label) for part in fields["Lines"].parts] == [("Line 1", "Article")]
    assert (fields["Ok"].value, fields["T"].value) == ("–", "none")


def test_odd_values_and_schemas_are_shown_as_far_as_they_go() -> None:
    deep: Any = "end"
    for _ in range(50):
        deep = {"in": deep}
    assert labelled(None, deep) and labelled({"$ref": "#"}, {"a": 1}) and labelled({"properties": 7}, {"a": {"b": []}})
    assert labelled(SCHEMA, 7) == () and len(labelled({}, {str(n): n for n in range(5000)})) <= 200
    assert labelled({}, {"many": list(range(90))})[0].more == 70


@pytest.mark.parametrize(
    "text", ["<img src=x onerror=alert(1)>", "![x](http://a/b.png)", "[a](data:text/html,x)", "<style>*{}</style>"]
)
def test_markdown_does_nothing(text: str) -> None:
    found = to_html(text)
    assert "<img" not in found and "<style" not in found and "data:text" not in found.replace("[a](data:text", "")
