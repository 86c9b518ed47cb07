"""No error of a JSON Schema repeats a secret, nor what a secret should be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from wippy_console.services import schemas

SECRET = "hunter2"
KEYED = {SECRET: 1}
NO: dict[str, Any] = {"not": {}}
FAULTS: dict[str, tuple[dict[str, Any], Any]] = {
    "$dynamicRef": ({"$dynamicRef": "#/$defs/no"}, SECRET),
    "$ref": ({"$ref": "#/$defs/no"}, SECRET),
    "additionalProperties": ({"additionalProperties": False}, KEYED),
    "allOf": ({"allOf": [{"pattern": "^x"}]}, SECRET),
    "anyOf": ({"anyOf": [{"pattern": "^x"}, {"minLength": 99}]}, SECRET),
    "const": ({"const": SECRET}, "guess"),
    "contains": ({"contains": {"const": 1}}, [SECRET]),
    "dependentRequired": ({"dependentRequired": {SECRET: ["b"]}}, KEYED),
    "dependentSchemas": ({"dependentSchemas": {SECRET: NO}}, KEYED),
    "enum": ({"enum": [SECRET, "x"]}, "guess"),
    "exclusiveMaximum": ({"exclusiveMaximum": 4711}, 4711),
    "exclusiveMinimum": ({"exclusiveMinimum": 4711}, 4711),
    "format": ({"format": "email"}, SECRET),
    "if": ({"if": {"minLength": 1}, "then": {"pattern": "^x"}}, SECRET),
    "items": ({"prefixItems": [{}], "items": False}, [1, SECRET]),
    "maxItems": ({"maxItems": 1}, [SECRET, 1]),
    "maxLength": ({"maxLength": 2}, SECRET),
    "maxProperties": ({"maxProperties": 0}, KEYED),
    "maximum": ({"maximum": 4710}, 4711),
    "minItems": ({"minItems": 2}, [SECRET]),
    "minLength": ({"minLength": 20}, SECRET),
    "minProperties": ({"minProperties": 2}, KEYED),
    "minimum": ({"minimum": 4712}, 4711),
    "multipleOf": ({"multipleOf": 2}, 4711),
    "not": ({"not": {"enum": [SECRET]}}, SECRET),
    "oneOf": ({"oneOf": [{"const": SECRET}, {"pattern": "^x"}]}, "guess"),
    "pattern": ({"pattern": f"^{SECRET}$"}, "guess"),
    "patternProperties": ({"patternProperties": {"": {"type": "string"}}}, KEYED),
    "prefixItems": ({"prefixItems": [{"pattern": "^x"}]}, [SECRET]),
    "properties": ({"properties": {"a": {"pattern": "^x"}}}, {"a": SECRET}),
    "propertyNames": ({"propertyNames": {"pattern": "^x"}}, KEYED),
    "required": ({"required": ["b"]}, KEYED),
    "type": ({"type": "integer"}, SECRET),
    "unevaluatedItems": ({"prefixItems": [{}], "unevaluatedItems": False}, [1, SECRET]),
    "unevaluatedProperties": ({"unevaluatedProperties": False}, KEYED),
    "uniqueItems": ({"uniqueItems": True}, [SECRET, SECRET]),
}


def told(part: dict[str, Any], value: Any) -> str:
    schema = {"properties": {"k": part, "n": {}}, "$defs": {"no": {"pattern": "^x"}}}
    found = schemas.problems(schema, {"k": value, "n": 1})
    assert found
    return str(found)


def test_every_keyword_is_tried() -> None:
    assert set(FAULTS) == set(Draft202012Validator.VALIDATORS)


@pytest.mark.parametrize("keyword", FAULTS)
@pytest.mark.parametrize("mark", [{"writeOnly": True}, {"format": "password"}], ids=["writeOnly", "password"])
def test_no_error_repeats_a_secret(keyword: str, mark: dict[str, Any]) -> None:
    part, value = FAULTS[keyword]
    told_of = told({"allOf": [part, mark]}, value)
    assert SECRET not in told_of
    assert "4711" not in told_of
    assert "('k'" in told_of


@pytest.mark.parametrize("keyword", ["items", "prefixItems", "unevaluatedItems", "contains", "uniqueItems"])
def test_no_error_of_a_list_repeats_a_secret_in_it(keyword: str) -> None:
    part, value = FAULTS[keyword]
    for mark in ({"items": {"writeOnly": True}}, {"contains": {"writeOnly": True}}):
        assert SECRET not in told({**part, "if": {**mark, "minItems": 9}}, value)


def test_an_error_within_a_secret_stands_where_the_schema_names_a_place_and_no_further() -> None:
    integer = {"type": "integer"}
    part = {
        "writeOnly": True,
        "properties": {"a": integer},
        "additionalProperties": {"items": integer},
        "required": ["b"],
    }
    schema = {"properties": {"k": part}}
    found = schemas.problems(schema, {"k": {"a": SECRET, SECRET: [SECRET]}})
    assert set(found) == {("k", "a"), ("k", "b"), ("k",)}
    assert SECRET not in json.dumps(list(found.values()))


def test_what_would_arrive_changed_is_told_without_names_of_a_secret() -> None:
    found = schemas.inexact({"properties": {"k": {"writeOnly": True}}}, {"k": {SECRET: "a\0"}, "n": "a\0"})
    assert set(found) == {("k",), ("n",)}
