"""What a browser sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LONGEST = 6


def counted(text: str) -> int:
    """The key of an item or the index of an alternative that a browser sent, -1 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST else -1


@dataclass(frozen=True, slots=True)
class Posted:
    """The texts and files of one request, by field name. `is_restored`: of a draft, which lacks what is not kept."""

    data: Mapping[str, Any]
    files: Mapping[str, Any] = field(default_factory=dict)
    is_restored: bool = False

    def has(self, name: str) -> bool:
        """Whether the field was sent at all."""
        return name in self.data

    def text(self, name: str) -> str:
        """The last text under the name, "" when there is none."""
        found = self.data.get(name, "")
        return str(found[-1] if found else "") if isinstance(found, list) else str(found)

    def texts(self, name: str) -> tuple[str, ...]:
        """All texts under the name, in the order of the page."""
        found = self.data.getlist(name) if hasattr(self.data, "getlist") else self.data.get(name, [])
        return tuple(str(each) for each in ([found] if isinstance(found, str) else found))

    def file(self, name: str) -> Any:
        """The uploaded file, None without one."""
        return self.files.get(name)
