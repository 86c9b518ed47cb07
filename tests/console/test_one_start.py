"""One form starts one run: sent twice at once, again after an outage, again from the browser's memory."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.http import QueryDict
from django.test import Client
from temporalio.service import RPCError, RPCStatusCode

from engine.errors import UnitFailed
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.wire import failures
from tests.console.operating import WORKER, Stage
from tests.console.test_typed import main_form
from wippy_console.models import AuditRow, Draft, FeedEvent, Run
from wippy_console.services import runs
from wippy_console.services.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)

CHILD = "app.flows:child"
FORM = f"/runs/start/?entry={CHILD}"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def filled(client: Client, **typed: Any) -> QueryDict:
    return main_form(client.get(FORM)).post_all({"f-": '"wait"', "worker": WORKER, **typed})


def send(user: User, form: QueryDict) -> Any:
    try:
        return browser(user).post("/runs/start/", form)
    finally:
        connections.close_all()


def one_run() -> Run:
    """The only run, told of once."""
    run = Run.objects.get()
    assert FeedEvent.objects.filter(kind="STARTED").count() == 1
    assert AuditRow.objects.filter(action="start").count() == 1
    return run


@pytest.mark.parametrize("name", ["", "order/posted twice"])
def test_two_posts_of_one_form_at_once_start_one_run(on_stage: Stage, name: str) -> None:
    user = on_stage.cast.operator
    form = filled(browser(user), workflow_id=name)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: send(user, form), range(2)))
    run = one_run()
    assert {(answer.status_code, answer["Location"].rstrip("/").split("/")[-1]) for answer in answers} == {
        (302, run.run_id)
    }
    assert run.workflow_id == name or run.workflow_id.startswith("child-")


@pytest.mark.parametrize("name", ["", "order/sent again"])
def test_a_start_sent_again_after_an_outage_starts_one_run(
    on_stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, start = browser(on_stage.cast.operator), WorkflowHost.start

    async def lost(*given: Any, **named: Any) -> Any:
        await start(*given, **named)
        raise UnitFailed(failures.from_exception(RPCError("broken pipe", RPCStatusCode.UNAVAILABLE, b"")))

    with monkeypatch.context() as broken:
        broken.setattr(WorkflowHost, "start", lost)
        answer = client.post("/runs/start/", filled(client, workflow_id=name))
    assert answer.status_code == 503
    assert "send it again unchanged" in answer.content.decode()
    restored = client.get(FORM)
    again = client.post("/runs/start/", main_form(restored).post(), follow=True)
    assert f"{one_run().workflow_id} was started." in again.content.decode()
    assert not Draft.objects.exists()


def test_a_form_sent_again_from_the_browser_s_memory_says_that_it_started_its_run(on_stage: Stage) -> None:
    client = browser(on_stage.cast.operator)
    form = filled(client, **{"f-": '"at once"'})
    client.post("/runs/start/", form)
    again = client.post("/runs/start/", form, follow=True)
    assert "was started by this form before" in again.content.decode()
    one_run()


def test_the_same_start_gives_the_same_run_also_when_that_has_ended(on_stage: Stage) -> None:
    user, key = on_stage.cast.operator, uuid.uuid4()
    first = runs.start(user, CHILD, WORKER, ["at once"], f"order/{key}", key=key)
    runs.result(first)
    again = runs.start(user, CHILD, WORKER, ["at once"], f"order/{key}", key=key)
    assert (again.run_id, first.before, again.before) == (first.run_id, False, True)


def test_what_was_changed_or_is_somebody_else_s_is_another_start(on_stage: Stage) -> None:
    key = uuid.uuid4()
    first = runs.start(on_stage.cast.operator, CHILD, WORKER, ["wait"], key=key)
    changed = runs.start(on_stage.cast.operator, CHILD, WORKER, ["wait", 2], key=key)
    theirs = runs.start(on_stage.cast.administrator, CHILD, WORKER, ["wait"], key=key)
    assert len({first.run_id, changed.run_id, theirs.run_id}) == 3
    named = runs.start(on_stage.cast.operator, CHILD, WORKER, ["wait"], f"order/{key}", key=key)
    with pytest.raises(Conflict, match="open already"):
        runs.start(on_stage.cast.operator, CHILD, WORKER, ["wait", 2], f"order/{key}", key=key)
    assert Run.objects.filter(workflow_id=named.workflow_id).count() == 1
