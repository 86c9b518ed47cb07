"""Which questions a waiting run asks: what it waits for, matched with what its entry declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.contracts.catalog import Catalog
from engine.steps import Wait

INBOX = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the signals that answer it, by topic and label, and the groups that may."""

    channel: str
    number: int
    topics: tuple[str, ...]
    labels: tuple[str, ...]
    roles: tuple[str, ...]


def asked(waits: Iterable[Wait], declared: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], Asked]:
    """The questions by channel and number. A topic that is listened to is not asked for through the inbox."""
    channels = {wait.name: wait.seq for wait in waits if wait.kind == "topic"}
    inbox = [(INBOX, wait.seq) for wait in waits if wait.kind == "inbox"]
    found = {}
    for channel, number in (*channels.items(), *inbox):
        if signals := [each for each in declared if _answers(each, channel, channels)]:
            found[channel, number] = _question(channel, number, signals)
    return found


def declared_signals(catalog: Catalog, entry_id: str, version: int | None) -> list[Mapping[str, Any]]:
    """`meta.signals` of the entry at that registry version; what is not a list of objects with topics is left out."""
    entry = catalog.entry_at(entry_id, version) if version else catalog.entry(entry_id)
    items = entry.meta.get("signals") if entry else None
    if not isinstance(items, list):
        return []
    return [item for item in items if isinstance(item, Mapping) and isinstance(item.get("topic"), str)]


def next_deadline(waits: Iterable[Wait]) -> datetime | None:
    """The nearest timer's deadline."""
    deadlines = [wait.deadline for wait in waits if wait.kind == "timer" and wait.deadline is not None]
    return datetime.fromtimestamp(min(deadlines) / 1e9, UTC) if deadlines else None


def _answers(signal: Mapping[str, Any], channel: str, channels: Mapping[str, int]) -> bool:
    topic = signal["topic"]
    return topic not in channels if channel == INBOX else topic == channel


def _question(channel: str, number: int, signals: Sequence[Mapping[str, Any]]) -> Asked:
    return Asked(
        channel,
        number,
        topics=_distinct(signal["topic"] for signal in signals),
        labels=_distinct(str(signal.get("label") or signal["topic"]) for signal in signals),
        roles=_distinct(str(signal.get("role") or "") for signal in signals),
    )


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
