"""Rows that are drawn as one, rows of the engine itself, and what rows say they did."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.made_histories import Made
from wippy_console.services import summaries, timeline
from wippy_console.services.timeline.layout import folded


def loops(made: Made) -> list[timeline.Loop]:
    return timeline.of_events(made.events).loops


def test_four_calls_of_one_kind_in_a_row_are_one_loop_and_three_are_none() -> None:
    made = Made()
    for number in range(3):
        made.whole_call("app:charge", {"order": number})
    assert loops(made) == []
    made.whole_call("app:charge", {"order": 3})
    (loop,) = loops(made)
    assert (loop.count, loop.failed, loop.running, loop.state) == (4, 0, 0, "completed")
    assert (loop.label, loop.summary) == ("app:charge", "order 0 … order 3")
    assert [row.loop for row in timeline.of_events(made.events).rows if row.kind == "activity"] == [loop.first] * 4


def test_a_loop_tells_its_spread_its_failures_and_what_still_runs() -> None:
    made = Made()
    calls = [made.call("app:charge") for _ in range(6)]
    for call in calls:
        made.begun(call)
    made.done(calls[0])
    made.failed(calls[1], "no")
    made.done(calls[2])
    (loop,) = loops(made)
    assert (loop.count, loop.failed, loop.running, loop.state, loop.end) == (6, 1, 3, "running", None)
    assert (loop.shortest, loop.median, loop.longest) == (12.0, 12.0, 12.0)
    for call in calls[3:]:
        made.done(call)
    (loop,) = loops(made)
    assert (loop.running, loop.state) == (0, "failed")
    assert loop.end is not None


def test_another_call_and_a_person_s_answer_end_a_loop_and_the_engine_s_steps_do_not() -> None:
    made = Made()
    for number in range(8):
        made.whole_call("app:charge")
        made.whole_call("wippy.resolve")
        made.marker("core_patch_or_so")
        if number == 3:
            made.signal("decision", True, decision="0b7a3c4e-1111-4222-8333-444455556666")
    assert [loop.count for loop in loops(made)] == [4, 4]
    rows = timeline.of_events(made.events).rows
    assert {row.label for row in rows if row.own} == {"wippy.resolve", "core_patch_or_so"}
    made.whole_call("app:mail")
    made.whole_call("app:charge")
    assert [loop.count for loop in loops(made)] == [4, 4]


def test_a_timer_between_two_tries_of_the_same_belongs_to_their_loop() -> None:
    made = Made()
    for number in range(5):
        made.whole_call("app:poll", number)
        made.fired(made.timer(2))
    (loop,) = loops(made)
    assert (loop.count, len(loop.members), loop.label) == (5, 9, "app:poll"), "the last timer may be for something else"
    assert loop.longest == 2.0, "what the timers took is not what the calls took"
    made.whole_call("app:mail")
    assert [loop.count for loop in loops(made)] == [5]


def test_timers_in_a_row_are_a_loop_of_their_own() -> None:
    made = Made()
    made.whole_call("app:poll")
    for _ in range(4):
        made.timer(3)
    made.whole_call("app:poll")
    (loop,) = loops(made)
    assert (loop.count, loop.label) == (4, "Sleep 3s")


def test_own_steps_are_left_out_of_a_page_until_they_are_asked_for() -> None:
    made = Made()
    made.whole_call("wippy.resolve")
    made.whole_call("app:charge")
    drawn = timeline.of_events(made.events)
    assert [row.label for row in timeline.kept(drawn, {})] == ["app.flows:everything", "app:charge"]
    assert len(timeline.kept(drawn, {"own": "1"})) == 3


def test_a_page_draws_a_loop_as_one_and_its_rows_once_something_is_sought() -> None:
    made = Made()
    for number in range(10):
        made.whole_call("app:charge", f"order-{number}")
    drawn = timeline.of_events(made.events)
    assert len(folded(drawn, {})) == 2
    assert [row.summary for row in folded(drawn, {"find": "order-7"}) if row] == ["order-7"]
    assert [row.start for row in folded(drawn, {"kind": "activity", "order": "desc"}) if row] == sorted(
        (row.start for row in drawn.rows if row.kind == "activity"), reverse=True
    )


def test_five_hundred_rows_do_not_all_read_alike() -> None:
    made = Made()
    for number in range(500):
        made.whole_call("app:charge", {"retry": False, "order": {"id": f"A-{number}"}})
    rows = [row for row in timeline.of_events(made.events).rows if row.kind == "activity"]
    assert len({row.summary for row in rows}) == 500 or rows[7].summary == "retry false"
    told = timeline.of_events(Made("app:flow", {"order": 17}).events).rows[0]
    assert told.summary == "order 17"


@pytest.mark.parametrize(
    ("template", "arguments", "line"),
    [
        ("{order_id} for {customer}", [{"order_id": 17, "customer": "Ada"}], "17 for Ada"),
        ("{order_id} for {customer}", [{"order_id": 17}], "17 for –"),
        ("{order_id} for {customer}", [{"order_id": 17, "customer": None}], "17 for –"),
        ("{order_id} for {customer}", [{"else": 1}], ""),
        ("{order_id} for {customer}", [], ""),
        ("{order_id} for {customer}", None, ""),
        ("{lines.0.sku}", [{"lines": [{"sku": "X1"}]}], "X1"),
        ("{1} of {0.name}", [{"name": "a"}, "b"], "b of a"),
        ("Nightly clean-up", [], "Nightly clean-up"),
        ("{text}", [{"text": "two\n lines"}], "two lines"),
    ],
)
def test_a_summary_is_filled_from_the_arguments_and_never_shows_a_hole(
    template: str, arguments: list[Any] | None, line: str
) -> None:
    assert summaries.filled(template, arguments) == line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["A-1"], "A-1"),
        ([17], "17"),
        ([{"order": 17, "x": "y"}], "order 17"),
        ([{"deep": {"er": [1]}, "name": "Ada"}], "Ada"),
        ([None, "", "b"], "b"),
        ([{"cut": True, "bytes": 9000, "preview": "{abc"}], "{abc"),
        ([[], {}], ""),
        (None, ""),
        (["x" * 5000], "x" * 199 + "…"),
    ],
)
def test_without_a_summary_the_first_scalar_tells(arguments: list[Any] | None, line: str) -> None:
    assert summaries.telling(arguments) == line


def test_a_history_of_any_kind_is_drawn_without_a_run() -> None:
    made = Made("anything")
    made.whole_call("foreign.Activity", 1)
    made.end({"total": 3})
    drawn = timeline.of_events(made.events)
    assert [(row.kind, row.state) for row in drawn.rows] == [
        ("workflow", "completed"), ("activity", "completed"), ("exit", "completed"),
    ]  # fmt: skip
    assert drawn.rows[-1].summary == "total 3"
    with pytest.raises(ValueError, match="at least one"):
        timeline.of_events([])
