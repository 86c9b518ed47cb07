"""Reads `meta.signals` of an entry: what it may be asked, as the author declared it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from wippy_console.models import Run
from wippy_console.services import registry
from wippy_console.services.errors import NotFoundError

ReasonRule = Literal["required", "optional", "none"]
_REASONS = ("required", "optional", "none")


@dataclass(frozen=True, slots=True)
class Signal:
    """One item of `meta.signals`. `index` is its position there and names it.

    `schema` is the JSON Schema of the form or None (no form fields); `payload` are the declared constants;
    `role` is the group whose members may send it, "" for everybody.
    """

    index: int
    topic: str
    label: str
    tone: str = "neutral"
    description: str = ""
    schema: Mapping[str, Any] | None = None
    payload: Any = None
    reason: ReasonRule = "optional"
    role: str = ""


def declared(meta: Mapping[str, Any]) -> list[Signal]:
    """The signals in the order of their declaration; items without a topic are left out."""
    signals = meta.get("signals")
    items = signals if isinstance(signals, list) else []
    return [
        _signal(index, item) for index, item in enumerate(items) if isinstance(item, Mapping) and _text(item, "topic")
    ]


def signals_of(run: Run) -> list[Signal]:
    """What the run's entry declares."""
    return _as_begun(run, _published)


def signals_in(catalog: Catalog, run: Run) -> list[Signal]:
    """The same for a node, whose catalog keeps versions in memory."""
    return _as_begun(run, lambda entry_id, at: catalog.entry_at(entry_id, at) if at else catalog.entry(entry_id))


def _as_begun(run: Run, find: Callable[[str, int | None], Entry | None]) -> list[Signal]:
    """By the entry as it stood when the run began, else as it is now."""
    entry = find(run.entry_id, run.registry_version) if run.registry_version else None
    entry = entry or find(run.entry_id, None)
    return declared(entry.meta) if entry else []


def _published(entry_id: str, at: int | None) -> Entry | None:
    try:
        return registry.entry(entry_id, at=at)
    except NotFoundError:
        return None


def _signal(index: int, item: Mapping[str, Any]) -> Signal:
    topic = _text(item, "topic")
    schema = item.get("schema")
    return Signal(
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
