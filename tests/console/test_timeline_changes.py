"""A reader that takes what changed, look by look, has what a reader has who comes last."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.console.made_histories import BEGAN, Made, random_history
from wippy_console.services.timeline import Row, Timeline, changes
from wippy_console.services.timeline.assembly import timeline
from wippy_console.services.timeline.known import RUN_COSTS, Known, Shelf
from wippy_console.views import timeline_json


class Reader:
    """As a browser keeps rows."""

    def __init__(self) -> None:
        self.rows: dict[Any, Any] = {}
        self.cursor = ""
        self.last: Any = None

    def look(self, drawn: Timeline, *, sees: bool = False) -> None:
        """Take one answer."""
        self.last = timeline_json.changes(changes.since(drawn, self.cursor, sees=sees), {})
        if self.last["whole"]:
            self.rows = {}
        self.rows |= {row["id"]: row for row in self.last["rows"]}
        self.cursor = self.last["cursor"]


def whole(drawn: Timeline) -> dict[Any, Any]:
    return {row["id"]: row for row in timeline_json.whole(drawn, {})}


def drawn(known: Known, *volatile: Row) -> Timeline:
    return timeline(known, {row.id: row for row in volatile}, BEGAN, None)


def question(number: int, state: Any = "waiting") -> Row:
    return Row(-number, "question", "Approve?", state, BEGAN + timedelta(milliseconds=number), order=number + 0.5)


@pytest.mark.parametrize("seed", range(12))
def test_any_split_of_a_history_ends_in_the_same_rows(seed: int) -> None:
    made, chance = random_history(seed), random.Random(seed)
    known, reader = Known(), Reader()
    at = 0
    while at < len(made.events):
        step = chance.randrange(1, 12)
        known.read(made.events[at : at + step])
        at += step
        reader.look(drawn(known))
    afresh = Known()
    afresh.read(made.events)
    assert reader.rows == whole(drawn(afresh)) == whole(drawn(known))


@pytest.mark.parametrize("seed", range(8))
def test_what_changes_without_an_event_is_told_as_well(seed: int) -> None:
    made, chance = random_history(seed, 60), random.Random(seed)
    known, reader, asked = Known(), Reader(), [question(number) for number in range(1, 4)]
    for at in range(0, len(made.events), 7):
        known.read(made.events[at : at + 7])
        calls = [row for row in known.rows().values() if row.kind == "activity" and row.is_open]
        failing = [replace(row, attempt=chance.randrange(1, 4), state="retrying") for row in calls[:2]]
        if chance.random() < 0.3:
            asked = [replace(row, state="received", end=BEGAN) for row in asked] + [question(10 + at)]
        now = drawn(known, *failing, *asked)
        reader.look(now)
        assert reader.rows == whole(now)


def test_a_reader_may_go_on_at_any_other_web_process() -> None:
    made = random_history(3)
    here, there, reader = Known(), Known(), Reader()
    here.read(made.events[:40])
    reader.look(drawn(here))
    there.read(made.events)  # in one piece
    reader.look(drawn(there))
    assert not reader.last["whole"]
    assert reader.rows == whole(drawn(there))


def test_a_run_in_which_nothing_happened_tells_no_row_and_one_call_tells_one() -> None:
    made = Made()
    for number in range(2000):
        made.whole_call("app:charge", number)
    known, reader = Known(), Reader()
    known.read(made.events)
    reader.look(drawn(known))
    assert len(reader.last["rows"]) == 2002
    reader.look(drawn(known))
    assert (reader.last["whole"], reader.last["rows"]) == (False, [])
    assert len(reader.cursor) < 160
    call = made.call("app:charge", 2000)
    known.read(made.events)
    reader.look(drawn(known))
    assert [row["id"] for row in reader.last["rows"]] == [call, "L2"], "the row and the loop that it is in"


@pytest.mark.parametrize("cursor", ["nonsense", "1.5.", "1.x.0.AAAA", "0.1.0.AAAA", "1....", "1é.1.1.AA"])
def test_a_cursor_that_is_none_is_answered_with_everything(cursor: str) -> None:
    known, reader = Known(), Reader()
    known.read(random_history(1).events)
    reader.cursor = cursor
    reader.look(drawn(known))
    assert reader.last["whole"]


def test_other_eyes_a_shorter_history_and_a_question_that_is_gone_are_answered_with_everything() -> None:
    known, reader = Known(), Reader()
    known.read(random_history(1).events)
    reader.look(drawn(known, question(1)))
    reader.look(drawn(known, question(1)), sees=True)
    assert reader.last["whole"]
    reader.look(drawn(known), sees=True)
    assert reader.last["whole"]
    shorter = Known()
    shorter.read(random_history(1).events[:9])
    reader.look(drawn(shorter), sees=True)
    assert reader.last["whole"]


def test_what_is_kept_of_runs_is_bounded_and_the_oldest_goes_first() -> None:
    shelf = Shelf()
    for number in range(1000):
        known = Known()
        known.fold.last_event_id = 1000 - RUN_COSTS
        shelf.put(number, "", known)
    assert shelf.get(0, "") is None
    assert shelf.get(999, "") is not None
    assert sum(shelf.get(number, "") is not None for number in range(1000)) == 200
    assert shelf.get(999, "other masks") is None
