"""Checks values against JSON Schemas and says what is wrong in words that name the field and what it may be.

Beside the standard keywords: `x-one-of` (a list of groups of fields, of which one must be present),
`x-keys` (keys must not be empty), `x-open` (unknown fields pass, unless they look like a slip of the pen),
`x-hint` (what to do about a value that is too large), `x-secret` (only `${env:NAME}` may stand here, and no message
tells what does; its value is the field that names a variable).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from keyword import iskeyword
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import PointerToNowhere, Unresolvable
from referencing.jsonschema import DRAFT202012

from engine.bounded import schemas
from engine.bounded.cron import cron_problem
from engine.bounded.errors import TooCostlyError
from engine.durations import option_lifetime, parse_duration
from engine.registry.placeholders import PLACEHOLDER
from engine.registry.problems import Problem
from engine.registry.words import did_you_mean, listed, names

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"\$(\.[^.]+)+")
KEYWORDS = frozenset(
    names(
        "and break do else elseif end false for function goto if in local nil not or repeat return then true until "
        "while"
    )
)
_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}

formats = FormatChecker(formats=())


@formats.checks("duration")
def _is_duration(value: object) -> bool:
    if not isinstance(value, str):
        return True
    nanoseconds = parse_duration(value)
    return nanoseconds is not None and nanoseconds >= 0


@formats.checks("lifetime")
def _is_lifetime(value: object) -> bool:
    return not isinstance(value, str) or (option_lifetime(value) or 0) > 0


@formats.checks("path")
def _is_path(value: object) -> bool:
    return not isinstance(value, str) or bool(_PATH.fullmatch(value))


@formats.checks("path or name")
def _is_path_or_name(value: object) -> bool:
    return not isinstance(value, str) or not value.startswith("$") or _is_path(value)


@formats.checks("cron")
def _is_cron(value: object) -> bool:
    return not isinstance(value, str) or not cron_problem(value)


@formats.checks("callable")
def _is_callable(value: object) -> bool:
    """`package.module:name`; after the colon there may be attributes of attributes."""
    if not isinstance(value, str):
        return True
    module, _, name = value.partition(":")
    return all(part.isidentifier() and not iskeyword(part) for part in (*module.split("."), *name.split(".")))


@formats.checks("identifier")
def _is_identifier(value: object) -> bool:
    return not isinstance(value, str) or (bool(_IDENTIFIER.fullmatch(value)) and value not in KEYWORDS)


def _check_one_of(_: Any, groups: list[list[str]], value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, Mapping) and not any(all(name in value for name in group) for group in groups):
        wanted = " or ".join(" with ".join(f"`{name}`" for name in group) for group in groups)
        yield ValidationError(f"needs {wanted}")


def _check_keys(_: Any, what: str, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, Mapping) and "" in value:
        yield ValidationError(f"an empty {what}")


def _check_secret(_: Any, field: str, value: Any, __: Any) -> Iterator[ValidationError]:
    placeholder = PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    if value != "" and (placeholder is None or not placeholder["name"] or placeholder["default"] is not None):
        yield ValidationError(f"a secret comes from the environment: write ${{env:NAME}}, or NAME in `{field}`")


Checker: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"x-one-of": _check_one_of, "x-keys": _check_keys, "x-secret": _check_secret}
)


def check(value: Any, schema: Mapping[str, Any], prefix: str = "") -> Iterator[Problem]:
    """Every problem of a value; `field` is the path below `prefix`, `entry_id` is left to the caller."""
    for error in Checker(schema, format_checker=formats).iter_errors(value):
        path = ".".join([*filter(None, [prefix]), *map(str, error.absolute_path)])
        if not _is_left_to_the_environment(error):
            yield from _SAY.get(error.validator, _say_as_is)(error, path)


def schema_problem(schema: Any) -> str:
    """Why this is no JSON Schema that the console can use, or "".

    References out of the schema are refused: to check a form must never fetch anything. The time that it takes grows
    with the schema's size alone, but for references by `$anchor`.
    """
    if not isinstance(schema, dict):
        return "must be a JSON Schema, a mapping"
    try:
        schemas.weigh(schema)
        Draft202012Validator.check_schema(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        return _unresolved(schema) or _endless(schema)
    except SchemaError as error:
        where = ".".join(map(str, error.absolute_path))
        return f"not a valid JSON Schema{f' at {where}' if where else ''}: {error.message[:200]}"
    except TooCostlyError as error:
        return f"not a usable JSON Schema: {error}"
    except RecursionError:
        return "not a valid JSON Schema: nested too deeply"


def _unresolved(schema: dict[str, Any]) -> str:
    resolver = Registry[Any]().with_resource("", DRAFT202012.create_resource(schema)).resolver("")
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except (Unresolvable, PointerToNowhere, ValueError):
            return f"a JSON Schema may refer to its own parts only, and {reference!r} is none"
    return ""


def _endless(schema: dict[str, Any]) -> str:
    """A schema that refers to itself without end is valid, and so is one that takes for ever; only a trial shows it."""
    try:
        schemas.try_on(schema, ({}, [], "", 0), Draft202012Validator)
    except SchemaError as error:
        endless = isinstance(error.__context__, RecursionError)
        return "a JSON Schema must not refer to itself without end" if endless else f"not usable here: {error.message}"
    except Exception as error:  # an odd `$id` or anchor raises what referencing keeps private
        return f"not a usable JSON Schema: {error}"
    return ""


def _references(schema: Any) -> Iterator[str]:
    match schema:
        case dict():
            yield from (schema[key] for key in ("$ref", "$dynamicRef") if isinstance(schema.get(key), str))
            for child in schema.values():
                yield from _references(child)
        case list():
            for child in schema:
                yield from _references(child)


def _is_left_to_the_environment(error: ValidationError) -> bool:
    """Whether text with a placeholder fails only for what it will be once the environment is known.

    Identifiers are part of a program, in which placeholders stay as they are written.
    """
    return (
        error.validator in ("enum", "format", "pattern")
        and error.validator_value not in ("identifier", "callable")
        and isinstance(error.instance, str)
        and PLACEHOLDER.search(error.instance) is not None
    )


def _say_required(error: ValidationError, path: str) -> Iterator[Problem]:
    wanted: Any = error.validator_value
    missing = next(name for name in wanted if error.message.startswith(repr(name)))
    yield Problem("is missing", field=f"{path}.{missing}" if path else missing)


def _say_additional(error: ValidationError, path: str) -> Iterator[Problem]:
    schema: Any = error.schema
    known = schema.get("properties", {})
    instance: Any = error.instance
    for name in instance:
        near = did_you_mean(name, known)
        if name not in known and (near or not schema.get("x-open")):
            where = f"{path}.{name}" if path else name
            message = f"the field `{name}` is unknown and has no effect"
            hint = near or f"known here: {listed(sorted(known))}"
            yield Problem(message, field=where, hint=hint, severity="warning")


def _say_type(error: ValidationError, path: str) -> Iterator[Problem]:
    types: Any = error.validator_value
    wanted = " or ".join(_TYPES[name] for name in (types if isinstance(types, list) else [types]))
    is_open = isinstance(error.instance, str) and PLACEHOLDER.search(error.instance)
    hint = "give the placeholder a default of that type, as in `${env:NAME|8}`" if is_open else ""
    yield Problem(f"must be {wanted}, not {_shown(error.instance)}", field=path, hint=hint)


def _say_enum(error: ValidationError, path: str) -> Iterator[Problem]:
    allowed: Any = error.validator_value
    hint = did_you_mean(error.instance, allowed) if isinstance(error.instance, str) else ""
    yield Problem(f"must be one of {listed(allowed)}, not {_shown(error.instance)}", field=path, hint=hint)


def _say_format(error: ValidationError, path: str) -> Iterator[Problem]:
    wanted = {
        "duration": 'a duration such as "500ms", "30s" or "1h30m"',
        "lifetime": 'a duration such as "30m", "24h" or "7d"',
        "identifier": "a name of letters, digits and underscores, and no word of Lua",
        "callable": "a Python function written package.module:name",
        "path": 'a path into the first argument such as "$.customer.email"',
        "path or name": 'a name, or a path into the first argument such as "$.customer.email"',
        "cron": 'a cron schedule such as "30 2 * * *", "@daily" or "@every 1h"',
    }[str(error.validator_value)]
    yield Problem(f"must be {wanted}, not {_shown(error.instance)}", field=path)


def _say_bound(error: ValidationError, path: str) -> Iterator[Problem]:
    least, schema = error.validator == "minimum", error.schema
    hint = "" if least or not isinstance(schema, Mapping) else schema.get("x-hint", "")
    text = f"must be {'at least' if least else 'at most'} {error.validator_value}, not {_shown(error.instance)}"
    yield Problem(text, field=path, hint=hint)


def _say_exceeding(error: ValidationError, path: str) -> Iterator[Problem]:
    yield Problem(f"must be more than {error.validator_value}, not {_shown(error.instance)}", field=path)


def _say_empty(_: ValidationError, path: str) -> Iterator[Problem]:
    yield Problem("must not be empty", field=path)


def _say_as_is(error: ValidationError, path: str) -> Iterator[Problem]:
    yield Problem(error.message, field=path)


_SAY: dict[Any, Callable[[ValidationError, str], Iterator[Problem]]] = {
    "required": _say_required,
    "additionalProperties": _say_additional,
    "type": _say_type,
    "enum": _say_enum,
    "format": _say_format,
    "minimum": _say_bound,
    "maximum": _say_bound,
    "exclusiveMinimum": _say_exceeding,
    "minLength": _say_empty,
}


def _shown(value: Any) -> str:
    """A value in an error message: short, and text in quotes."""
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None | bool():
            return {None: "nothing", True: "true", False: "false"}[value]
        case _:
            text = f'"{value}"' if isinstance(value, str) else str(value)
            return text if len(text) <= 60 else text[:57] + "..."
