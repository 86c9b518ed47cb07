"""Stacks and sources in templates: each place of Lua code is a link to the line that ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse

from wippy_console.models import Run
from wippy_console.services.diagnosis import code
from wippy_console.templatetags.console import pretty

register = template.Library()
_NOWHERE = ("", "stack traceback:", "[engine]")

register.filter("stack_lines", code.stack_lines)


@register.filter
def has_code(stack: str | None) -> bool:
    """Whether a traceback names a place; one of the engine alone says nothing."""
    return any(line.strip() not in _NOWHERE for line in (stack or "").splitlines())


@register.simple_tag
def source_url(run: Run | None, entry_id: str, line: int) -> str:
    """The address of a line of the source that a run runs; without a run, of the entry as it is now."""
    if run is None:
        return reverse("entry", args=(entry_id,))
    return f"{reverse('run_source', args=(run.workflow_id, run.run_id, entry_id))}#L{line}"


@register.filter
def own_details(details: Any) -> Any:
    """What the author put into an error, without the engine's own notes (`_activity_id` and the like)."""
    if not isinstance(details, Mapping):
        return details
    return {key: value for key, value in details.items() if not str(key).startswith("_")}


@register.filter
def engine_details(details: Any) -> Any:
    """The engine's own notes."""
    if not isinstance(details, Mapping):
        return None
    return {key: value for key, value in details.items() if str(key).startswith("_")}


@register.filter
def answered(value: Any) -> Any:
    """An answer for people: a text of lines as it is, anything else as JSON."""
    return value if isinstance(value, str) and "\n" in value else pretty(value)
