"""How often, how large, how long: values of `rate`, `max_body`, `timeout` and `wait`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.durations import SECOND, option_duration, option_lifetime
from engine.registry.hooks.unreadable import Unreadable

MAX_BODY = 1 << 20
LARGEST_BODY = 16 << 20
TIMEOUT = 30.0
LONGEST_TIMEOUT = 120.0
LONGEST_WAIT = 30 * 86_400.0
LONGEST_WINDOW = 86_400.0
MOST_REQUESTS = 1_000_000
_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "KIB": 1 << 10, "MB": 1 << 20, "MIB": 1 << 20}
_SIZE = re.compile(r"([0-9]{1,9}) ?([KM]?i?B)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests within `window` seconds, counted for each sender and `scope` (a router's id or a route's name).

    A sender is an address, or where `header` (lower case) is named, what this says.
    """

    requests: int
    window: float
    scope: str = ""
    header: str = ""


def rate(value: Any) -> tuple[int, float]:
    """Requests and seconds of `{requests: 60, window: 1m}` or `60/1m`; Unreadable."""
    if isinstance(value, str):
        requests, slash, window = value.partition("/")
        parts: Mapping[str, Any] = {"requests": requests.strip(), "window": window.strip() if slash else None}
    elif isinstance(value, Mapping):
        parts = value
    else:
        raise Unreadable('must be such as "60/1m", or a mapping with requests and window')
    return requests_of(parts.get("requests")), window_of(parts.get("window"))


def requests_of(value: Any, field: str = "requests") -> int:
    """How many; text too, as options of middleware have it."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    count = int(text) if text.isascii() and text.isdecimal() and len(text) <= 7 else 0
    if not 1 <= count <= MOST_REQUESTS:
        raise Unreadable(f"must be a number from 1 to {MOST_REQUESTS}", field)
    return count


def window_of(value: Any, field: str = "window") -> float:
    """Within how many seconds."""
    seconds = (option_duration(value) or 0) / SECOND
    if not 1 <= seconds <= LONGEST_WINDOW:
        raise Unreadable('must be a duration from 1s to 24h, such as "1m"', field)
    return seconds


def max_body(value: Any) -> int:
    """Bytes of a number, or of text such as 64KB (of 1024 bytes) or 2MB; Unreadable."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    size = int(found[1]) * _UNITS[(found[2] or "").upper()] if found else value
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= LARGEST_BODY:
        raise Unreadable('must be a number of bytes or such as "64KB", and at most 16MB')
    return size


def timeout(value: Any) -> float:
    """Seconds of a duration; Unreadable."""
    seconds = (option_duration(value) or 0) / SECOND
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise Unreadable('must be a duration of more than 0 and at most 2m, such as "30s"')
    return seconds


def wait(value: Any) -> float:
    """Seconds of a duration or a number of days; Unreadable."""
    nanoseconds = 0 if value == 0 and not isinstance(value, bool) else option_lifetime(value)
    seconds = -1 if nanoseconds is None else nanoseconds / SECOND
    if not 0 <= seconds <= LONGEST_WAIT:
        raise Unreadable('must be a duration of at most 30d, such as "10m"')
    return seconds
