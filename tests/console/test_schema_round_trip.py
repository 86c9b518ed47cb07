"""A value that is drawn into a form and sent back unchanged by a browser is the same value, whatever the schema."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.console.browsing import drawn
from wippy_console.forms.schema import SchemaForm
from wippy_console.forms.schema.defaults import filled
from wippy_console.forms.schema.description import describe
from wippy_console.forms.schema.shapes import Shape
from wippy_console.forms.schema.values import same
from wippy_console.services import schemas
from wippy_console.services.exact import is_kept

Case = tuple[dict[str, Any], st.SearchStrategy[Any]]
"""A schema and the values of it."""

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "no such zone", ""]
MIXED: list[Any] = [1, True, "1", None, [1, {"a": 2}], "x", ""]
OFFSETS = st.sampled_from(["Z", "z", "+02:00", "-03:30", "+00:00", "-00:00", "+14:00"])
FRACTIONS = st.sampled_from(["", ".5", ".123", ".123456789"])
ENDS = st.sampled_from(["\n", "\r\n", "\r", " ", "\t", "\u2028", "\x85"])
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | ENDS).map(
    "".join
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70).filter(is_kept)
DAYS = st.dates().map(str)
TIMES = st.times().map(lambda time: f"{time:%H:%M:%S}")
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def clock() -> st.SearchStrategy[str]:
    return st.tuples(TIMES | st.just("23:59:60"), FRACTIONS, OFFSETS).map("".join)


def base64_text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


LEAVES: list[Case] = [
    ({"type": "string"}, TEXTS),
    ({"type": "string", "format": "markdown"}, TEXTS),
    ({"type": "integer"}, st.integers(-(2**63), 2**63 - 1)),
    ({"type": "number"}, NUMBERS),
    ({"type": "boolean"}, st.booleans()),
    ({"type": "boolean", "default": True}, st.booleans()),
    ({"enum": MIXED}, st.sampled_from(MIXED)),
    ({"oneOf": [{"const": "low", "title": "Low"}, {"const": 7}]}, st.sampled_from(["low", 7])),
    ({"type": "string", "format": "date"}, DAYS),
    ({"type": "string", "format": "date-time"}, st.tuples(DAYS, st.just("T"), clock()).map("".join)),
    ({"type": "string", "format": "time"}, clock()),
    ({"type": "string", "contentEncoding": "base64"}, st.binary(max_size=9).map(base64_text)),
    ({"type": ["string", "integer"]}, TEXTS | st.integers(-9, 9)),
    ({"type": "array", "items": {"enum": ["x", 2, "y"]}}, st.lists(st.sampled_from(["x", 2, "y"]), max_size=4)),
    ({"type": "object"}, st.dictionaries(TEXTS, JSON, max_size=3)),
    ({}, JSON),
    ({"const": 5}, st.just(5)),
]  # fmt: skip


def nullable(case: Case) -> Case:
    schema, values = case
    return {"anyOf": [schema, {"type": "null"}]}, values | st.none()


def listed(case: Case) -> Case:
    schema, values = case
    return {"type": "array", "items": schema}, st.lists(values, max_size=3)


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Case]) -> Case:
    parts = draw(st.dictionaries(TEXTS, inner, max_size=4))
    required = [name for name in parts if draw(st.booleans())]
    schema = {"type": "object", "properties": {name: part for name, (part, _) in parts.items()}, "required": required}
    must = {name: values for name, (_, values) in parts.items() if name in required}
    may = {name: values for name, (_, values) in parts.items() if name not in required}
    return schema, st.fixed_dictionaries(must, optional=may)


def marked(mark: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda value: {**value, "kind": mark}


@st.composite
def alternatives(draw: st.DrawFn, inner: st.SearchStrategy[Case]) -> Case:
    marks = ["card", "bank"]
    cases = [draw(objects(inner)) for _ in marks]
    for mark, (schema, _) in zip(marks, cases, strict=True):
        schema["properties"]["kind"] = {"const": mark}
        schema["required"] = [*[name for name in schema["required"] if name != "kind"], "kind"]
    values = [found.map(marked(mark)) for mark, (_, found) in zip(marks, cases, strict=True)]
    return {"oneOf": [schema for schema, _ in cases]}, st.one_of(values)


CASES: st.SearchStrategy[Case] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: inner.map(nullable) | inner.map(listed) | objects(inner) | alternatives(inner),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), CASES, st.sampled_from(ZONES))
def test_a_value_that_is_drawn_and_sent_back_is_the_same(data: st.DataObject, case: Case, zone: str) -> None:
    schema, values = case
    value = data.draw(values)
    if schemas.problems(schema, value):
        return
    page = drawn(SchemaForm(schema, value=value, zone=zone))
    back = SchemaForm(schema, page.post(), value=value, zone=zone)
    assert back.is_valid(), (back.errors, page.sent)
    assert same(back.value(), value), page.sent


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.sampled_from(LEAVES), st.sampled_from(ZONES))
def test_each_kind_of_field_keeps_its_value(data: st.DataObject, case: Case, zone: str) -> None:
    schema, values = case
    value = {"a": data.draw(values)}
    whole = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    page = drawn(SchemaForm(whole, value=value, zone=zone))
    back = SchemaForm(whole, page.post(), zone=zone)
    assert back.is_valid(), (back.errors, page.sent)
    assert same(back.value(), value), page.sent


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), CASES, st.sampled_from(ZONES))
def test_a_default_is_drawn_and_sent(data: st.DataObject, case: Case, zone: str) -> None:
    schema, values = case
    value = data.draw(values)
    whole = {"type": "object", "properties": {"a": {**schema, "default": value}}}
    if schemas.problems(whole, {"a": value}):
        return
    back = SchemaForm(whole, drawn(SchemaForm(whole, zone=zone)).post(), zone=zone)
    assert back.is_valid(), back.errors
    assert same(back.value(), filled(must_be(whole), there=True))


def must_be(schema: Any) -> Shape:
    found = describe(schema)
    assert found is not None
    return found


WORDS = [
    "type", "properties", "items", "oneOf", "anyOf", "allOf", "enum", "const", "$ref", "$defs", "default", "required",
    "format", "title", "writeOnly", "readOnly", "maxItems", "x-labels", "discriminator", "examples", "maxLength",
    "additionalProperties",
]  # fmt: skip
TOLD = ["string", "object", "array", "#", "#/$defs/type", "date-time"]
ODD_SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(TOLD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), CASES.map(lambda case: case[0]) | ODD_SCHEMAS)
def test_no_schema_and_nothing_that_is_sent_breaks_a_form(data: st.DataObject, schema: Any) -> None:
    page = drawn(SchemaForm(schema))
    names = sorted(
        {name for name, _ in page.sent} | {f"{name}:{what}" for name, _ in page.sent for what in ("n", "pick")}
    )
    typed = data.draw(st.dictionaries(st.sampled_from(names), TEXTS | JSON.map(str), max_size=6)) if names else {}
    sent = SchemaForm(schema, page.post_all(typed), zone=data.draw(TEXTS))
    assert sent.is_valid() or sent.errors
    drawn(sent)
