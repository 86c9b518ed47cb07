"""JSON Schemas that entries declare: what a value lacks, said by form field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError

from engine.bounded import schemas
from engine.bounded.errors import TooCostlyError
from engine.entry import Entry
from wippy_console.services.errors import Refused

_TOPIC_LENGTH = 500
MAX_BYTES = 2 * 1024 * 1024 - 32 * 1024
"""What fits into one field of Temporal, with room for the rest of its event."""

_MESSAGE = 300


def problems(schema: Mapping[str, Any], value: Any) -> dict[str, list[str]]:
    """Errors by dotted path ("" = the value as a whole), {} when it conforms; a broken schema is Refused."""
    found: dict[str, list[str]] = {}
    try:
        for error in schemas.errors(schema, value, Draft202012Validator, FormatChecker()):
            for path, message in _placed(error):
                found.setdefault(path, []).append(message)
    except SchemaError as error:
        raise Refused(f"The entry declares a broken JSON Schema: {error.message[:_MESSAGE]}") from error
    except TooCostlyError as error:
        raise Refused(f"This can't be checked by the entry's JSON Schema: {error}.") from error
    return {path: list(dict.fromkeys(messages)) for path, messages in found.items()}


def refuse_input(entry: Entry, args: Sequence[Any], fields: Mapping[str, list[str]] | None = None) -> None:
    """Refused when the first argument is not what the entry's `meta.input_schema` asks for, or all are too large.

    `fields` are further errors, by field, to be named with them.
    """
    schema = entry.meta.get("input_schema")
    found = problems(schema, args[0] if args else {}) if isinstance(schema, Mapping) else {}
    if found or fields:
        text = "The input is not what the entry asks for." if found else "It can't be started like this."
        raise Refused(text, {**found, **(fields or {})})
    refuse_oversize(args, "The input")


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


def _placed(error: ValidationError) -> list[tuple[str, str]]:
    """A missing property is reported at the property, everything else where it is."""
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required" and isinstance(error.instance, Mapping):
        wanted: Any = error.validator_value
        missing = [name for name in wanted if name not in error.instance]
        return [(".".join([*path, name]), "This field is required.") for name in missing]
    return [(".".join(path), _worded(error))]


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
            return f"{error.message[:1].upper()}{error.message[1:_MESSAGE]}."
        case _:
            return error.message[:_MESSAGE]
