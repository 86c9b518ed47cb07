"""A masked value is on no page, in no row, file, frame, message or line of a log; and there for who had it shown."""

from __future__ import annotations

import io
import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone
from temporalio.client import WorkflowHistory

from engine.entry import Entry
from engine.errors import Failure
from tests.console.operating import LUA, SIGNALS, Stage
from tests.console.test_secrets import encoded
from tests.console.test_timeline_live import until
from wippy_console import urls
from wippy_console.live.consumer import FeedRequest, read_table
from wippy_console.live.session import verdicts
from wippy_console.models import AuditRow, Decision, FeedEvent, Notification, Question, Run, Vote
from wippy_console.services import decisions, feed, histories, masking, projection, registry, temporal, timeline
from wippy_console.services.masking import MASK
from wippy_console.services.notifications import wording
from wippy_console.services.projection.facts import Ended
from wippy_console.services.registry import Changes
from wippy_console.views import run_page

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = "4111-canary-1111"
ANSWERED = "5222-canary-2222"
ORDER = {"card": {"number": CANARY, "month": 5}, "id": "order-77"}
META: dict[str, Any] = {
    "title": "Masked",
    "mask": ["card.number"],
    "summary": "{card.number} of {id}",
    "search": ["card.number", "id"],
    "signals": [{**SIGNALS[1], "topic": "finish"}, {"topic": "finish", "label": "Pay", "schema": {"type": "object"}}],
    "question": {"title": "Pay with {card.number}?", "text": "For `{card.number}` and {card}"},
}  # fmt: skip
POSTED_ONLY = {"logout", "draft", "draft_discard", "run_unmask", "run_mask"}


@dataclass
class Seeded:
    """A run that goes on and asks, one that failed, and the people who look at them."""

    run: Run
    failed: Run
    question: Question
    stage: Stage

    @property
    def people(self) -> list[User]:
        """Who may see runs, the least and the most; neither has the right to see masked values."""
        cast = self.stage.cast
        return [cast.viewer, cast.author]


@pytest.fixture
def seeded(on_stage: Stage) -> Seeded:
    names = ("app.flows:everything", "app.flows:approval")
    masked = tuple(Entry(name, "workflow.lua", META, {"source": LUA}) for name in names)
    registry.publish(on_stage.cast.root, Changes(update=masked), base=None, message="masks")
    run = on_stage.start("app.flows:everything", ORDER)
    until(lambda: any(row.kind == "external" and not row.is_open for row in timeline.rows(run).rows))
    question = on_stage.ask(run, "finish")
    decisions.send_raw(on_stage.cast.author, run, "note", {"card": {"number": ANSWERED}})
    failed = on_stage.start("app.flows:approval", ORDER)
    decisions.terminate(on_stage.cast.author, failed, f"the card {CANARY} is bad")
    failure = Failure("Invalid", f"refused {CANARY}", details={"card": {"number": CANARY}, "said": CANARY})
    ref = projection.rows.beginning_of(failed)
    projection.write(temporal.catalog(), [Ended(ref, "failed", timezone.now(), 9, failure=failure)])
    Vote.objects.create(question=question, user=on_stage.cast.approver, index=1, topic="finish", payload=ORDER)
    for kind in ("asked", "failed", "exit"):
        Notification.objects.create(
            kind=kind, fact=kind, method="email", address="a@example.org", next_at=timezone.now(), run=failed,
            question=question if kind == "asked" else None,
        )  # fmt: skip
    return Seeded(Run.objects.get(pk=run.pk), Run.objects.get(pk=failed.pk), question, on_stage)


def addresses(seeded: Seeded, run: Run) -> Iterator[str]:
    """Every address of the console, for the run and its question, with each event and row that has the value."""
    events = [event.event_id for event in histories.read(run).events if b"canary" in event.SerializeToString()]
    drawn = [row.id for row in timeline.rows(run).rows if {event.id for event in row.events} & set(events)]
    assert events and drawn
    given: dict[str, list[Any]] = {
        "workflow_id": [run.workflow_id], "run_id": [run.run_id], "event_id": events, "row_id": drawn,
        "which": ["input", "result", "failure"], "index": [0, 1], "action": ["cancel", "terminate", "start"],
        "question_id": [seeded.question.pk], "entry_id": [run.entry_id], "user_id": [seeded.stage.cast.viewer.pk],
        "ending": ["csv", "jsonl"], "name": ["runs", "inbox"], "notification_id": [uuid.UUID(int=0)], "token": ["x"],
        "pid": [run.pid], "delivery_id": [uuid.UUID(int=0)],
    }  # fmt: skip
    for name, wanted in _named(urls.urlpatterns):
        if name in POSTED_ONLY:
            continue
        for values in _products({each: given.get(each, [1]) for each in wanted}):
            yield reverse(name, kwargs=values)
    page = reverse("run", args=(run.workflow_id, run.run_id))
    yield from (f"{page}?tab={tab}" for tab in run_page.TABS)
    yield from (f"/inbox/?view={view}" for view in ("mine", "unassigned", "overdue", "done", "others"))
    yield f"/runs/compare/?a={run.run_id}&b={seeded.failed.run_id}"
    yield from ("/runs/?q=order-77", "/runs/?status=failed", "/palette/?q=order", f"/runs/start/?again={run.run_id}")


def _named(patterns: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in patterns:
        if isinstance(each, URLResolver) and each.namespace is None and each.pattern.converters is not None:
            for name, wanted in _named(each.url_patterns):
                yield name, {**each.pattern.converters, **wanted}
        elif isinstance(each, URLPattern) and each.name:
            yield each.name, dict(each.pattern.converters)


def _products(given: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    if not given:
        yield {}
        return
    (name, values), *rest = given.items()
    for value in values:
        for others in _products(dict(rest)):
            yield {name: value, **others}


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    body = b"".join(answer) if answer.streaming else answer.content
    return body.decode("utf-8", "replace")


def browser(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client


def refuse(text: str, place: str) -> None:
    assert not [each for each in (*encoded(CANARY), *encoded(ANSWERED)) if each in text], (
        f"it stands encoded in {place}"
    )
    assert "canary" not in text.casefold(), f"it stands in {place}: {text[max(0, text.find('canary') - 300) :][:400]}"


def test_it_is_on_no_page_for_anybody_without_the_right(seeded: Seeded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for user in seeded.people:
        client = browser(user)
        for run in (seeded.run, seeded.failed):
            for address in addresses(seeded, run):
                refuse(read(client, address), f"{address} for {user}")
    refuse(caplog.text, "a log")


def test_it_is_on_no_page_for_who_has_the_right_and_did_not_ask(seeded: Seeded) -> None:
    client = browser(seeded.stage.cast.administrator)
    for address in addresses(seeded, seeded.run):
        refuse(read(client, address), address)
    for address in (reverse("run", args=(seeded.run.workflow_id, seeded.run.run_id)), f"/inbox/{seeded.question.pk}/"):
        assert MASK in read(client, address)


def test_it_is_in_no_row_export_frame_message_or_answer_of_a_command(seeded: Seeded) -> None:
    decisions.decide(seeded.stage.cast.operator, seeded.run, 1, {"card": {"number": ANSWERED}})
    refuse_in_admin(seeded.stage.cast.viewer)
    refuse_in_rows()
    refuse_in_frames(seeded.stage.cast.viewer)
    refuse_in_commands([seeded.run, seeded.failed])


def refuse_in_admin(user: User) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = browser(User.objects.get(pk=user.pk))
    for model in admin.site._registry:
        if model._meta.app_label != "wippy_console":
            continue
        listed = f"/admin/wippy_console/{model._meta.model_name}/"
        refuse(read(client, listed), listed)
        keys = [str(row.pk) for row in model._default_manager.all()[:50]]
        for key in keys[:5]:
            where = reverse(f"admin:wippy_console_{model._meta.model_name}_change", args=(key,))
            refuse(read(client, where), where)
        for action in ("as_csv", "as_json"):
            sent = client.post(listed, {"action": action, "_selected_action": keys})
            body = b"".join(sent) if sent.streaming else sent.content
            refuse(body.decode(), f"{action} of {listed}")


def refuse_in_rows() -> None:
    """None of what is told to all has it."""
    for model in (FeedEvent, AuditRow, Question, Notification, Decision):
        rows = list(model._default_manager.values())
        refuse(json.dumps(rows, default=str), model.__name__)
    found = list(Run.objects.values("search", "keys", "summary", "retrying", "stuck_reason"))
    refuse(json.dumps(found), "what runs are found by")
    assert "order-77" in json.dumps(found)
    for each in Notification.objects.all():
        said = wording.message_of(each)
        refuse(said.text + said.html + json.dumps(wording.payload_of(each)), each.kind)


def refuse_in_frames(user: User) -> None:
    key = str(browser(user).session.session_key)
    seen = verdicts([key])[key].seen
    frames, _ = read_table(0, FeedRequest(0, "", (), ""), seen)
    assert {each.kind for each in frames} >= {feed.STARTED, feed.SIGNAL, feed.EXIT}
    for each in frames:
        refuse(each.text_for(seen), each.kind)


def refuse_in_commands(shown: list[Run]) -> None:
    for command in (["runs"], ["audit"], *(["history", run.run_id] for run in shown)):
        for more in ([], ["--as", "viewer"], ["--json"]):
            out = io.StringIO()
            call_command(*command, *more, stdout=out)
            refuse(out.getvalue(), f"{command} {more}")


def test_who_had_it_shown_sees_it_and_the_audit_knows(seeded: Seeded) -> None:
    user, run = seeded.stage.cast.administrator, seeded.run
    client = browser(user)
    page = reverse("run", args=(run.workflow_id, run.run_id))
    assert "Show for 15 minutes" in read(client, page)
    assert client.post(f"{page}unmask/", {"reason": "a complaint"}).status_code == 302
    told = AuditRow.objects.get(action="unmask")
    assert (told.user, told.run_id, told.data["paths"], told.data["reason"]) == (
        "administrator", run.run_id, ["card.number"], "a complaint",
    )  # fmt: skip
    for address in (page, f"{page}values/input.json", f"{page}events/1/", f"{page}rows/1/"):
        assert CANARY in read(client, address), address
    signals = [row.id for row in timeline.rows(run).rows if row.kind == "signal"]
    assert any(ANSWERED in read(client, f"{page}rows/{row_id}/") for row_id in signals)
    refuse(read(browser(seeded.stage.cast.root), page), "the page of somebody else who may")
    refuse(read(client, reverse("run", args=(seeded.failed.workflow_id, seeded.failed.run_id))), "another run")
    assert client.post(f"{page}mask/").status_code == 302
    refuse(read(client, page), "the page once it is hidden again")


def test_files_with_it_are_told_of_in_the_audit(seeded: Seeded) -> None:
    user, run = seeded.stage.cast.administrator, seeded.run
    page = reverse("run", args=(run.workflow_id, run.run_id))
    client, files = browser(user), ("history.json", "values/input.json")
    masks = [json.loads(read(client, f"{page}{name}")) for name in files]
    assert not AuditRow.objects.filter(action="export").exists()
    assert masks[1] == [{"card": {"number": MASK, "month": 5}, "id": "order-77"}]
    masking.show(user, run)
    whole = [read(client, f"{page}{name}") for name in files]
    assert json.loads(whole[1]) == [ORDER]
    replayable = WorkflowHistory.from_json(run.workflow_id, whole[0])
    assert list(replayable.events)[: run.history_length] == histories.read(run).events[: run.history_length]
    rows = AuditRow.objects.filter(action="export").order_by("id")
    assert [(row.label, row.data["unmasked"]) for row in rows] == [("history", True), ("input", True)]


def test_nobody_without_the_right_has_it_shown(seeded: Seeded) -> None:
    run = seeded.run
    page = reverse("run", args=(run.workflow_id, run.run_id))
    for user in (*seeded.people, seeded.stage.cast.operator):
        assert browser(user).post(f"{page}unmask/").status_code == 403
        with pytest.raises(PermissionDenied):
            masking.show(user, run)
    masking.show(seeded.stage.cast.administrator, run)
    seeded.stage.cast.administrator.groups.set([])
    refuse(read(browser(seeded.stage.cast.administrator), page), "the page of who lost the right")


def test_the_command_shows_it_for_a_reason(seeded: Seeded) -> None:
    out = io.StringIO()
    call_command("history", seeded.run.run_id, "--json", "--unmask", "a complaint", stdout=out)
    assert CANARY in out.getvalue() and AuditRow.objects.get(action="unmask").data["reason"] == "a complaint"
    with pytest.raises(CommandError):
        call_command("history", seeded.run.run_id, "--as", "viewer", "--unmask", "curious", stdout=out)


def test_what_is_kept_and_sent_is_whole(seeded: Seeded) -> None:
    assert Run.objects.get(pk=seeded.run.pk).whole("input") == [ORDER]
    seeded.run.save()
    seeded.run.refresh_from_db()
    assert Run.objects.get(pk=seeded.run.pk).whole("input") == [ORDER]
    assert apps.get_model("wippy_console", "Vote").objects.get().whole_payload == ORDER


def test_what_a_callee_masks_is_masked_in_the_history_of_its_caller(on_stage: Stage) -> None:
    callee = Entry("app.api:refuse", "function.lua", {"mask": ["card.number"]}, {"source": LUA})
    registry.publish(on_stage.cast.root, Changes(create=(callee,)), base=None, message="a callee")
    run = on_stage.start("app.flows:everything", ORDER)
    until(lambda: any(row.label == "app.api:refuse" and not row.is_open for row in timeline.rows(run).rows))
    row = next(each for each in timeline.rows(run).rows if each.label == "app.api:refuse")
    shown = timeline.event_payload(run, row.id)["attributes"]["input"]
    assert shown == [{**ORDER, "card": {"number": MASK, "month": 5}}]
    assert row.failure and MASK in row.failure.message and CANARY not in row.failure.message
    words, client = "Values masked in what it calls", browser(on_stage.cast.administrator)
    assert words in read(client, reverse("run", args=(run.workflow_id, run.run_id)))
    other = on_stage.start("app.flows:child", "wait")
    assert words not in read(client, reverse("run", args=(other.workflow_id, other.run_id)))
    decisions.terminate(on_stage.cast.author, other, "seen enough")
    decisions.terminate(on_stage.cast.author, run, "seen enough")
