"""Fields of rows as the console draws them everywhere: a time, a state with its icon and word, JSON."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.html import format_html
from django.utils.safestring import SafeString

from wippy_console.templatetags import console, looks

STATES = {
    ("run", "status"): "run",
    ("decision", "state"): "decision",
    ("notification", "state"): "notification",
    ("service", "state"): "service",
    ("process", "state"): "process",
    ("node", "state"): "node",
    ("feedevent", "kind"): "feed",
    ("revision", "kind"): "entry",
    ("question", "outcome"): "question",
    ("batch", "state"): "batch",
    ("batchitem", "state"): "item",
}
"""Which family of looks a field's values belong to."""

MOST = 20_000
"""Characters of a value that a page shows."""


def is_drawn(model: Any, name: str) -> bool:
    """Whether `drawn` knows the field."""
    return (model._meta.model_name, name) in STATES or _kind(model, name) in ("DateTimeField", "JSONField")


def drawn(row: Any, name: str) -> SafeString | str:
    """A field of a row."""
    value, family = getattr(row, name), STATES.get((row._meta.model_name or "", name))
    if value in (None, "", [], {}):
        return console.NOTHING
    if family:
        return console.status(looks.find(family, str(value)))
    return console.moment(value) if _kind(type(row), name) == "DateTimeField" else pretty(value)


def pretty(value: Any) -> SafeString:
    """A JSON value over several lines; a long one is cut, and says so."""
    if value in (None, "", [], {}):
        return format_html("{}", console.NOTHING)
    text = console.as_json(value)
    cut = f"\n... {len(text):,} characters in all" if len(text) > MOST else ""
    return format_html('<pre class="json" tabindex="0">{}{}</pre>', console.coloured(text[:MOST]), cut)


def _kind(model: Any, name: str) -> str:
    try:
        return str(model._meta.get_field(name).get_internal_type())
    except FieldDoesNotExist:
        return ""
