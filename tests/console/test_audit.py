"""The audit: every deed is a row, no row changes, the chain shows where one did, and files hold what was filtered."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import Group, User
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client

from engine.entry import Entry
from tests.console.operating import Stage
from tests.console.registry_cast import create, function
from tests.console.test_votes import APPROVE, REJECT, ask, vote, voter
from wippy_console.database import append_only, streams
from wippy_console.models import AuditRow
from wippy_console.services import audit, clock, decisions, runs
from wippy_console.services.audit.chain import hash_of

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = AuditRow._meta.db_table


def deeds() -> list[tuple[str, str, str, str]]:
    rows = AuditRow.objects.order_by("id")
    return [(row.user, row.action, row.label, row.outcome) for row in rows if row.action != audit.PUBLISH]


@pytest.fixture
def append_only_table() -> Iterator[None]:
    """The table as a migration leaves it; tests take the triggers off, since they begin with empty tables."""
    append_only.install(connection, TABLE)
    yield
    append_only.remove(connection, TABLE)


def test_starts_votes_answers_and_ends_are_rows_that_name_run_question_and_decision(on_stage: Stage) -> None:
    question = ask(on_stage, APPROVE, REJECT)
    vote(on_stage.cast.approver, question, form={"note": "yes", "pin": "1234"})
    made = vote(voter("ben"), question)
    decisions.terminate(on_stage.cast.root, question.run, "enough")
    assert deeds() == [
        ("operator", "start", "", "done"),
        ("approver", "vote", "Approve", ""),
        ("ben", "vote", "Approve", ""),
        ("ben", "answer", "Approve", "sent"),
        ("root", "terminate", "", "sent"),
    ]
    answer = AuditRow.objects.get(action="answer")
    assert (answer.run_id, answer.question_id, answer.decision_id) == (question.run_id, question.pk, made.pk)
    assert answer.namespace == "app.flows" and "1234" not in json.dumps(list(AuditRow.objects.values_list("data")))
    assert [row.event_id for row in audit.page(on_stage.cast.root, audit.Filters(action="answer")).rows] == [
        made.event_id  # type: ignore[union-attr]
    ]


def test_what_temporal_refuses_and_what_the_clock_does_are_rows(on_stage: Stage) -> None:
    question = ask(on_stage, {**REJECT, "role": "lawyers"}, escalate={"after": "1ms", "to": "bosses"})
    clock.tick()
    assert deeds()[-1] == ("auto:clock", "escalate", "", "")
    decisions.cancel(on_stage.cast.operator, question.run, "why")
    assert AuditRow.objects.filter(action="cancel").get().data["reason"] == "why"


def test_publishing_is_a_row_for_each_entry_and_for_very_many_one() -> None:
    root = User.objects.create_superuser("root")
    create(function("a"), function("b"), user=root)
    rows = AuditRow.objects.order_by("id")
    assert [(row.user, row.action, row.entry_id, row.label) for row in rows] == [
        ("root", "publish", "app:a", "version 1"),
        ("root", "publish", "app:b", "version 1"),
    ]
    create(*(function(f"many{number}") for number in range(101)), user=root)
    assert AuditRow.objects.get(label="version 2").data["total"] == 101


def test_a_log_in_is_told_of_those_who_may_change_something(client: Client) -> None:
    for name, group in (("vera", "viewer"), ("olga", "operator")):
        User.objects.create_user(name, password="secret").groups.add(Group.objects.get(name=group))
        client.post("/login/", {"username": name, "password": "secret"})
        client.logout()
    assert deeds() == [("olga", "log_in", "", "done")]


def test_nobody_changes_or_deletes_a_row_in_the_database(append_only_table: None) -> None:
    row = audit.append(audit.EXPORT, "olga", outcome="done")
    for act in (
        lambda: AuditRow.objects.update(user="mallory"),
        lambda: AuditRow.objects.all().delete(),
        lambda: AuditRow.objects.filter(pk=row.pk).update(hash="0"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()
    audit.append(audit.EXPORT, "olga", outcome="done")
    assert AuditRow.objects.count() == 2


def test_a_changed_row_and_a_missing_one_break_the_chain(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [audit.append(audit.EXPORT, f"user {number}", data={"share": 0.1 * number}) for number in range(6)]
    assert list(audit.verify()) == []
    call_command("audit", "--verify")
    assert capsys.readouterr().out == f"6 rows, last hash {rows[-1].hash}\n"
    AuditRow.objects.filter(pk=rows[1].pk).update(user="mallory")
    AuditRow.objects.filter(pk=rows[3].pk).delete()
    assert [(each.row, each.what) for each in audit.verify()] == [
        (rows[1].pk, "it was changed"),
        (rows[4].pk, "the row before it was changed or taken away"),
    ]
    with pytest.raises(CommandError, match="breaks in 2 places"):
        call_command("audit", "--verify")


def test_a_row_whose_hash_was_forged_breaks_the_next() -> None:
    first = audit.append(audit.EXPORT, "olga")
    audit.append(audit.EXPORT, "olga")
    first.user = "mallory"
    first.hash = hash_of(first)
    first.save()
    assert [each.what for each in audit.verify()] == ["the row before it was changed or taken away"]


def told(response: Any) -> str:
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response).decode()


def test_files_hold_exactly_the_filtered_rows_in_order(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    for user in ("olga", "=cmd()", "olga"):
        audit.append(audit.EXPORT, user, label="a", data={"note": "x\ny"})
    found = list(csv.DictReader(io.StringIO(told(client.get("/audit/export.csv?user=olga")))))
    assert [row["user"] for row in found] == ["olga", "olga"]
    assert int(found[0]["id"]) < int(found[1]["id"])
    lines = [json.loads(line) for line in told(client.get("/audit/export.jsonl?user=%3Dcmd()")).splitlines()]
    assert [(row["user"], row["data"]) for row in lines] == [("=cmd()", {"note": "x\ny"})]
    assert "'=cmd()" in told(client.get("/audit/export.csv"))
    assert AuditRow.objects.filter(action="export", user="root").count() == 3


def test_the_page_filters_goes_by_key_and_asks_nothing_for_each_row(
    client: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    client.force_login(User.objects.create_superuser("root"))
    create(Entry("app:flow", "registry.entry", {"title": "The flow"}, {}))
    for number in range(230):
        audit.append(audit.EXPORT, f"user {number}", entry_id="app:flow")
    client.get("/audit/")
    with django_assert_max_num_queries(8):
        text = client.get("/audit/").content.decode()
    assert "user 229<" in text and "user 130<" in text and "user 129<" not in text and "The flow" in text
    older = text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    assert "user 129<" in client.get(f"/audit/{older}").content.decode()
    assert "Nobody did such a thing" in client.get("/audit/?user=nobody").content.decode()
    for address in ("?action=dance", "?since=never", "?before=x", "?user=" + "x" * 401):
        assert client.get(f"/audit/{address}").status_code == 422, address


def test_who_may_not_see_decisions_sees_no_audit(client: Client) -> None:
    client.force_login(User.objects.create_user("sam"))
    audit.append(audit.EXPORT, "olga")
    for address in ("/audit/", "/audit/export.csv"):
        assert client.get(address).status_code == 403
    assert not audit.visible(User.objects.get(username="sam")).exists()


def test_a_start_names_what_was_given_without_secrets(on_stage: Stage) -> None:
    started = runs.start(on_stage.cast.operator, "app.flows:approval", "app:worker", [{"wanted": 3}])
    row = AuditRow.objects.get(action="start")
    assert (row.workflow_id, row.run_id, row.data) == (
        started.workflow_id, started.run_id, {"input": [{"wanted": 3}]},
    )  # fmt: skip


def test_a_file_goes_out_in_portions_whoever_serves_it(async_client: AsyncClient) -> None:
    root = User.objects.create_superuser("root")
    for _ in range(3):
        audit.append(audit.EXPORT, "olga")

    async def portions() -> list[bytes]:
        await sync_to_async(async_client.force_login)(root)
        response: Any = await async_client.get("/audit/export.jsonl")
        assert response.is_async  # else all of it would be a list in memory first
        return [part async for part in response]

    with patch.object(streams, "PORTION", 2):
        assert [part.count(b"\n") for part in async_to_sync(portions)()] == [2, 2, 1]  # with the log-in and the export


def test_rows_that_come_back_from_a_dump_keep_their_hashes() -> None:
    for number in range(3):
        audit.append(audit.EXPORT, "olga ✓\0", label="é", data={"n": 10**20, "f": 0.1, "nul": "a\0", "at": number})
    text = serializers.serialize("json", AuditRow.objects.all())
    AuditRow.objects.all().delete()
    for each in serializers.deserialize("json", text):
        each.save()
    assert AuditRow.objects.count() == 3 and list(audit.verify()) == []


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_the_command_refuses_to_print_less_than_one_row(limit: str) -> None:
    audit.append(audit.EXPORT, "olga")
    with pytest.raises(CommandError, match="1 or more"):
        call_command("audit", "--limit", limit)


def test_a_row_without_details_or_event_shows_no_empty_ones(client: Client) -> None:
    audit.append(audit.EXPORT, "olga", label="audit.csv")
    client.force_login(User.objects.create_superuser("root"))
    text = client.get("/audit/").content.decode()
    assert "{}</summary>" not in text and "Nothing else" in text and 'data-label="Event"' not in text
