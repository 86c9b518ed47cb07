"""Reads `meta.signals` of an entry: the buttons as the author declared them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from engine.entry import Entry
from wippy_console.models import Run
from wippy_console.services import registry
from wippy_console.services.decisions.values import Button, ReasonRule
from wippy_console.services.errors import NotFoundError

_REASONS = ("required", "optional", "none")


def entry_of(run: Run) -> Entry | None:
    """The run's entry as it stood when the run began, else as it is now, None when there is none."""
    for version in (run.registry_version, None):
        try:
            return registry.entry(run.entry_id, at=version)
        except NotFoundError:
            continue
    return None


def declared(entry: Entry | None) -> list[Button]:
    """The buttons in the order of their declaration, none of them enabled yet; malformed items are left out."""
    signals = entry.meta.get("signals") if entry else None
    items = signals if isinstance(signals, list) else []
    return [
        _button(index, item) for index, item in enumerate(items) if isinstance(item, Mapping) and _text(item, "topic")
    ]


def _button(index: int, item: Mapping[str, Any]) -> Button:
    topic = _text(item, "topic")
    schema = item.get("schema")
    return Button(
        index=index,
        topic=topic,
        label=_text(item, "label") or topic,
        tone=_text(item, "tone") or "neutral",
        description=_text(item, "description"),
        schema=schema if isinstance(schema, Mapping) else None,
        payload=item.get("payload"),
        reason=_reason(item.get("reason")),
        role=_text(item, "role"),
    )


def _text(item: Mapping[str, Any], key: str) -> str:
    found = item.get(key)
    return found if isinstance(found, str) else ""


def _reason(found: Any) -> ReasonRule:
    """YAML reads a bare `none` as text but `no` and `false` as false: both mean that no reason is asked."""
    if found is False:
        return "none"
    if found is True:
        return "required"
    return cast("ReasonRule", found) if found in _REASONS else "optional"
