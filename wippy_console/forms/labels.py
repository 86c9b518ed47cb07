"""What was typed, told outside of its form: texts by what their fields are called, without what forms send along."""

from __future__ import annotations

from wippy_console.forms.schema import names
from wippy_console.forms.typed import Pairs

HIDDEN = {
    "action", "answer", "base", "chosen", "confirmed", "entry", "key", "next", "over", "question", "state", "tab",
    "view",
}  # fmt: skip
"""Fields that nobody types into."""


def told(pairs: Pairs) -> Pairs:
    """The texts by label; a field's helpers (`f-when:zone`) are none."""
    return [(label_of(name), text) for name, text in pairs if text and ":" not in name and name not in HIDDEN]


def label_of(name: str) -> str:
    """What a field is called: for that of a schema its path, whose titles may be gone with the entry."""
    if name.startswith(names.PREFIX):
        return names.shown(name)
    return name.replace("_", " ").capitalize()
