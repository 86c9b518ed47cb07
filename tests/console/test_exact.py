"""JSON texts are read exactly, and at a cost that grows with their length alone."""

from __future__ import annotations

import tracemalloc

import pytest

from wippy_console.services import exact
from wippy_console.services.exact import NotExactError


def test_a_fault_says_where_it_stands() -> None:
    value = {"a": [1, {"b": float("inf")}], "c\0": {"d": "\ud800"}}
    assert [path for path, _ in exact.faults(value)] == [(), ("a", 1, "b"), ("c\0", "d")]


@pytest.mark.parametrize("text", ["[" * 201 + "]" * 201, "[" * 900 + "]" * 900, '{"a":' * 201 + "0" + "}" * 201])
def test_what_is_too_deep_for_lua_is_refused_in_words(text: str) -> None:
    exact.json_value("[" * 200 + "]" * 200)
    with pytest.raises(NotExactError, match=r"^Nested deeper than 200 levels\.$"):
        exact.json_value(text)


def test_many_deep_parts_take_memory_for_each_not_for_all_around_it() -> None:
    text = "[" * exact.MAX_DEPTH + "0," * 20_000 + "0" + "]" * exact.MAX_DEPTH
    tracemalloc.start()
    try:
        exact.json_value(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000  # with their paths it was 130 MB


class Text(str):
    """Counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Text.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_a_name_that_stands_twice_is_found_without_comparing_all_with_all() -> None:
    pairs = [(Text(f"name {number}"), 1) for number in range(2000)]
    with pytest.raises(NotExactError, match='"twice" stands twice'):
        exact._object([*pairs, (Text("twice"), 1), (Text("twice"), 2)])
    assert Text.compared < 20_000
