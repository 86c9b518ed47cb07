"""Forms drawn from JSON Schemas: each kind of field, and what a form that nobody touched sends."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from tests.console.browsing import drawn
from wippy_console.forms.schema import MISSING, SchemaForm
from wippy_console.forms.schema.drafts import Leaf
from wippy_console.services.errors import Refused


def sent(text: str) -> QueryDict:
    return QueryDict(text)


def form(properties: dict[str, Any], text: str, **more: Any) -> SchemaForm:
    return SchemaForm({"type": "object", "properties": properties, **more}, sent(text))


@pytest.mark.parametrize(
    ("part", "text", "value"),
    [
        ({"type": "string"}, "f-a=x", "x"),
        ({"type": "string"}, "f-a=+x%0D%0A+", " x\n "),
        ({"type": "integer"}, "f-a=3", 3),
        ({"type": "integer"}, "f-a=1e3", 1000),
        ({"type": "integer"}, "f-a=2.0", 2),
        ({"type": "number"}, "f-a=12.5", 12.5),
        ({"type": "number"}, "f-a=3544790567247868102", 3544790567247868102),
        ({"type": "integer"}, "f-a=-9223372036854775808", -(2**63)),
        ({"type": "integer"}, f"f-a={2**70}", 2**70),
        ({"type": "number"}, "f-a=0.1", 0.1),
        ({"type": "number", "multipleOf": 0.01}, "f-a=19.99", 19.99),
        ({"type": "boolean"}, "f-a=on", True),
        ({"enum": [1, "1", None]}, "f-a=1", 1),
        ({"enum": [1, "1", None]}, "f-a=%221%22", "1"),
        ({"oneOf": [{"const": "low", "title": "Low"}, {"const": 2}]}, "f-a=2", 2),
        ({"type": "string", "format": "date"}, "f-a=2026-01-31", "2026-01-31"),
        ({"type": "string", "format": "date-time"}, "f-a=2026-01-31T10:00:05", "2026-01-31T10:00:05Z"),
        ({"type": "string", "format": "date-time"}, "f-a=2026-03-29T08:30:00%2B02:00", "2026-03-29T08:30:00+02:00"),
        ({"type": "string", "format": "date-time"}, "f-a=2026-01-31T10:00:05.123456Z", "2026-01-31T10:00:05.123456Z"),
        ({"type": "string", "format": "time"}, "f-a=08:30:00Z", "08:30:00Z"),
        ({"type": "string", "format": "time"}, "f-a=08:30:00.5-02:00", "08:30:00.5-02:00"),
        ({"type": "array", "items": {"type": "integer"}}, "f-a=1%0D%0A2", [1, 2]),
        ({"type": "array", "items": {"type": "string"}}, "f-a=+a%0D%0Ab+", [" a", "b "]),
        ({"type": "array", "items": {"enum": ["x", "y"]}}, "f-a=%22x%22&f-a=%22y%22", ["x", "y"]),
        ({"type": "array", "items": {"type": "object"}}, "f-a=%5B%7B%7D%5D", [{}]),
        ({"type": "object"}, "f-a=%7B%22k%22:1%7D", {"k": 1}),
        ({"type": ["string", "null"]}, "f-a=x", "x"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "f-a=x", "x"),
        ({"const": 7}, "f-b=", 7),
        ({"type": "object", "properties": {"b": {"type": "string"}}}, "f-a.b=x", {"b": "x"}),
    ],
)  # fmt: skip
def test_every_kind_of_field_gives_its_json_value(part: dict[str, Any], text: str, value: Any) -> None:
    made = form({"a": part}, text)
    assert made.is_valid(), made.errors
    assert made.value() == {"a": value}
    assert type(made.value()["a"]) is type(value)


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean", "array", "object"])
def test_an_empty_optional_field_is_left_out(kind: str) -> None:
    made = form({"a": {"type": kind}}, "f-a=")
    assert made.is_valid(), made.errors
    assert made.value() == {}


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"type": "integer"}, "f-a=x"),
        ({"type": "integer"}, "f-a=1.5"),
        ({"type": "integer"}, "f-a=123456789012345678901234567890"),
        ({"type": "number"}, "f-a=3.14159265358979323846"),
        ({"type": "number"}, "f-a=1e400"),
        ({"type": "number"}, "f-a=1e999999"),
        ({"type": "number"}, "f-a=" + "9" * 5000),
        ({"type": "number"}, "f-a=1e-400"),
        ({"type": "number"}, "f-a=NaN"),
        ({"type": "number", "multipleOf": 0.01}, "f-a=19.999"),
        ({"type": "integer", "minimum": 5}, "f-a=4"),
        ({"type": "string", "maxLength": 2}, "f-a=abc"),
        ({"type": "string"}, "f-a=%00"),
        ({"enum": ["x"]}, "f-a=%22y%22"),
        ({"type": "string", "format": "date"}, "f-a=never"),
        ({"type": "string", "format": "date"}, "f-a=2026-02-30"),
        ({"type": "string", "format": "date-time"}, "f-a=2026-02-30T10:00:00Z"),
        ({"type": "string", "format": "date-time"}, "f-a=10 o'clock"),
        ({"type": "string", "format": "time"}, "f-a=24:00:00Z"),
        ({"type": "object"}, "f-a=%7B"),
        ({"type": "object"}, 'f-a={"x":3.14159265358979323846}'),
        ({"type": "object"}, 'f-a={"x":1,"x":2}'),
        ({"type": "object"}, 'f-a={"x":NaN}'),
        ({"type": "object"}, "f-a=" + "[" * 100_000),
        ({"type": "object"}, "f-a=" + "9" * 5000),
        ({"type": "object"}, 'f-a={"x":"\\ud800"}'),
        ({"type": "array", "items": {"type": "integer"}}, "f-a=1%0Ax"),
        ({"type": "string"}, "f-a="),
    ],
)  # fmt: skip
def test_bad_input_is_marked_at_its_field(part: dict[str, Any], text: str) -> None:
    made = form({"a": part}, text, required=["a"])
    assert not made.is_valid()
    assert list(made.errors) == ["a"]
    assert len(made.errors["a"]) == 1


def test_a_schema_that_is_no_object_is_one_field() -> None:
    made = SchemaForm({"type": "integer"}, sent("f-value=4"))
    assert made.is_valid()
    assert made.value() == 4


def test_no_schema_means_no_field_and_no_value() -> None:
    made = SchemaForm(None, sent("x=1"))
    assert made.is_valid()
    assert (made.nodes, made.value()) == ([], MISSING)


def test_a_refusal_is_shown_at_the_nearest_field() -> None:
    made = form({"tags": {"type": "array", "items": {"type": "string"}}}, "f-tags=a")
    assert made.is_valid()
    made.take_refusal(Refused("no", paths={("tags", 0): ["is bad"], ("unknown", "x"): ["is odd"]}))
    assert made.errors["tags"] == ["Line 1: is bad"]
    assert made.non_field_errors() == ["unknown › x: is odd"]


@pytest.mark.parametrize("name", ["a.b", "a/b", 'a"b', "a'b", "", " ", "a b", "7", "ä✓", "a:do", "a~b", "a\nb", "<a>"])
def test_a_property_may_have_any_name(name: str) -> None:
    schema = {
        "type": "object", "additionalProperties": False, "required": [name],
        "properties": {name: {"type": "string"}, "a": {"type": "object", "properties": {"b": {"type": "string"}}}},
    }  # fmt: skip
    empty = SchemaForm(schema, drawn(SchemaForm(schema)).post())
    [field] = list(empty.errors)
    assert empty.errors[field] == ["This field is required."]
    filled = SchemaForm(schema, drawn(SchemaForm(schema)).post_all({f"f-{field}": "x"}))
    assert filled.is_valid(), filled.errors
    assert filled.value() == {name: "x"}


VARIANTS = {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"b": {"type": "string"}}}]}
LIST = {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("part", "text"),
    [(VARIANTS, f"f-a:pick={'1' * 5000}"), (LIST, f"f-a:n=0&f-a:do=up+{'1' * 5000}"), (LIST, f"f-a:n={'1' * 5000}")],
)
def test_numbers_of_any_length_in_the_marks_of_a_form_are_none(part: dict[str, Any], text: str) -> None:
    made = form({"a": part}, text)
    assert bool(made.errors) == ("pick" in text)
    assert [getattr(node, "focus_key", -1) for node in made.nodes] == [-1]


def test_an_alternative_that_is_none_is_an_error() -> None:
    made = form({"a": VARIANTS}, "f-a:pick=7")
    assert "no such alternative" in str(made.errors)


def test_a_time_of_day_takes_an_offset_and_no_place() -> None:
    time = {"type": "string", "format": "time"}
    assert form({"a": time}, "f-a=08:30:00&f-a:zone=Europe/Berlin").errors
    assert form({"a": time}, "f-a=08:30:00&f-a:zone=%2B02:00").value() == {"a": "08:30:00+02:00"}


def test_the_first_and_the_last_day_have_times_in_every_zone() -> None:
    moment = {"type": "string", "format": "date-time"}
    last = form({"a": moment}, "f-a=9999-12-31T23:59&f-a:zone=America/New_York")
    assert (last.errors, last.value()) == ({}, {"a": "9999-12-31T23:59:00-05:00"})
    first = form({"a": moment}, "f-a=0001-01-01T00:00&f-a:zone=Asia/Tokyo")
    assert first.errors == {"a": ["The offset of Asia/Tokyo has seconds then: choose UTC as its zone."]}
    assert all(isinstance(node, Leaf) and node.control.zones for made in (first, last) for node in made.nodes)
