"""URL path converters: ids may hold slashes, quotes, colons, spaces and any other character."""

from __future__ import annotations

import re

_ALTERABLE = re.compile(r"%*\.{0,2}")
_ALTERED = re.compile(r"%+\.{0,2}")


class IdConverter:
    """A workflow id, an entry id or a foreign workflow type, slashes included; Django's `reverse` percent-encodes it.

    Browsers and proxies drop empty, "." and ".." segments, encoded or not, so such a segment gets a "%" in front.
    """

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        """The id that the address spells."""
        return "/".join(part[1:] if _ALTERED.fullmatch(part) else part for part in value.split("/"))

    def to_url(self, value: str) -> str:
        """The id with segments marked that would not survive the way."""
        return "/".join(f"%{part}" if _ALTERABLE.fullmatch(part) else part for part in value.split("/"))


class RunIdConverter:
    """A run id, which is always a UUID; that tells where the workflow id before it ends."""

    regex = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> str:
        """Unchanged."""
        return value

    def to_url(self, value: str) -> str:
        """Unchanged."""
        return value
