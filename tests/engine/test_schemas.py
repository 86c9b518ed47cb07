"""JSON Schema under a budget."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from engine.bounded import schemas
from engine.bounded.errors import TooCostlyError


def messages(schema: Any, value: Any) -> list[str]:
    return [error.message for error in schemas.errors(schema, value, Draft202012Validator)]


def test_it_finds_what_jsonschema_finds() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^x"}}, "required": ["b"]}
    assert sorted(messages(schema, {"a": "y"})) == ["'b' is a required property", "'y' does not match '^x'"]


@pytest.mark.parametrize(
    "reference", ["file:///etc/hostname", "http://127.0.0.1:9/schema.json", "#/$defs/none", "other.json"]
)
def test_no_reference_leads_out_of_the_schema(reference: str) -> None:
    with pytest.raises(SchemaError):
        messages({"$ref": reference}, {})


def test_a_schema_that_refers_to_itself_without_end_is_broken() -> None:
    with pytest.raises(SchemaError):
        messages({"$ref": "#"}, {})


def test_work_that_doubles_with_each_reference_is_refused() -> None:
    parts: dict[str, Any] = {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(40)}
    with pytest.raises(TooCostlyError):
        messages({"$defs": {**parts, "a40": {}}, "$ref": "#/$defs/a0"}, 1)


def test_a_part_can_not_choose_a_class_without_the_budget() -> None:
    inner = {"$schema": "https://json-schema.org/draft/2020-12/schema", "pattern": "^(a+)+$"}
    with pytest.raises(SchemaError):
        messages({"properties": {"a": inner}}, {"a": "a" * 40 + "!"})


def test_names_of_properties_have_simple_patterns() -> None:
    with pytest.raises(TooCostlyError):
        messages({"patternProperties": {"^(a+)+$": {}}}, {"a" * 40 + "!": 1})
