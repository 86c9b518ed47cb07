"""Where a timeline's rows lie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wippy_console.services.timeline import Row, Timeline
from wippy_console.services.timeline.axis import Axis
from wippy_console.services.timeline.layout import SHOWN, lay_out

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def row(number: int, kind: Any, begin: float, end: float | None, **more: Any) -> Row:
    state = "running" if end is None else "completed"
    made: dict[str, Any] = {"label": kind, "state": state, **more}
    return Row(number, kind, start=after(begin), end=None if end is None else after(end), **made)


def test_a_short_run_is_drawn_to_scale() -> None:
    axis = Axis.of(Timeline(4, [row(1, "workflow", 0, 4), row(5, "activity", 1, 2)], BEGAN, after(4)))
    assert [axis.at(after(each)) for each in (0, 1, 2, 4)] == [0, 25, 50, 100]
    assert axis.gaps == []


def test_a_day_of_sleep_leaves_room_for_the_seconds_around_it() -> None:
    day = 86_400
    rows = [row(1, "workflow", 0, day + 2), row(5, "activity", 0, 1), row(9, "timer", 1, day + 1)]
    axis = Axis.of(Timeline(9, [*rows, row(14, "activity", day + 1, day + 2)], BEGAN, after(day + 2)))
    assert [round(axis.at(after(each))) for each in (0, 1, day + 1, day + 2)] == [0, 45, 55, 100]
    assert [(round(low), round(high), seconds) for low, high, seconds in axis.gaps] == [(45, 55, day)]


def test_long_work_is_no_gap() -> None:
    rows = [row(1, "workflow", 0, 3601), row(5, "activity", 0, 1), row(9, "activity", 1, 3601)]
    assert Axis.of(Timeline(9, rows, BEGAN, after(3601))).gaps == []


def test_an_open_run_that_only_waits_still_fills_the_picture() -> None:
    began = datetime.now(UTC) - timedelta(hours=1)
    waits = Row(1, "workflow", "w", "running", began)
    axis = Axis.of(Timeline(2, [waits, Row(-1, "question", "q", "waiting", began + timedelta(seconds=1))], began))
    assert axis.knots[-1][1] == pytest.approx(100)
    assert axis.at(began) == 0


def test_the_end_of_an_open_run_has_no_tick_for_it_is_now() -> None:
    began = datetime.now(UTC) - timedelta(seconds=10)
    rows = [Row(1, "workflow", "w", "running", began), Row(5, "activity", "a", "running", began + timedelta(seconds=6))]
    assert [percent for percent, _ in Axis.of(Timeline(2, rows, began)).ticks()] == [0, 25, 50, 75]


def test_a_run_without_any_row_can_be_drawn() -> None:
    assert Axis.of(Timeline(0, [], BEGAN, BEGAN)).at(BEGAN) in (0, 100)


def test_workflow_tasks_are_hidden_unless_they_failed() -> None:
    failed = row(3, "task", 0, 1, state="failed")
    rows = [row(2, "task", 0, 1), failed, row(5, "activity", 0, 1)]
    assert lay_out(Timeline(9, rows, BEGAN, after(1)), {})["rows"] == rows[1:]


def test_the_middle_of_very_many_rows_is_left_out() -> None:
    rows = [row(number, "activity", 0, 1) for number in range(SHOWN + 50)]
    line = Timeline(9, rows, BEGAN, after(1))
    drawn = lay_out(line, {})
    assert (drawn["hidden"], len(drawn["rows"]), drawn["rows"][-1]) == (50, SHOWN + 1, rows[-1])


def test_filters_keep_what_they_name() -> None:
    failed = row(3, "activity", 0, 1, state="failed")
    rows = [row(1, "activity", 0, 1, label="app:charge"), row(2, "timer", 0, None), failed]
    line = Timeline(9, rows, BEGAN, after(1))
    assert lay_out(line, {"find": "CHARGE"})["rows"] == rows[:1]
    assert lay_out(line, {"only": "pending"})["rows"] == rows[1:2]
    assert lay_out(line, {"only": "failed"})["rows"] == rows[2:]
    assert lay_out(line, {"kind": "timer"})["rows"] == rows[1:2]
