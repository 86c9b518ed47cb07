"""What an answer sends: the form's values with the declared constants over them, checked by the declared schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippy_console.services import schemas
from wippy_console.services.errors import Refused
from wippy_console.services.questions import Signal


def merged(signal: Signal, form: Any) -> Any:
    """Declared constants win over the form; a declared payload that is not a table is sent as it is."""
    if not isinstance(signal.payload, Mapping):
        return form if signal.payload is None else signal.payload
    return {**(form if isinstance(form, Mapping) else {}), **signal.payload}


def checked(signal: Signal, form: Any, reason: str) -> Any:
    """The payload to send; Refused with `fields` and `paths` when form or reason are not as declared."""
    payload = merged(signal, form)
    schemas.refuse_oversize(payload, "The answer")
    paths = schemas.problems(signal.schema, _subject(signal, payload)) if signal.schema is not None else {}
    paths |= schemas.inexact(payload)
    missing = signal.reason == "required" and not reason.strip()
    fields = {"reason": ["A reason is required."]} if missing else {}
    if fields or paths:
        raise Refused("Please correct the marked fields.", fields, paths)
    return payload


def _subject(signal: Signal, payload: Any) -> Any:
    """Constants that the schema does not name are the author's business, also under additionalProperties: false."""
    if not isinstance(payload, Mapping) or not isinstance(signal.payload, Mapping) or signal.schema is None:
        return payload
    named = signal.schema.get("properties")
    known = named if isinstance(named, Mapping) else {}
    return {key: item for key, item in payload.items() if key not in signal.payload or key in known}
