"""Draws values of a run's history: as they are, or what stands for one that is too long or no text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import template

from wippy_console.models import Run
from wippy_console.services.timeline import Part

register = template.Library()


@register.inclusion_tag("runs/value.html")
def run_value(run: Run, value: Any, label: str) -> dict[str, Any]:
    """A value, or a list of arguments, each of which may be a part."""
    listed = value if isinstance(value, list) and any(isinstance(each, Part) for each in value) else [value]
    return {"run": run, "label": label, "values": [(each, isinstance(each, Part)) for each in listed]}


@register.inclusion_tag("runs/parts.html")
def run_parts(run: Run, data: Any) -> dict[str, Any]:
    """Where all of each part within the data is fetched."""
    return {"run": run, "parts": list(_parts(data))}


def _parts(data: Any) -> Iterator[Part]:
    if isinstance(data, Part):
        yield data
    elif isinstance(data, dict):
        yield from (part for each in data.values() for part in _parts(each))
    elif isinstance(data, list):
        yield from (part for each in data for part in _parts(each))
