"""Two runs beside each other: aligned by their steps, the first difference marked, of runs and of files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.console.operating import WORKER, Cast, Stage
from tests.console.test_imported import upload
from tests.console.test_resets import close, failed, new_id
from wippy_console.models import Run
from wippy_console.services import comparing, decisions, resetting, runs
from wippy_console.services.timeline import Row

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
EVERYTHING = Path(__file__).parent / "histories" / "everything.json"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def steps(labels: str, **more: Any) -> list[Row]:
    """Calls named by letters; digits are timers of so many seconds."""
    return [
        Row(
            at,
            "timer" if label.isdigit() else "activity",
            f"Sleep {label}s" if label.isdigit() else label,
            "completed",
            NOON,
            end=NOON + timedelta(seconds=1),
            **more,
        )
        for at, label in enumerate(labels, 1)
    ]


def drawn(a: str, b: str) -> list[str]:
    pairs = comparing.align(steps(a), steps(b), {}, {})
    return [f"{pair.a.label if pair.a else '-'}{pair.b.label if pair.b else '-'}" for pair in pairs]


def test_equal_steps_stand_beside_each_other_and_others_alone() -> None:
    assert drawn("abc", "abc") == ["aa", "bb", "cc"]
    assert drawn("abc", "ac") == ["aa", "b-", "cc"]
    assert drawn("ac", "abbc") == ["aa", "-b", "-b", "cc"]
    assert drawn("axc", "ayc") == ["aa", "x-", "-y", "cc"]
    assert drawn("a3c", "a5c") == ["aa", "Sleep 3sSleep 5s", "cc"]
    assert drawn("", "a") == ["-a"]


@given(st.text("abc3", max_size=30), st.text("abc5", max_size=30))
def test_every_step_of_both_is_in_the_comparison_once_and_in_order(a: str, b: str) -> None:
    pairs = comparing.align(steps(a), steps(b), {}, {})
    assert [pair.a.id for pair in pairs if pair.a] == list(range(1, len(a) + 1))
    assert [pair.b.id for pair in pairs if pair.b] == list(range(1, len(b) + 1))
    assert [pair.index for pair in pairs] == list(range(len(pairs)))


def test_what_differs_is_named_and_time_alone_parts_nobody() -> None:
    a, b = steps("ab3"), steps("ab3")
    same = comparing.align(a, b, {}, {})
    assert comparing.first_difference(same) is None and not any(pair.differs for pair in same)
    slow = [replace(b[0], end=NOON + timedelta(seconds=9)), *b[1:]]
    pairs = comparing.align(a, slow, {}, {})
    assert pairs[0].differs == ("time",) and comparing.first_difference(pairs) is None
    other = [b[0], replace(b[1], state="failed"), replace(b[2], label="Sleep 4s")]
    pairs = comparing.align(a, other, {1: (b"x", b"r")}, {1: (b"y", b"s")})
    assert [pair.differs for pair in pairs] == [("input", "result"), ("outcome",), ("duration",)]
    first = comparing.first_difference(pairs)
    assert first is not None and first.index == 0


def test_very_different_and_very_long_runs_are_compared_all_the_same() -> None:
    a, b = steps("a" * 3000 + "x" * 1500), steps("a" * 3000 + "y" * 1500)
    pairs = comparing.align(a, b, {}, {})
    assert len(pairs) == 6000
    first = comparing.first_difference(pairs)
    assert first is not None and first.index == 3000


@pytest.mark.django_db(transaction=True)
def test_a_run_beside_the_one_that_it_was_reset_from(on_stage: Stage) -> None:
    user = on_stage.cast.operator
    run = failed(on_stage)
    new = close(Run.objects.get(pk=new_id(resetting.reset(user, run, runs_last(run), "again"))))
    client = browser(on_stage.cast.viewer)
    text = client.get(f"/runs/compare/?a={run.run_id}&b={new.run_id}").content.decode()
    assert "They part here" in text and "app.api:mended" in text.split("They part at step")[1][:400]
    assert "outcome" in text and "broken as yet" in text
    choose = client.get(f"/runs/compare/?a={run.run_id}").content.decode()
    assert "The run after it" in choose and new.run_id in choose
    backwards = client.get(f"/runs/compare/?a={new.run_id}").content.decode()
    assert "The run before it" in backwards
    same = client.get(f"/runs/compare/?a={run.run_id}&b={run.run_id}").content.decode()
    assert "Both took the same" in same
    only = client.get(f"/runs/compare/?a={run.run_id}&b={new.run_id}&only=different").content.decode()
    assert "app.api:large" not in only.split("<tbody>")[1]


def runs_last(run: Run) -> int:
    """The step that failed."""
    from wippy_console.services import timeline

    return next(row.id for row in timeline.rows(run).rows if row.label == "app.api:mended")


@pytest.mark.django_db(transaction=True)
def test_inputs_that_differ_far_behind_are_told_and_found_by_any_id(on_stage: Stage) -> None:
    user = on_stage.cast.operator
    long = "x" * 6000
    ids = [f"{on_stage.queue} {n}" for n in (1, 2)]
    for n, workflow_id in enumerate(ids):
        started = runs.start(user, "app.flows:child", WORKER, ["wait", f"{long}{n}"], workflow_id)
        decisions.terminate(on_stage.cast.root, Run.objects.get(pk=started.run_id), "done")
    answer = browser(user).get("/runs/compare/", {"a": ids[0], "b": ids[1]})
    text = answer.content.decode()
    assert answer.status_code == 200 and "They part at step 1" in text and "input" in text


@pytest.mark.django_db
def test_histories_from_files_are_compared_as_runs_are(cast: Cast) -> None:
    user = cast.viewer
    history = json.loads(EVERYTHING.read_text())
    first = upload(user, json.dumps(history).encode(), "one.json")["Location"]
    for event in history["events"]:
        if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED":
            event["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "app:other"
            break
    second = upload(user, json.dumps(history).encode(), "two.json")["Location"]
    a, b = (f"file:{each.rstrip('/').split('/')[-1]}" for each in (first, second))
    text = browser(user).get("/runs/compare/", {"a": a, "b": b}).content.decode()
    assert "They part at step" in text and "only in A" in text and "app:other" in text
    assert "one.json" in browser(user).get("/runs/compare/").content.decode()
    assert browser(cast.root).get("/runs/compare/", {"a": a, "b": b}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["a=none", "a=file:x", "a=file:99999999999999999999", "a=file:1"])
def test_what_is_not_there_is_not_found(cast: Cast, query: str) -> None:
    assert browser(cast.viewer).get(f"/runs/compare/?{query}").status_code == 404
    assert browser(cast.stranger).get(f"/runs/compare/?{query}").status_code == 403
