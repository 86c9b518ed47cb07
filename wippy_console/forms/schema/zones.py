"""Zones of local times: IANA names, UTC, and offsets like +02:00."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

NAME = "UTC"
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")


def find(name: str) -> tzinfo | None:
    """The zone of that name, None when there is none."""
    if name in (NAME, "Z", "z"):
        return UTC
    if found := _OFFSET.fullmatch(name):
        span = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-span if found[1] == "-" else span)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # not found is a KeyError
        return None


def known(name: str) -> str:
    """The name, or UTC instead of one that nobody knows."""
    return name if name and find(name) else NAME


def offsets(local: datetime, name: str) -> list[str]:
    """The offsets that a local time has in a zone: none in a gap, two where clocks were set back."""
    zone = find(name) or UTC
    both = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    real = [each for each in both if _is_there(each, zone, local)]
    return list(dict.fromkeys(spelled(each.utcoffset(), name) for each in real))


def _is_there(moment: datetime, zone: tzinfo, local: datetime) -> bool:
    """Whether clocks show the time then. No clock is set on the first and last day, which may be no date in UTC."""
    try:
        return moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
    except OverflowError:
        return True


def spelled(offset: timedelta | None, name: str = "") -> str:
    """As RFC 3339 has it; UTC itself is Z. Seconds of an offset, as before 1900, have no place there: ""."""
    if name in (NAME, "Z", "z"):
        return "Z"
    seconds = round((offset or timedelta()).total_seconds())
    sign, minutes = ("-" if seconds < 0 else "+"), abs(seconds) // 60
    return "" if seconds % 60 else f"{sign}{minutes // 60:02}:{minutes % 60:02}"


def named(offset: str) -> str:
    """The zone of an offset as it stands in a text."""
    return NAME if offset in ("Z", "z") else offset


def offset_now(name: str) -> str:
    """The offset that the zone has today, as a zone."""
    return NAME if find(name) is UTC else spelled(datetime.now(find(name) or UTC).utcoffset()) or NAME
