"""What a button sends: the form's values with the declared constants over them, checked by the declared schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippy_console.services import schemas
from wippy_console.services.decisions.values import Button
from wippy_console.services.errors import Refused


def merged(button: Button, form: Any) -> Any:
    """Declared constants win over the form; a declared payload that is not a table is sent as it is."""
    if not isinstance(button.payload, Mapping):
        return form if button.payload is None else button.payload
    return {**(form if isinstance(form, Mapping) else {}), **button.payload}


def checked(button: Button, form: Any, reason: str) -> Any:
    """The payload to send; Refused with `fields` when form or reason are not as declared."""
    payload = merged(button, form)
    fields = schemas.problems(button.schema, _subject(button, payload)) if button.schema is not None else {}
    if button.reason == "required" and not reason.strip():
        fields.setdefault("reason", []).append("A reason is required.")
    if fields:
        raise Refused("Please correct the marked fields.", fields)
    schemas.refuse_oversize(payload, "The answer")
    return payload


def _subject(button: Button, payload: Any) -> Any:
    """Constants that the schema does not name are the author's business, also under additionalProperties: false."""
    if not isinstance(payload, Mapping) or not isinstance(button.payload, Mapping) or button.schema is None:
        return payload
    named = button.schema.get("properties")
    known = named if isinstance(named, Mapping) else {}
    return {key: item for key, item in payload.items() if key not in button.payload or key in known}
