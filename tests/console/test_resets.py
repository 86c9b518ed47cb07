"""A reset: a failed run goes on from the failing step; what it repeats is said before, and it happens once."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.test import Client

from tests.console.operating import Stage
from tests.console.test_typed import main_form
from tests.patience import PATIENCE
from wippy_console.models import AuditRow, Decision, FeedEvent, Run
from wippy_console.services import decisions, histories, resetting, runs, temporal, timeline
from wippy_console.services.errors import Conflict, Refused
from wippy_console.services.projection import Ref, fetch_ending, write

pytestmark = pytest.mark.django_db(transaction=True)

STEPS, CALL, BROKEN = "app.flows:steps", "app.api:large", "app.api:mended"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def until(condition: Any) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def rows(run: Run) -> dict[str, timeline.Row]:
    return {row.label: row for row in timeline.rows(run).rows}


def close(run: Run) -> Run:
    """Wait for its end, and tell the projection."""
    catalog, client = temporal.catalog(), temporal.client(run.client)
    ref = Ref(run.client, run.workflow_id, run.run_id)
    write(catalog, [until(lambda: temporal.run(fetch_ending(catalog, client, ref)))])
    run.refresh_from_db()
    return run


def waiting(stage: Stage) -> Run:
    """One that waits for its signal, after a call and a child."""
    run = stage.start(STEPS)
    until(lambda: any(row.kind == "child" and row.started for row in timeline.rows(run).rows))
    return run


def failed(stage: Stage) -> Run:
    run = waiting(stage)
    decisions.send_raw(stage.cast.root, run, "go", 1)
    return close(run)


def url(run: Run) -> str:
    return f"/runs/{run.workflow_id}/{run.run_id}/reset/"


def new_id(made: Decision) -> str:
    assert isinstance(made.verdict, dict)
    return str(made.verdict["run_id"])


def current(run: Run) -> str:
    handle = temporal.client(run.client).get_workflow_handle(run.workflow_id)
    return temporal.run(handle.describe()).run_id


def test_a_failed_run_goes_on_from_the_failing_step(on_stage: Stage) -> None:
    run = failed(on_stage)
    assert run.status == "failed"
    user = browser(on_stage.cast.operator)
    page = user.get(url(run))
    text = page.content.decode()
    assert f"{BROKEN}</" in text.replace(" (failed)", "</") and CALL not in text.split("Done once more")[1]
    answer = user.post(url(run), main_form(page).post_all({"reason": "the gateway is back"}))
    assert answer.status_code == 302, answer.content.decode()
    new = Run.objects.get(pk=answer["Location"].rstrip("/").split("/")[-1])
    assert run.closed_at and new.started_at > run.closed_at
    assert close(new).status == "completed"
    assert runs.value(new, "result", None) == {"got": [1], "done": "mended"}
    assert new.previous_run_id == run.run_id
    assert run.closed_at and new.started_at > run.closed_at
    links = [(word, other.pk) for word, other in runs.chain_of(on_stage.cast.root, run).links]
    assert ("Next", new.pk) in links
    told = AuditRow.objects.get(action="reset")
    assert (told.user, told.outcome, told.run_id) == ("operator", "sent", run.run_id)
    assert (told.data["reason"], told.data["new_run_id"]) == ("the gateway is back", new.run_id)
    assert FeedEvent.objects.filter(kind="RESET", run_id=run.run_id).count() == 1
    assert new.run_id[:8] in user.get(url(run).replace("reset/", "?tab=audit")).content.decode()


def test_the_dialog_leads_to_the_new_run(on_stage: Stage) -> None:
    run = failed(on_stage)
    user = browser(on_stage.cast.operator)
    form = main_form(user.get(url(run))).post_all({"reason": "again"})
    answer = user.post(url(run), form, headers={"HX-Request": "true"})
    new = Run.objects.get(previous_run_id=run.run_id)
    assert answer["HX-Redirect"] == f"/runs/{new.workflow_id}/{new.run_id}/"


def test_signals_after_the_step_come_again_or_not_and_the_plan_says_what_happens(on_stage: Stage) -> None:
    run = failed(on_stage)
    first = rows(run)[CALL]
    plan = resetting.plan(on_stage.cast.root, run, first.id)
    assert [row.label for row in plan.repeated] == [CALL, "app.flows:child", BROKEN]
    assert [row.label for row in plan.signals] == ["go"]
    assert [row.label for row in plan.children] == ["app.flows:child"] and plan.has_effects
    made = resetting.reset(on_stage.cast.root, run, first.id, "without it", signals=False)
    new = Run.objects.get(pk=new_id(made))
    until(lambda: CALL in rows(new) and rows(new)[CALL].end)
    assert "go" not in rows(new)
    again = resetting.reset(on_stage.cast.root, run, first.id, "with it")
    until(lambda: "go" in rows(Run.objects.get(pk=new_id(again))))


def test_of_an_open_run_the_running_one_ends_and_children_from_before_stay(on_stage: Stage) -> None:
    run = waiting(on_stage)
    plan = resetting.plan(on_stage.cast.root, run, until(lambda: histories.read(run).events[-1].event_id))
    assert [row.label for row in plan.kept] == ["app.flows:child"] and not plan.children
    with pytest.raises(PermissionDenied):
        resetting.reset(on_stage.cast.operator, run, 1, "may not terminate")
    page = browser(on_stage.cast.operator).get(url(run)).content.decode()
    assert "You may not terminate runs here." in page
    made = resetting.reset(on_stage.cast.author, run, 1, "from the top")
    assert current(run) == new_id(made) != run.run_id
    assert close(run).status == "terminated"


def test_only_points_of_completed_tasks_are_chosen(on_stage: Stage) -> None:
    run = failed(on_stage)
    events = histories.read(run).events
    tasks = {event.event_id for event in events if event.HasField("workflow_task_completed_event_attributes")}
    found = {event.event_id: resetting.boundary(events, event.event_id) for event in events}
    assert set(found.values()) <= tasks
    assert all(point <= event for event, point in found.items() if event >= min(tasks))
    assert found[1] == resetting.first(events) == min(tasks) and resetting.last(events) == max(tasks)
    with pytest.raises(Refused):
        resetting.boundary(events, 10_000)
    with pytest.raises(Refused, match="no step"):
        resetting.boundary(events[:1], 1)


def test_one_form_resets_once_however_often_and_fast_it_is_sent(on_stage: Stage) -> None:
    run = failed(on_stage)
    form = main_form(browser(on_stage.cast.operator).get(url(run))).post_all({"reason": "twice"})

    def send(_: int) -> str:
        try:
            return browser(on_stage.cast.operator).post(url(run), form)["Location"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(send, range(2))
    assert first == second == send(0)
    assert Decision.objects.filter(action="reset").count() == 1
    assert Run.objects.filter(previous_run_id=run.run_id).count() == 1


def test_a_reset_that_a_crash_left_pending_is_found_and_not_done_again(
    on_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = failed(on_stage)
    journal: Any = __import__("wippy_console.services.decisions.journal", fromlist=["x"])
    with monkeypatch.context() as broken:

        def crash(*given: Any) -> None:
            raise KeyboardInterrupt

        broken.setattr(journal, "_complete", crash)
        with pytest.raises(KeyboardInterrupt):
            resetting.reset(on_stage.cast.operator, run, 1, "and then the power failed", key=uuid.uuid4())
    left = Decision.objects.get(action="reset")
    assert left.state == left.State.PENDING
    new = current(run)
    assert decisions.resume(left).state == left.State.SENT
    assert Decision.objects.get(pk=left.pk).verdict == {"run_id": new} and current(run) == new


def test_a_form_of_before_the_run_went_on_is_refused(on_stage: Stage) -> None:
    run = waiting(on_stage)
    form = main_form(browser(on_stage.cast.author).get(url(run))).post_all({"reason": "late"})
    decisions.terminate(on_stage.cast.author, run, "somebody else was faster")
    answer = browser(on_stage.cast.author).post(url(run), form)
    assert answer.status_code == 409 and "went on since" in answer.content.decode()
    assert current(run) == run.run_id
    with pytest.raises(Conflict):
        resetting.reset(on_stage.cast.author, run, 1, "x", seen="another")


@pytest.mark.parametrize("who", ["viewer", "operator", "author", "administrator", "stranger", "root"])
def test_who_may_reset(on_stage: Stage, who: str) -> None:
    run = failed(on_stage)
    user = getattr(on_stage.cast, who)
    allowed = who not in ("viewer", "stranger")
    assert browser(user).get(url(run)).status_code == (200 if allowed else 403)
    assert resetting.may_reset(user, run) == allowed
    if not allowed:
        with pytest.raises(PermissionDenied):
            resetting.reset(user, run, 1, "may not")
        user.user_permissions.add(Permission.objects.get(codename="reset_run"))
        assert resetting.may_reset(User.objects.get(pk=user.pk), run)


def test_a_reason_is_required_and_a_damaged_address_is_no_crash(on_stage: Stage) -> None:
    run = failed(on_stage)
    user = browser(on_stage.cast.operator)
    assert user.post(url(run), main_form(user.get(url(run))).post_all({"reason": " "})).status_code == 422
    assert user.get(f"{url(run)}?event=99999").status_code == 404
    assert user.get(f"{url(run)}?event=x").status_code == 422
    assert current(run) == run.run_id
