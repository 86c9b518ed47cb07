"""The page of the document: what each operation takes and answers, and a line for `curl`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wippy_console.api import v1

DEEPEST = 3
"""So many values within values are listed."""
_BODY = "application/json"


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or a field by its name, dotted within others; `where` is the part of a request."""

    name: str
    where: str
    form: str
    text: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered with a status."""

    status: str
    form: str
    values: list[Value]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    name: str
    group: str
    method: str
    path: str
    title: str
    text: str
    takes: list[Value]
    answers: list[Answer]
    curl: str


def show(request: HttpRequest) -> HttpResponse:
    """All operations, by what they are about."""
    groups: dict[str, list[Operation]] = {}
    for each in operations():
        groups.setdefault(each.group, []).append(each)
    return render(request, "api/docs.html", {"groups": groups, "count": len(operations())})


@cache
def operations() -> list[Operation]:
    """Those of the document, in its order."""
    document = v1.api.get_openapi_schema()
    return [
        _operation(document, path, method, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def _operation(document: Mapping[str, Any], path: str, method: str, told: Mapping[str, Any]) -> Operation:
    schemas = document["components"]["schemas"]
    body = told.get("requestBody", {}).get("content", {}).get(_BODY, {}).get("schema")
    given = [
        Value(each["name"], each["in"], _form(schemas, each["schema"]), _text(each), each.get("required", False))
        for each in told.get("parameters", [])
    ]
    return Operation(
        name=told["operationId"],
        group=told["tags"][0],
        method=method.upper(),
        path=path,
        title=told["summary"],
        text=told.get("description", ""),
        takes=[*given, *_values(schemas, body, "body")],
        answers=[_answer(schemas, status, each) for status, each in told["responses"].items() if status != "default"],
        curl=_curl(schemas, path, method.upper(), body),
    )


def _answer(schemas: Mapping[str, Any], status: str | int, told: Mapping[str, Any]) -> Answer:
    for kind, content in told.get("content", {}).items():
        schema = content.get("schema", {})
        form = _form(schemas, schema) if kind == _BODY else kind
        return Answer(str(status), form, list(_values(schemas, schema, "")))
    return Answer(str(status), "nothing", [])


def _values(schemas: Mapping[str, Any], schema: Any, where: str, name: str = "", depth: int = 0) -> Iterator[Value]:
    """The fields of an object or of a list's items, those within them behind them."""
    found = _inner(schemas, schema or {})
    for each, told in found.get("properties", {}).items() if depth < DEEPEST else ():
        needed = each in found.get("required", ()) and where == "body"
        yield Value(f"{name}{each}", where, _form(schemas, told), _text(told), needed)
        within = "[]." if _is_list(schemas, told) else "."
        yield from _values(schemas, told, where, f"{name}{each}{within}", depth + 1)


def _inner(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of the object that it is or holds."""
    found = _resolved(schemas, schema)
    return _inner(schemas, found["items"]) if "items" in found else found


def _resolved(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference names, and of a value that may be null what else it may be."""
    if "$ref" in schema:
        return _resolved(schemas, schemas[schema["$ref"].rpartition("/")[2]])
    for kind in ("anyOf", "oneOf", "allOf"):
        choices = [each for each in schema.get(kind, ()) if each.get("type") != "null"]
        if len(choices) == 1:
            return _resolved(schemas, choices[0])
    return schema


def _is_list(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    return "items" in _resolved(schemas, schema)


def _form(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Its type in words."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_form(schemas, each) for each in choices))
    found = _resolved(schemas, schema)
    if "items" in found:
        return f"list of {_form(schemas, found['items'])}"
    if "enum" in found:
        return " | ".join(map(str, found["enum"]))
    if "const" in found:
        return str(found["const"])
    return {"date-time": "time", "uuid": "UUID"}.get(found.get("format", ""), str(found.get("type", "any JSON")))


def _text(told: Mapping[str, Any]) -> str:
    """What is said of it, its bounds and its default."""
    schema = told.get("schema", told)
    said = [told.get("description") or schema.get("description") or ""]
    for name, words in (
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("maxLength", "at most"),
        ("maxItems", "up to"),
    ):
        if name in schema:
            unit = {"maxLength": " characters", "maxItems": " items"}.get(name, "")
            said.append(f"{words} {schema[name]}{unit}")
    default = schema.get("default")
    said += [f"default {json.dumps(default)}"] if default not in (None, "", [], False) else []
    return "; ".join(each.removesuffix(".") for each in said if each)


def _curl(schemas: Mapping[str, Any], path: str, method: str, body: Any) -> str:
    lines = [f'curl "$CONSOLE{path}"', '-H "Authorization: Bearer $TOKEN"']
    if method != "GET":
        lines[0] = f'curl -X {method} "$CONSOLE{path}"'
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    if body is not None:
        lines.append(f"--json '{json.dumps(_sample(schemas, body), ensure_ascii=False)}'")
    return " \\\n  ".join(lines)


def _sample(schemas: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """The least that fits it."""
    found = _resolved(schemas, schema)
    if "properties" in found:
        needed = found.get("required", ())
        return {name: _sample(schemas, told) for name, told in found["properties"].items() if name in needed}
    if "enum" in found:
        return found["enum"][0]
    empty: dict[str, Any] = {
        "string": "…",
        "integer": found.get("minimum", 1),
        "number": 1,
        "boolean": True,
        "array": [],
    }
    return empty.get(found.get("type", ""), {})
