"""Which parts of a JSON Schema hold something that is marked as a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wippy_console.services.pointers import find
from wippy_console.services.secrets.masking import holds


def is_secret(part: Mapping[str, Any]) -> bool:
    """Whether a value of the part is one as a whole."""
    return part.get("writeOnly") is True or part.get("format") == "password"


class Marks:
    """Those of one schema. What it refers to is read once."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._any = holds(root)
        self._read: dict[str, tuple[bool, list[str]]] = {}

    def within(self, part: Any) -> bool:
        """Whether something is marked in the part, or in what it refers to; rather too much than too little."""
        if not self._any:
            return False
        found, waiting = _scan(part)
        seen = set(waiting)
        while waiting and not found:
            found, further = self._target(waiting.pop())
            waiting += set(further) - seen
            seen.update(further)
        return found

    def _target(self, ref: str) -> tuple[bool, list[str]]:
        if ref not in self._read:
            self._read[ref] = _scan(find(self._root, ref))
        return self._read[ref]


def _scan(part: Any) -> tuple[bool, list[str]]:
    """Whether something is marked in the part itself, and all its references."""
    waiting, refs = [part], []
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            if is_secret(each):
                return True, []
            refs += [ref for name in ("$ref", "$dynamicRef") if isinstance(ref := each.get(name), str)]
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return False, refs
