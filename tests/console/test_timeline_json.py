"""What the browser gets to draw a timeline with, of runs on a real Temporal."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from engine.entry import Entry
from tests.console.made_histories import Made
from tests.console.operating import CLIENT, LUA, WORKER, Cast, Stage, settle, soon
from tests.patience import PATIENCE
from wippy_console.management.operations import operator
from wippy_console.models import Decision, Grant, HistoryArchive, Run
from wippy_console.services import decisions, histories, masking, registry, temporal, timeline
from wippy_console.services.registry import Changes
from wippy_console.services.timeline.known import shelf
from wippy_console.views import timeline_json

pytestmark = pytest.mark.django_db(transaction=True)


class Browser:
    """Follows a run: keeps its rows, and the cursor of the last answer."""

    def __init__(self, client: Client, run: Run) -> None:
        self.client, self.url = client, reverse("run_timeline", args=(run.workflow_id, run.run_id))
        self.rows: dict[Any, Any] = {}
        self.said: Any = {}
        self.size = 0

    def look(self) -> Any:
        """The next answer."""
        after = {"after": self.said["cursor"]} if self.said else {}
        answer = self.client.get(self.url, after)
        assert answer.status_code == 200
        self.said, self.size = answer.json(), len(answer.content)
        self.rows = ({} if self.said["whole"] else self.rows) | {row["id"]: row for row in self.said["rows"]}
        return self.said

    def until(self, probe: Callable[[], bool]) -> None:
        """Look on until it is so."""
        end = time.monotonic() + PATIENCE
        while not probe():
            assert time.monotonic() < end
            time.sleep(0.05)
            self.look()


def test_a_run_is_told_row_by_row_and_unchanged_ones_are_not_told_again(on_stage: Stage, client: Client) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question = on_stage.ask(run, deadline=soon())
    client.force_login(on_stage.cast.viewer)
    browser = Browser(client, run)
    first = browser.look()
    assert first["whole"] and first["open"] and first["events"] >= 3
    state = first["state"]
    assert (state["key"], state["word"], state["tone"]) == ("waiting", "Waiting for a person", "wait")
    start, asked = browser.rows[1], browser.rows[-question.pk]
    assert (start["kind"], start["label"], start["summary"], start["word"]) == (
        "workflow", "Approval", "wanted 9", "Running",
    )  # fmt: skip
    assert (asked["lane"], asked["label"], asked["summary"]) == ("human", "Approve, Reject or Comment?", "inbox")
    assert asked["href"] == reverse("question", args=(question.pk,))
    again = browser.look()
    assert (again["whole"], again["rows"], again["gone"]) == (False, [], [])
    assert browser.size < 1000


def test_an_answer_tells_the_question_and_the_signal_and_nothing_else(on_stage: Stage, client: Client) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    question = on_stage.ask(run)
    client.force_login(on_stage.cast.viewer)
    browser = Browser(client, run)
    browser.look()
    made = decisions.decide(on_stage.cast.operator, run, 1, {}, question_id=question.pk)
    assert isinstance(made, Decision)
    browser.until(lambda: made.event_id in browser.rows and browser.rows[-question.pk].get("from") == "operator")
    assert not browser.said["whole"]
    signal = browser.rows[made.event_id]
    assert (signal["lane"], signal["from"], signal["summary"]) == ("human", "operator", "approved false")


def test_a_call_that_keeps_failing_is_told_try_by_try_without_an_event(on_stage: Stage, client: Client) -> None:
    run = on_stage.start("app.flows:retrying", 0.3)
    client.force_login(on_stage.cast.viewer)
    browser = Browser(client, run)
    browser.look()
    seen: set[int] = set()

    def tries() -> bool:
        call: dict[str, Any] = next((row for row in browser.rows.values() if row["kind"] == "activity"), {})
        seen.add(call.get("attempt", 0))
        assert "deadline" not in call or call["deadline"] >= browser.said["now"] - 1, "a next try is never overdue"
        return len(seen - {0}) >= 3 and call.get("failure") == "gateway says 503"

    browser.until(tries)
    assert browser.said["events"] == browser.look()["events"]
    call = next(row for row in browser.rows.values() if row["kind"] == "activity")
    assert (call["label"], call["summary"]) == ("app.api:down", "order 17")
    browser.until(lambda: browser.said["state"]["key"] == "retrying")
    assert browser.said["state"]["text"].endswith(": gateway says 503")
    assert browser.said["state"]["text"].startswith("attempt ")
    decisions.terminate(on_stage.cast.author, run, "seen enough")
    browser.until(lambda: not browser.said["open"] or "exit" in {row["kind"] for row in browser.rows.values()})


def signals(run: Run, count: int) -> None:
    """So many messages of one topic, from elsewhere."""
    client = temporal.client(run.client)
    handle = client.get_workflow_handle(run.workflow_id, run_id=run.run_id)

    async def send() -> None:
        await asyncio.gather(*(handle.signal("tick", {"number": number}) for number in range(count)))

    temporal.run(send(), timeout=PATIENCE)


def test_a_long_run_is_followed_by_what_is_new_whichever_process_answers(on_stage: Stage, client: Client) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 10_000})
    client.force_login(on_stage.cast.viewer)
    signals(run, 400)
    settle(run)
    browser = Browser(client, run)
    browser.until(lambda: len(browser.rows) == 402)
    whole = browser.size
    loop = next(row for row in browser.rows.values() if row["kind"] == "loop")
    assert (loop["count"], loop["label"]) == (400, "tick")
    signals(run, 3)
    settle(run)
    shelf.clear()  # another web process, that knows nothing
    histories.cache.clear()
    browser.until(lambda: browser.rows[loop["id"]]["count"] == 403)
    assert not browser.said["whole"] and browser.size < whole / 20
    fresh = Browser(client, run)
    fresh.look()
    assert fresh.rows == browser.rows


def test_the_rows_of_a_run_are_for_those_who_may_see_it(on_stage: Stage, client: Client) -> None:
    run = on_stage.start("app.flows:approval", {"wanted": 9})
    url = reverse("run_timeline", args=(run.workflow_id, run.run_id))
    assert client.get(url).status_code == 302
    client.force_login(on_stage.cast.stranger)
    assert client.get(url).status_code == 403
    Grant.objects.create(group=Group.objects.get(name="viewer"), pattern="elsewhere")
    client.force_login(on_stage.cast.viewer)
    assert client.get(url).status_code == 404, "a child in a namespace that its reader may not see is not there"


def test_masked_values_are_in_no_row_but_for_whoever_asked_to_see_them(cast: Cast) -> None:
    meta = {"mask": ["card"], "summary": "{order} by {card}"}
    entries = [Entry(name, "workflow.lua", meta, {"source": LUA}) for name in ("app.secret:flow", "app.secret:charge")]
    registry.publish(operator(), Changes(create=tuple(entries)), base=None, message="masks")
    made = Made("app.secret:flow", {"order": 17, "card": "4111-1111"})
    made.failed(made.call("app.secret:charge", {"order": 17, "card": "4111-1111"}), "card 4111-1111 is refused")
    made.signal("note", {"text": "call about 4111-1111"})
    made.end({"charged": "4111-1111"})
    run = Run.objects.create(
        run_id=str(uuid.uuid4()), workflow_id="secret", entry_id="app.secret:flow", namespace="app.secret",
        client=CLIENT, worker=WORKER, status="completed", started_at=made.at, closed_at=made.at,
        input=[{"order": 17, "card": "4111-1111"}],
    )  # fmt: skip
    HistoryArchive.objects.create(run=run, content=histories.packed(made.events), events=len(made.events))
    masked = str(timeline_json.whole(timeline.rows(run, cast.viewer), {}))
    assert "4111-1111" not in masked and f"17 by {masking.MASK}" in masked
    assert "4111-1111" not in str(timeline.opened(run, cast.viewer, timeline.rows(run, cast.viewer).rows))
    masking.show(cast.administrator, run, "an inquiry")
    assert "17 by 4111-1111" in str(timeline_json.whole(timeline.rows(run, cast.administrator), {}))
    assert str(timeline_json.whole(timeline.rows(run, cast.viewer), {})) == masked
