"""Dates with time, and times of day: RFC 3339 texts, drawn as a local time beside its zone, sent with the offset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from wippy_console.forms.schema import names, zones
from wippy_console.forms.schema.fields import Field, Raw, Unreadable
from wippy_console.forms.schema.posted import Posted
from wippy_console.forms.schema.values import MISSING, text_of
from wippy_console.services.formats import MOMENT, TIME
from wippy_console.services.formats import local as local_time

_OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}")
_DIGITS = re.compile(r"\.(\d*?)0*(?=\D|$)", re.ASCII)
_FRACTION = 4
"""A browser's control takes three digits after the point, and drops a text that has more."""


@dataclass(frozen=True)
class Moment(Field):
    """A date with time. The content is (text, zone): the zone is "" of a text that stands as it is."""

    kind: ClassVar[str] = "datetime-local"

    def draw(self, value: Any, zone: str) -> Raw:
        """As a local time in the viewer's zone, if a browser's control can hold that."""
        text = text_of(value)
        return (_in_zone(text, zone) or (text, "")) if text else ("", zone)

    def take(self, data: Posted, name: str, zone: str) -> Raw:
        """With the seconds that browsers leave out."""
        return _with_seconds(MOMENT, data.text(name).strip()), data.text(names.beside(name, "zone")) or zone

    def read(self, raw: Raw, was: Any) -> Any:
        """A text with an offset stays as it is; a local time gets the one of its zone at that time."""
        text, zone = raw
        if not text:
            return MISSING
        found = MOMENT.fullmatch(text)
        if not found or (local := local_time(found)) is None:
            raise Unreadable("Write a date and time, like 2026-01-31T10:00:00+01:00.")
        return text if found["zone"] else f"{text.replace(' ', 'T')}{_offset(local, zone)}"

    def is_told(self, value: object) -> bool:
        """Browsers write seconds in their own way."""
        return value is MISSING

    def offsets(self, raw: Raw) -> list[str]:
        """Both that a time has which comes twice in its zone."""
        found = MOMENT.fullmatch(raw[0])
        local = local_time(found) if found and not found["zone"] else None
        both = zones.offsets(local, raw[1]) if local and zones.find(raw[1]) else []
        return both if len(both) > 1 else []

    def unchanged(self, raw: Raw, was: Any, zone: str) -> bool:
        """The same time in the zone that was sent, or empty as before."""
        text, own = self.draw(was, raw[1] or zone)
        return _shortest(raw[0]) == _shortest(text) and (not text or own in ("", raw[1]))


@dataclass(frozen=True)
class Clock(Moment):
    """A time of day. Its zone is an offset: without a date, a place has none."""

    kind: ClassVar[str] = "time"

    def draw(self, value: Any, zone: str) -> Raw:
        """With the offset that it has."""
        text = text_of(value)
        found = TIME.fullmatch(text)
        if found and found["zone"] and _is_drawable(found):
            return text.removesuffix(found["zone"]), zones.named(found["zone"])
        return (text, "") if text else ("", zones.offset_now(zone))

    def take(self, data: Posted, name: str, zone: str) -> Raw:
        """Where no offset was sent it is the one that the viewer's zone has now."""
        given = data.text(names.beside(name, "zone"))
        return _with_seconds(TIME, data.text(name).strip()), given or zones.offset_now(zone)

    def read(self, raw: Raw, was: Any) -> Any:
        """With an offset."""
        text, zone = raw
        if not text:
            return MISSING
        found = TIME.fullmatch(text)
        if not found or not (found["zone"] or _is_offset(zone)):
            raise Unreadable("Write a time with its zone, like 08:30:00+02:00 or 08:30:00Z.")
        return text if found["zone"] else f"{text}{'Z' if zone == zones.NAME else zone}"


def _is_offset(zone: str) -> bool:
    return zone in ("", zones.NAME) or bool(_OFFSET.fullmatch(zone) and zones.find(zone))


def _in_zone(text: str, zone: str) -> tuple[str, str] | None:
    found = MOMENT.fullmatch(text)
    if not found or not found["zone"] or not _is_drawable(found):
        return None
    local = local_time(found)
    own = zones.find(found["zone"])
    try:
        there = local.replace(tzinfo=own).astimezone(zones.find(zone)).replace(tzinfo=None) if local else None
    except OverflowError:
        return None
    if there is None or not 1 <= there.year <= 9999:
        return None
    named = zone if len(spelled := zones.offsets(there, zone)) == 1 and spelled[0] else zones.named(found["zone"])
    there = there if named == zone else local
    return f"{there:%Y-%m-%dT%H:%M:%S}".zfill(19) + (found["fraction"] or ""), named


def _shortest(text: str) -> str:
    """Without what a browser may add to or take from a time."""
    return _DIGITS.sub(lambda found: f".{found[1]}" if found[1] else "", text)


def _is_drawable(found: re.Match[str]) -> bool:
    return bool(found["s"] and found["s"] != "60" and len(found["fraction"] or "") <= _FRACTION)


def _offset(local: datetime, zone: str) -> str:
    if zones.find(zone) is None:
        raise Unreadable(f"There is no zone {zone}.")
    match zones.offsets(local, zone):
        case []:
            raise Unreadable(f"In {zone} there is no such time: clocks are set forward then.")
        case [offset] if offset:
            return offset
        case [first, second]:
            raise Unreadable(f"In {zone} this time comes twice: choose {first} or {second} as its zone.")
        case _:
            raise Unreadable(f"The offset of {zone} has seconds then: choose UTC as its zone.")


def _with_seconds(form: re.Pattern[str], text: str) -> str:
    found = form.fullmatch(text)
    return f"{text[: found.end('hm')]}:00{text[found.end('hm') :]}" if found and not found["s"] else text
