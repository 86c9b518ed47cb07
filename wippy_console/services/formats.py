"""Formats of texts that JSON Schema names, as their standards have them."""

from __future__ import annotations

import re
from datetime import datetime

from jsonschema import Draft202012Validator, FormatChecker

_CLOCK = (
    r"(?P<hm>(?:[01]\d|2[0-3]):[0-5]\d)(?::(?P<s>[0-5]\d|60)(?P<fraction>\.\d+)?)?"
    r"(?P<zone>[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?"
)
TIME = re.compile(_CLOCK, re.ASCII)
"""A time of RFC 3339, or one that lacks its seconds or zone."""

MOMENT = re.compile(rf"(?P<day>\d{{4}}-\d\d-\d\d)[Tt ]{_CLOCK}", re.ASCII)
"""A date with such a time."""


def local(found: re.Match[str]) -> datetime | None:
    """The local time of a MOMENT to the second, None for a day that no calendar has.

    A leap second counts as the one before.
    """
    seconds = "59" if found["s"] == "60" else found["s"] or "00"
    try:
        return datetime.fromisoformat(f"{found['day']}T{found['hm']}:{seconds}")
    except ValueError:
        return None


def _checker() -> FormatChecker:
    """The dialect's own, with the two that need what it lacks here."""
    found = FormatChecker([])
    found.checkers = {**Draft202012Validator.FORMAT_CHECKER.checkers}
    found.checks("date-time")(_is_moment)
    found.checks("time")(_is_time)
    return found


def _is_moment(text: object) -> bool:
    match = MOMENT.fullmatch(text) if isinstance(text, str) else None
    return not isinstance(text, str) or bool(match and match["zone"] and match["s"] and local(match))


def _is_time(text: object) -> bool:
    match = TIME.fullmatch(text) if isinstance(text, str) else None
    return not isinstance(text, str) or bool(match and match["zone"] and match["s"])


CHECKER = _checker()
