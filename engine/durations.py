"""Durations of entries and options: Go's text syntax, or a number of milliseconds."""

from __future__ import annotations

import math
import re
from decimal import Decimal

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(rf"[+-]?(?:{_PART.pattern})+")
_DAYS = re.compile(r"([0-9]{1,5})d")
_LONGEST = 2**63 - 1


def parse_duration(text: str) -> int | None:
    """Nanoseconds of a Go duration such as `1h30m`, `1.5s` or `0`; None when it is malformed or too long."""
    text = text.strip()
    if text in {"0", "+0", "-0"}:
        return 0
    if not _WHOLE.fullmatch(text):
        return None
    total = int(sum(Decimal(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
    if total > _LONGEST:
        return None
    return -total if text.startswith("-") else total


def option_duration(value: object) -> int | None:
    """Nanoseconds of an option's value: a number is milliseconds, a text is Go's; None when it is neither."""
    match value:
        case bool():
            return None
        case int():
            return value * MILLISECOND
        case float() if math.isfinite(value):
            return int(value * MILLISECOND)
        case str():
            return parse_duration(value)
        case _:
            return None


def option_lifetime(value: object) -> int | None:
    """As `option_duration`; text may also be a number of days, such as `7d`."""
    days = _DAYS.fullmatch(value) if isinstance(value, str) else None
    return int(days[1]) * 86_400 * SECOND if days else option_duration(value)


def format_duration(nanoseconds: int) -> str:
    """The shortest exact text of whole units: `1m30s`, `250ms`, `1500ns`."""
    if nanoseconds < 0:
        return "-" + format_duration(-nanoseconds)
    if nanoseconds == 0:
        return "0s"
    parts = []
    for unit in ("h", "m", "s", "ms", "us", "ns"):
        count, nanoseconds = divmod(nanoseconds, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
