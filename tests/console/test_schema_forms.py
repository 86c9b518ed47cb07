"""Forms drawn from JSON Schemas."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from wippy_console.forms.fields import MISSING
from wippy_console.forms.schema import SchemaForm
from wippy_console.services.errors import Refused


def sent(text: str) -> QueryDict:
    return QueryDict(text)


def form(properties: dict[str, Any], text: str, **more: Any) -> SchemaForm:
    return SchemaForm({"type": "object", "properties": properties, **more}, sent(text))


@pytest.mark.parametrize(
    ("part", "text", "value"),
    [
        ({"type": "string"}, "f-a=x", "x"),
        ({"type": "integer"}, "f-a=3", 3),
        ({"type": "number"}, "f-a=12.5", 12.5),
        ({"type": "number"}, "f-a=2.0", 2),
        ({"type": "boolean"}, "f-a=on", True),
        ({"type": "boolean"}, "f-b=", False),
        ({"enum": [1, "1", None]}, "f-a=1", 1),
        ({"enum": [1, "1", None]}, "f-a=%221%22", "1"),
        ({"type": "string", "format": "date"}, "f-a=2026-01-31", "2026-01-31"),
        ({"type": "string", "format": "date-time"}, "f-a=2026-01-31T10:00:05", "2026-01-31T10:00:05Z"),
        ({"type": "array", "items": {"type": "integer"}}, "f-a=1%0D%0A2", [1, 2]),
        ({"type": "array", "items": {"enum": ["x", "y"]}}, "f-a=%22x%22&f-a=%22y%22", ["x", "y"]),
        ({"type": "array", "items": {"type": "object"}}, "f-a=%5B%7B%7D%5D", [{}]),
        ({"type": "object"}, "f-a=%7B%22k%22:1%7D", {"k": 1}),
        ({"type": ["string", "null"]}, "f-a=x", "x"),
        ({"const": 7}, "f-b=", 7),
        ({"type": "object", "properties": {"b": {"type": "string"}}}, "f-a.b=x", {"b": "x"}),
    ],
)  # fmt: skip
def test_every_kind_of_field_gives_its_json_value(part: dict[str, Any], text: str, value: Any) -> None:
    drawn = form({"a": part}, text)
    assert drawn.is_valid(), drawn.errors
    assert drawn.value() == {"a": value}


@pytest.mark.parametrize("kind", ["string", "integer", "number", "array", "object"])
def test_an_empty_optional_field_is_left_out(kind: str) -> None:
    drawn = form({"a": {"type": kind}}, "f-a=")
    assert drawn.is_valid(), drawn.errors
    assert drawn.value() == {}


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"type": "integer"}, "f-a=x"),
        ({"type": "integer", "minimum": 5}, "f-a=4"),
        ({"type": "string", "maxLength": 2}, "f-a=abc"),
        ({"enum": ["x"]}, "f-a=%22y%22"),
        ({"type": "string", "format": "date"}, "f-a=never"),
        ({"type": "object"}, "f-a=%7B"),
        ({"type": "array", "items": {"type": "integer"}}, "f-a=1%0Ax"),
        ({"type": "string"}, "f-a="),
    ],
)  # fmt: skip
def test_bad_input_is_marked_at_its_field(part: dict[str, Any], text: str) -> None:
    drawn = form({"a": part}, text, required=["a"])
    assert not drawn.is_valid()
    assert list(drawn.errors) == ["a"]


def test_a_schema_that_is_no_object_is_one_field() -> None:
    drawn = SchemaForm({"type": "integer"}, sent("f-value=4"))
    assert drawn.is_valid()
    assert drawn.value() == 4


def test_no_schema_means_no_field_and_no_value() -> None:
    drawn = SchemaForm(None, sent(""))
    assert drawn.is_valid()
    assert (list(drawn.fields), drawn.value()) == ([], MISSING)


def test_a_refusal_is_shown_at_the_nearest_field() -> None:
    drawn = form({"tags": {"type": "array", "items": {"type": "string"}}}, "f-tags=a")
    assert drawn.is_valid()
    drawn.take_refusal(Refused("no", {"tags.0": ["is bad"], "unknown": ["is odd"]}))
    assert drawn.errors["tags"] == ["is bad"]
    assert drawn.non_field_errors() == ["is odd"]
