"""Time zones for Lua, from the bundled tzdata package: the machine's own zone files may differ from node to node."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from engine.errors import UnitFailed, not_found
from engine.steps import Value

_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_FIRST, _LAST = -62135510400, 253402214400  # the years that datetime can hold, a day inside


@lru_cache(maxsize=600)
def _zone(name: str) -> ZoneInfo:
    if not _NAME.fullmatch(name):
        raise UnitFailed(not_found(f"unknown time zone {name}"))
    place = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    try:
        with place.open("rb") as file:
            return ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError):
        raise UnitFailed(not_found(f"unknown time zone {name}")) from None


def zone(name: str, seconds: int) -> Value:
    """{offset, zone} that hold in the named zone at a moment (seconds since the epoch)."""
    moment = datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC).astimezone(_zone(name))
    offset = moment.utcoffset()
    assert offset is not None
    return {"offset": int(offset.total_seconds()), "zone": moment.tzname() or ""}


PURE: dict[str, Callable[..., Value]] = {"time.zone": zone}
