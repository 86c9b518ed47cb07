"""One act over many runs: exactly those, confirmed, bounded, stoppable, each once whatever dies."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client

from tests.console.operating import WORKER, Stage, settle
from tests.console.serving import environment
from tests.console.test_typed import main_form
from tests.patience import PATIENCE
from wippy_console.models import AuditRow, Batch, BatchItem, Decision, Run
from wippy_console.services import batches, histories, runs
from wippy_console.services.batches import doing
from wippy_console.services.errors import Conflict, Refused, Unavailable

pytestmark = pytest.mark.django_db(transaction=True)

CHILD, APPROVAL = "app.flows:child", "app.flows:approval"
REASON = "the provider was down"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def started(stage: Stage, count: int, entry: str = APPROVAL, *args: Any) -> list[Run]:
    user = stage.cast.operator
    made = [runs.start(user, entry, WORKER, list(args), f"order {stage.queue}/{n} ü") for n in range(count)]
    return [Run.objects.get(pk=each.run_id) for each in made]


def choose(user: User, action: str, chosen: list[Run], **more: Any) -> HttpResponse:
    data = {"action": action, "chosen": [run.run_id for run in chosen], **more}
    answer: HttpResponse = browser(user).post("/runs/batches/new/", data)  # type: ignore[assignment]
    return answer


def confirmed(user: User, action: str, chosen: list[Run], **typed: Any) -> Batch:
    where = choose(user, action, chosen)["Location"]
    page = browser(user).get(where)
    assert page.status_code == 200
    form = main_form(page).post_all({"reason": REASON, **typed})
    answer = browser(user).post(where, form)
    assert answer.status_code == 302, answer.content.decode()
    assert browser(user).post(where, form).status_code == 302  # the same form once more
    return Batch.objects.get(pk=where.rstrip("/").split("/")[-1])


def work(batch: Batch) -> Batch:
    end = time.monotonic() + PATIENCE
    while batch.is_running:
        assert time.monotonic() < end
        batches.tick()
        batch.refresh_from_db()
    return batch


def count(run: Run, field: str) -> int:
    return sum(event.HasField(field) for event in histories.read(run).events)  # type: ignore[arg-type]


def test_a_batch_cancels_exactly_what_was_chosen_and_is_audited_as_one_and_for_each(on_stage: Stage) -> None:
    made = started(on_stage, 5)
    chosen, spared = made[:3], made[3:]
    user = on_stage.cast.operator
    batch = work(confirmed(user, "cancel", chosen))
    found = batches.progress(batch)
    assert (batch.state, found.done, found.failed, found.left) == (Batch.State.DONE, 3, 0, 0)
    assert [count(run, "workflow_execution_cancel_requested_event_attributes") for run in chosen] == [1, 1, 1]
    assert [count(run, "workflow_execution_cancel_requested_event_attributes") for run in spared] == [0, 0]
    row = AuditRow.objects.get(action="batch")
    assert (row.user, row.outcome, row.data["runs"], row.data["reason"]) == ("operator", "started", 3, REASON)
    assert AuditRow.objects.filter(action="cancel", user="operator").count() == 3
    text = browser(user).get(f"/runs/batches/{batch.pk}/").content.decode()
    assert "<b>3</b> done" in text and REASON in text and "hx-trigger" not in text.split('id="batch"')[1][:200]


def test_all_that_match_a_filter_are_taken_whatever_begins_later(on_stage: Stage) -> None:
    made = started(on_stage, 3)
    other = runs.start(on_stage.cast.operator, CHILD, WORKER, ["wait"])
    user = on_stage.cast.author
    answer = choose(user, "terminate", [], all="1", query=f"entry={APPROVAL}&status=running")
    where = answer["Location"]
    text = browser(user).get(where).content.decode()
    assert "Terminate 3 runs?" in text and "entry: app.flows:approval" in text and "Running" in text
    late = runs.start(user, APPROVAL, WORKER, [])
    form = main_form(browser(user).get(where)).post_all({"reason": REASON})
    browser(user).post(where, form)
    batch = work(Batch.objects.get())
    assert {item.run_id for item in batch.items.all()} == {run.run_id for run in made}
    ended = "workflow_execution_terminated_event_attributes"
    assert [count(run, ended) for run in made] == [1, 1, 1]
    for each in (other, late):
        assert count(Run.objects.get(pk=each.run_id), ended) == 0


def test_a_signal_reaches_each_once_and_its_payload_is_forgotten(on_stage: Stage) -> None:
    made = started(on_stage, 3)
    batch = confirmed(on_stage.cast.author, "signal", made, topic="hello", payload='{"n": 9007199254740993}')
    assert batch.options["payload"] == {"n": 2**53 + 1}
    batch = work(batch)
    sent = Decision.objects.filter(topic="hello")
    assert [each.payload for each in sent] == [{"n": 2**53 + 1}] * 3
    assert {each.state for each in sent} == {"sent"} and batch.options == {"topic": "hello"}


def test_started_again_and_undone(on_stage: Stage) -> None:
    made = started(on_stage, 3, CHILD, "wait")
    user = on_stage.cast.operator
    batch = work(confirmed(user, "again", made))
    items = list(batch.items.all())
    assert sorted(runs.value(Run.objects.get(pk=each.made_run_id), "input", None)[0] for each in items) == ["wait"] * 3
    assert all(each.made_workflow_id.startswith(f"{each.run.workflow_id}-again-") for each in items)
    page = browser(user).get(f"/runs/batches/{batch.pk}/").content.decode()
    assert "Cancel the 3 new runs" in page
    undo = browser(user).post(f"/runs/batches/{batch.pk}/undo/")["Location"]
    draft = Batch.objects.get(pk=undo.rstrip("/").split("/")[-1])
    assert (draft.action, draft.state) == ("cancel", Batch.State.DRAFT)
    assert {item.run_id for item in draft.items.all()} == {each.made_run_id for each in items}


def test_a_stopped_batch_leaves_the_rest_alone(on_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    made = started(on_stage, 4)
    batch = confirmed(on_stage.cast.operator, "cancel", made)
    monkeypatch.setattr(doing, "AT_ONCE", 2)
    monkeypatch.setattr(doing, "SECONDS", PATIENCE)
    batches.tick()
    url = f"/runs/batches/{batch.pk}/stop/"
    assert browser(on_stage.cast.viewer).post(url).status_code == 403
    assert browser(on_stage.cast.operator).post(url).status_code == 302
    assert batches.tick() == 0
    batch.refresh_from_db()
    found = batches.progress(batch)
    assert (batch.state, batch.stopped_by, found.done, found.left) == (Batch.State.STOPPED, "operator", 2, 2)
    asked = sum(count(run, "workflow_execution_cancel_requested_event_attributes") for run in made)
    assert asked == 2
    with pytest.raises(Conflict):
        batches.stop(on_stage.cast.operator, batch)
    assert AuditRow.objects.filter(action="batch", outcome="stopped").count() == 1


LOOP = """
import django; django.setup()
from wippy_console.services import batches
print("ready", flush=True)
while True: batches.tick()
"""


def test_a_batch_whose_worker_is_killed_in_the_middle_reaches_each_run_once(on_stage: Stage) -> None:
    made = started(on_stage, 12, CHILD, "wait")
    batch = confirmed(on_stage.cast.operator, "again", made)
    end = time.monotonic() + PATIENCE
    with subprocess.Popen([sys.executable, "-c", LOOP], env=environment(), stdout=subprocess.PIPE) as worker:
        while batches.progress(batch).done < 4:
            assert time.monotonic() < end and worker.poll() is None
            time.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
    batch = work(Batch.objects.get(pk=batch.pk))
    assert batches.progress(batch).done == 12
    new = Run.objects.exclude(pk__in=[run.pk for run in made])
    assert new.count() == 12 == len({item.made_run_id for item in batch.items.all()})
    assert AuditRow.objects.filter(action="start", label__startswith="again: ").count() == 12


def test_an_effect_whose_row_a_crash_left_pending_is_not_repeated(on_stage: Stage) -> None:
    made = started(on_stage, 2)
    batch = work(confirmed(on_stage.cast.operator, "signal", made, topic="comment", payload="{}"))
    BatchItem.objects.update(state=BatchItem.State.PENDING)
    Batch.objects.update(state=Batch.State.RUNNING)
    batch.refresh_from_db()
    work(batch)
    assert [count(run, "workflow_execution_signaled_event_attributes") for run in made] == [1, 1]


def test_failures_have_their_reasons_and_keep_no_other_run_from_its_act(on_stage: Stage) -> None:
    made = started(on_stage, 3)
    batch = confirmed(on_stage.cast.author, "terminate", made)
    from wippy_console.services import decisions

    decisions.terminate(on_stage.cast.root, made[1], "faster")
    batch = work(batch)
    found = batches.progress(batch)
    assert (found.done, found.failed) == (2, 1) and "ended" in found.failures[0].error
    assert "1 failed" in browser(on_stage.cast.author).get(f"/runs/batches/{batch.pk}/").content.decode()


def test_a_temporal_that_is_away_is_waited_for(on_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    made = started(on_stage, 2)
    batch = confirmed(on_stage.cast.operator, "cancel", made)
    with monkeypatch.context() as away:
        asked = []

        def silent(*given: Any) -> Any:
            asked.append(given)
            raise Unavailable("Temporal does not answer.")

        away.setitem(batches.ACTS, "cancel", batches.Act("Cancel", "", silent, True, ""))
        assert (batches.tick(), len(asked)) == (0, 1), "not once for each run"
    assert batches.progress(work(batch)).done == 2


def test_rights_are_asked_when_it_is_chosen_confirmed_and_done(on_stage: Stage) -> None:
    made = started(on_stage, 2)
    cast = on_stage.cast
    assert choose(cast.viewer, "cancel", made).status_code == 403
    assert choose(cast.operator, "terminate", made).status_code == 403
    assert choose(cast.stranger, "cancel", made).status_code == 403
    draft = choose(cast.operator, "cancel", made)["Location"]
    assert browser(cast.author).get(draft).status_code == 404  # a draft is its owner's
    with pytest.raises(PermissionDenied):
        batches.start(cast.root, Batch.objects.get(), REASON, {})
    batches.start(cast.operator, Batch.objects.get(), REASON, {})
    cast.operator.groups.clear()
    batch = work(Batch.objects.get())
    found = batches.progress(batch)
    assert found.failed == 2 and "may not" in found.failures[0].error
    assert [name for name, _ in batches.open_to(cast.viewer)] == []


def test_a_reset_of_many_goes_to_their_last_or_first_step(on_stage: Stage) -> None:
    made = started(on_stage, 2)
    batch = work(confirmed(on_stage.cast.author, "reset", made, step="first"))
    assert batches.progress(batch).done == 2, [each.error for each in batches.progress(batch).failures]
    for item in batch.items.all():
        assert Run.objects.get(pk=item.made_run_id).previous_run_id == item.run_id


def test_of_several_runs_of_one_workflow_the_latest_is_reset(on_stage: Stage) -> None:
    user = on_stage.cast.author
    (first,) = started(on_stage, 1)
    settle(first)
    batch = work(confirmed(user, "reset", [first], step="first"))
    again = Run.objects.get(pk=batch.items.get().made_run_id)
    settle(again)
    found = batches.progress(work(confirmed(user, "reset", [first, again], step="first")))
    assert (found.done, [(each.run, each.error[:11]) for each in found.failures]) == (1, [(first, "A later run")])


def test_runs_that_one_may_no_more_see_are_listed_no_more(on_stage: Stage) -> None:
    user = on_stage.cast.operator
    batch = confirmed(user, "cancel", started(on_stage, 2))
    assert len(batches.progress(batch, user).items) == 2
    user.groups.clear()
    found = batches.progress(batch, User.objects.get(pk=user.pk))
    assert (found.items, found.left) == ([], 2)


def test_odd_requests_are_refused_in_words(on_stage: Stage) -> None:
    made = started(on_stage, 1)
    user = on_stage.cast.author
    assert choose(user, "cancel", []).status_code == 422
    assert choose(user, "fly", made).status_code == 422
    assert choose(user, "cancel", [], all="1", query="q=nothing-is-called-so").status_code == 422
    assert choose(user, "cancel", [], all="1", query="q=" + "x" * 3000).status_code == 422
    where = choose(user, "signal", made)["Location"]
    assert browser(user).post(where, {"topic": "", "reason": ""}).status_code == 422
    assert browser(user).get("/runs/batches/999/").status_code == 404
    assert browser(user).get("/runs/batches/").status_code == 200
    with pytest.raises(Refused, match="narrow"):
        batches.draft_of(user, "cancel", map(str, range(batches.MOST + 1)))


def test_the_list_of_runs_offers_what_one_may_do(on_stage: Stage) -> None:
    started(on_stage, 1)
    text = browser(on_stage.cast.operator).get("/runs/").content.decode()
    assert re.findall(r'<option value="(\w+)">[^<]*…', text) == ["signal", "cancel", "reset", "again"]
    assert text.count("data-pick>") == 1
    assert "data-pick" not in browser(on_stage.cast.viewer).get("/runs/").content.decode()


def test_what_a_batch_is_about_stands_there_in_the_states_of_lists(on_stage: Stage) -> None:
    asking, other = started(on_stage, 2)
    on_stage.ask(asking)
    where = choose(on_stage.cast.operator, "cancel", [asking, other])["Location"]
    batch = Batch.objects.get(pk=where.rstrip("/").split("/")[-1])
    assert dict(batches.standing(on_stage.cast.operator, batch)) == {"waiting": 1, "running": 1}
