"""Cron schedules as Temporal's server reads them: five fields, a descriptor as `@daily`, or `@every 1h`."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from engine.durations import parse_duration

_DESCRIPTORS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_ZONE = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.+)")
_PART = re.compile(r"(?:\*|\?|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_FIELDS: tuple[tuple[str, range, dict[str, int]], ...] = (
    ("minute", range(60), {}),
    ("hour", range(24), {}),
    ("day of month", range(1, 32), {}),
    ("month", range(1, 13), _MONTHS),
    ("day of week", range(7), _DAYS),
)


def cron_problem(text: str) -> str:
    """What is wrong with a cron schedule, or ""; an empty one is none."""
    zone = _ZONE.fullmatch(text.strip())
    schedule = zone[2] if zone else text.strip()
    if zone and not _is_zone(zone[1]):
        return f"{zone[1]} is no time zone"
    if not schedule or schedule in _DESCRIPTORS:
        return ""
    if schedule.startswith("@every "):
        return "" if (parse_duration(schedule.removeprefix("@every ")) or 0) > 0 else "@every needs a duration as 1h30m"
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"a cron schedule has five fields or is one of {', '.join(sorted(_DESCRIPTORS))}, @every 1h"
    return next((problem for field, rule in zip(fields, _FIELDS, strict=True) if (problem := _field(field, *rule))), "")


def _field(text: str, name: str, allowed: range, names: dict[str, int]) -> str:
    good = all(_is_part(part, allowed, names) for part in text.split(","))
    return "" if good else f"{text} is no {name}: {allowed.start} to {allowed.stop - 1}, a-b, */n, or a list of these"


def _is_part(text: str, allowed: range, names: dict[str, int]) -> bool:
    match = _PART.fullmatch(text)
    if match is None or (match[3] is not None and int(match[3]) == 0):
        return False
    ends = [_number(end, names) for end in (match[1], match[2]) if end is not None]
    return all(end in allowed for end in ends) and ends == sorted(ends)


def _number(text: str, names: dict[str, int]) -> int:
    return int(text) if text.isdecimal() else names.get(text.lower(), -1)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True
