"""What crosses between Lua and Python, and what is refused by its path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.hosts.python.support import python, python_lab

ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plain", {"a": [1, 2.5, "x", None, True], "t": [1, 2]}),
        ("times", {"at": "2026-01-02T00:00:00+00:00", "on": "2026-01-02", "color": "DARK", "red": "red"}),
        ("decimal", "10.50"),
        ("bytes", b"\xff\x00"),
    ],
)
async def test_results_come_as_plain_data(name: str, value: Any) -> None:
    async with python_lab(python("result")) as it:
        assert await it.call("app:result", name) == value


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("nan", "Invalid", "result.items[0].price: Decimal('NaN') can't cross: only finite numbers do"),
        ("inf", "Invalid", "result[0]: inf can't cross: only finite numbers do"),
        ("big", "Invalid", "result.n: a whole number beyond 64 bits can't cross: write it as text"),
        ("set", "Invalid", "result.tags: a set can't cross: write it as a list"),
        ("key", "Invalid", "result.a: a key that is a int can't cross: keys are text"),
        ("object", "Invalid", "result[0]: a object can't cross"),
        ("cyclic", "Invalid", "result is nested deeper than 200, or cyclic"),
        ("huge", "LimitExceeded", "result holds more than 8 MiB"),
    ],
)
async def test_what_can_not_cross_is_named_by_its_path(name: str, kind: str, text: str) -> None:
    async with python_lab(python("result")) as it:
        failure = await it.failure("app:result", name)
        assert (failure.kind, failure.message) == (kind, text)


async def test_annotated_parameters_are_built_from_plain_data() -> None:
    order = {"id": ID, "items": [{"name": "pen", "price": "1.10"}, {"name": "ink", "price": 2, "tags": ["a"]}]}
    async with python_lab(python("typed"), python("rest")) as it:
        told = await it.call("app:typed", {**order, "on": "2026-03-01", "color": "DARK"}, 2)
        assert told["items"] == [
            {"name": "pen", "price": "2.20", "tags": []},
            {"name": "ink", "price": "4", "tags": ["a"]},
        ]
        assert (told["on"], told["color"], told["id"]) == ("2026-03-01", "DARK", ID)
        assert await it.call("app:rest", "0.1", 0.2, 1) == "1.3"


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ("x", "order: must be a mapping, not text"),
        ([], "order.id: is missing"),
        ({"id": ID, "items": [], "size": 1}, "order.size: Order has no such field"),
        ({"id": "x", "items": []}, "order.id: must be a UUID, not text"),
        (
            {"id": ID, "items": [{"name": "pen", "price": "x"}]},
            "order.items[0].price: must be a decimal number, not text",
        ),
        ({"id": ID, "items": {"a": 1}}, "order.items: must be a list, not a mapping"),
        ({"id": ID, "items": [], "color": "blue"}, "order.color: must be one of RED, DARK, not text"),
        ({"id": ID, "items": [], "on": 5}, "order.on: must be a date such as 2026-11-28, not a number"),
    ],
)
async def test_wrong_shapes_are_named_by_field(order: Any, text: str) -> None:
    async with python_lab(python("typed")) as it:
        failure = await it.failure("app:typed", order)
        assert (failure.kind, failure.message) == ("Invalid", text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"name": 7}, "line.name: must be text, not a number"),
        ({"pieces": "two"}, "line.pieces: must be a whole number, not text"),
        ({"pieces": 2.5}, "line.pieces: must be a whole number, not one with a fraction"),
        ({"pieces": True}, "line.pieces: must be a whole number, not a boolean"),
        ({"weight": "1"}, "line.weight: must be a number, not text"),
        ({"sent": 1}, "line.sent: must be a boolean, not a number"),
    ],
)
async def test_numbers_texts_and_booleans_are_what_annotations_say(line: Any, text: str) -> None:
    async with python_lab(python("plain_line")) as it:
        failure = await it.failure("app:plain_line", line)
        assert (failure.kind, failure.message) == ("Invalid", text)


async def test_a_whole_number_may_come_as_a_float_and_any_number_as_one() -> None:
    async with python_lab(python("plain_line")) as it:
        told = await it.call("app:plain_line", {"name": "pen", "pieces": 2.0, "weight": 3, "sent": True})
        assert told == {"name": "pen", "pieces": 2, "weight": 3, "sent": True}
        assert isinstance(told["pieces"], int)
