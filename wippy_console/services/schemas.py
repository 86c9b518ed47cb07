"""JSON Schemas that entries declare: what a value lacks, and where."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend

from engine.bounded import schemas
from engine.bounded.errors import TooCostlyError
from engine.entry import Entry
from wippy_console.services import exact, secrets
from wippy_console.services.errors import Refused
from wippy_console.services.exact import Path
from wippy_console.services.formats import CHECKER

_TOPIC_LENGTH = 500
MAX_BYTES = 2 * 1024 * 1024 - 32 * 1024
"""What fits into one field of Temporal, with room for the rest of its event."""

_MESSAGE = 300


def problems(schema: Any, value: Any) -> dict[Path, list[str]]:
    """Errors by place, {} when the value conforms; a broken schema is Refused. None repeats a secret."""
    if not isinstance(schema, Mapping | bool):
        raise Refused("The entry declares a broken JSON Schema: it is no object.")
    found: dict[Path, list[str]] = {}
    places = secrets.Places(schema, value)
    try:
        for error in schemas.errors(_without_dialect(schema), value, _Validator, CHECKER):
            for path, message in _placed(error, places):
                found.setdefault(path, []).append(message)
    except SchemaError as error:
        raise Refused(f"The entry declares a broken JSON Schema: {error.message[:_MESSAGE]}") from error
    except TooCostlyError as error:
        raise Refused(f"This can't be checked by the entry's JSON Schema: {error}.") from error
    return {path: list(dict.fromkeys(messages)) for path, messages in found.items()}


def inexact(schema: Any, value: Any) -> dict[Path, list[str]]:
    """What of a value would arrive changed, by place."""
    found: dict[Path, list[str]] = {}
    places = secrets.Places(schema, value)
    for path, fault in exact.faults(value):
        secret = places.secret(path)
        found.setdefault(path if secret is None else secret, []).append(fault if secret is None else _NOT_ASKED)
    return found


def refuse_input(entry: Entry, args: Sequence[Any], fields: Mapping[str, list[str]] | None = None) -> None:
    """Refused when the first argument is not what the entry's `meta.input_schema` asks for, or all are too large.

    `fields` are further errors, by form field, to be named with them.
    """
    schema = entry.meta.get("input_schema")
    refuse_oversize(args, "The input")
    found = problems(schema, args[0] if args else {}) if isinstance(schema, Mapping) else {}
    found |= inexact(schema, args[0]) if args else {}
    if found or fields:
        text = "The input is not what the entry asks for." if found else "It can't be started like this."
        raise Refused(text, fields, found)
    refuse_unsendable(args[1:], "The input")


def refuse_topic(topic: str, reserved: str) -> None:
    """Raise Refused, naming the field `topic`, for what is no topic, or begins as those of the engine do."""
    if not topic.strip() or len(topic) > _TOPIC_LENGTH or topic.startswith(reserved):
        text = f"A topic has 1 to {_TOPIC_LENGTH} characters and does not begin with {reserved}."
        raise Refused(text, {"topic": [text]})


def refuse_oversize(value: Any, what: str) -> None:
    """Refused when the value is not JSON, or is more than a signal or a start can carry."""
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"{what} is not JSON: {error}") from error
    if size > MAX_BYTES:
        raise Refused(f"{what} is too large: {size:,} bytes, the limit is {MAX_BYTES:,}.")


def refuse_unsendable(value: Any, what: str) -> None:
    """The same, and Refused when a part of the value would arrive changed."""
    refuse_oversize(value, what)
    for _, fault in exact.faults(value):
        raise Refused(f"{what}: {fault}")


def _without_dialect(schema: Any) -> Any:
    """Without naming the dialect that is meant anyhow, whose own class counts multiples in floats."""
    own = isinstance(schema, Mapping) and schema.get("$schema") == Draft202012Validator.META_SCHEMA["$id"]
    return {key: part for key, part in schema.items() if key != "$schema"} if own else schema


def _multiple(validator: Any, wanted: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    """In decimals: 19.99 is a multiple of 0.01."""
    if not validator.is_type(value, "number") or not wanted or not math.isfinite(value):
        return
    if (Fraction(Decimal(str(value))) / Fraction(Decimal(str(wanted)))).denominator != 1:
        yield ValidationError(f"{value!r} is not a multiple of {wanted!r}")


_Validator = extend(Draft202012Validator, {"multipleOf": _multiple})  # type: ignore[no-untyped-call]


def _placed(error: ValidationError, places: secrets.Places) -> Iterator[tuple[Path, str]]:
    """A missing property is reported at the property, and what an alternative lacks where it is lacking."""
    path: Path = tuple(error.absolute_path)
    secret = places.secret(path)
    if error.validator == "required" and isinstance(error.instance, Mapping) and secret in (None, path):
        wanted: Any = error.validator_value
        yield from (((*path, name), "This field is required.") for name in wanted if name not in error.instance)
    elif meant := _meant(error):
        for each in meant:
            yield from _placed(each, places)
    elif secret is not None:
        yield secret, _secretly(error)
    else:
        is_listed = error.validator in _LISTING and places.within(path)
        yield path, "This has items that are not allowed." if is_listed else _worded(error)


_LISTING = ("items", "prefixItems", "unevaluatedItems")
"""Keywords of which the library's words repeat items."""

_NOT_ASKED = "This is not what is asked for."


def _secretly(error: ValidationError) -> str:
    """What is wrong with a secret, in words that tell nothing of it, nor of what it should be."""
    match error.validator:
        case "type":
            return _worded(error)
        case "minLength":
            return _worded(error) if error.validator_value == 1 else "This is too short."
        case "maxLength":
            return "This is too long."
        case _:
            return _NOT_ASKED


def _meant(error: ValidationError) -> list[ValidationError]:
    """The errors of the one alternative that the value is meant to be: whose types and constants fit."""
    if error.validator not in ("oneOf", "anyOf"):
        return []
    branches: dict[Any, list[ValidationError]] = {}
    for each in error.context or ():
        branches.setdefault(each.schema_path[0], []).append(each)
    likely = [branch for branch in branches.values() if not any(_differs(each) for each in branch)]
    return likely[0] if len(likely) == 1 else []


def _differs(error: ValidationError) -> bool:
    return error.validator == "const" or (error.validator in ("type", "enum") and not error.path)


def _worded(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    match error.validator:
        case "minLength" if wanted == 1:
            return "This field is required."
        case "type":
            return f"Must be of type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}."
        case "enum":
            return f"Must be one of {', '.join(json.dumps(item) for item in wanted)}."[:_MESSAGE]
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            return f"{_without_value(error)[:_MESSAGE]}."
        case "oneOf" | "anyOf":
            return f"This fits {'none' if error.context else 'more than one'} of the alternatives."
        case _:
            return _without_value(error)[:_MESSAGE]


def _without_value(error: ValidationError) -> str:
    """The library's words. They repeat the value, which may be long, and may be a secret."""
    value = repr(error.instance)
    if isinstance(error.instance, int | float):  # the digits may stand in a limit as well
        return f"This{error.message.removeprefix(value)}" if error.message.startswith(f"{value} ") else error.message
    return error.message.replace(value, "This", 1)
