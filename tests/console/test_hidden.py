"""What is hidden of a run outside its history: by value, by name, within texts, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from wippy_console.services.diagnosis import told_values
from wippy_console.services.masking import MASK
from wippy_console.services.secrets.hidden import Hidden

HIDDEN = Hidden({"4111-1111", 77, "ab"}, {"number"})


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("4111-1111", MASK),
        ("card 4111-1111!", MASK),
        ("ab", MASK),
        ("about", "about"),
        (77, MASK),
        (78, 78),
        (True, True),
        (None, None),
        ({"number": 5, "month": 5}, {"number": MASK, "month": 5}),
        ({"apiKey": "x", "list": ["4111-1111", 1]}, {"apiKey": MASK, "list": [MASK, 1]}),
    ],
)
def test_data_has_dots_where_something_is_hidden(given: Any, shown: Any) -> None:
    assert HIDDEN.masked(given) == shown


def test_without_names_only_values_are_hidden() -> None:
    assert HIDDEN.masked({"number": 5, "text": "4111-1111"}, names=False) == {"number": 5, "text": MASK}


TABLE = {"t": "table", "items": [["number", "1"], ["b", 2.5], ["a-b", None], [1, "x"]], "more": 1000}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (TABLE, f'{{ [1] = "x", ["a-b"] = nil, b = 2.5, number = {MASK}, … 1000 or more }}'),
        ({"t": "table", "items": [[1, "a"], [2, "b"]]}, '{ "a", "b" }'),
        ({"t": "table", "cycle": True}, "{ itself }"),
        ({"t": "table", "deeper": True, "class": "Order"}, "Order {…}"),
        ({"t": "table", "items": []}, "{}"),
        ({"t": "string", "size": 900, "text": "4111-1111 and more"}, MASK),
        ({"t": "string", "size": 900, "text": "long"}, '"long"… (900 bytes)'),
        ({"t": "number", "text": "nan"}, "nan"),
        ({"t": "function", "entry": "app:x", "line": 3}, "function app:x:3"),
        ({"t": "coroutine", "status": "suspended"}, "coroutine (suspended)"),
        ({"t": "object", "class": "channel"}, "channel"),
        ({"t": "object", "class": "error", "text": "no 4111-1111"}, f"error: {MASK}"),
        ({"t": "object", "class": "payload", "value": 77}, f"payload {MASK}"),
        ({"t": "object", "class": "time.Time", "sec": 0, "nsec": 5_000_000}, "1970-01-01 00:00:00.005 UTC"),
        ({"t": "object", "class": "time.Time", "sec": 2**62, "nsec": 0}, f"{2**62} s since 1970"),
        (2**62, str(2**62)),
    ],
)
def test_a_value_of_a_variable_is_told_like_lua(told: Any, shown: str) -> None:
    assert told_values.text(told, HIDDEN) == shown
