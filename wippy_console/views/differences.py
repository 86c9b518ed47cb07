"""Differences of two texts as rows to draw."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison; `old` and `new` are its numbers, None where it is absent; a `gap` hides equal lines."""

    kind: Literal["same", "added", "removed", "gap"]
    old: int | None
    new: int | None
    text: str

    @property
    def sign(self) -> str:
        """What stands before the line."""
        return {"added": "+", "removed": "−", "same": " ", "gap": "⋯"}[self.kind]


def unified(before: str, after: str) -> list[Line]:
    """The lines of both texts, long equal stretches left out; empty when the texts are equal."""
    a, b = before.splitlines(), after.splitlines()
    if a == b:
        return []
    lines: list[Line] = []
    end = 0
    for group in SequenceMatcher(None, a, b, autojunk=False).get_grouped_opcodes(CONTEXT):
        if group[0][1] > end:
            lines.append(Line("gap", None, None, f"{group[0][1] - end} equal lines"))
        for opcode in group:
            lines += of_opcode(opcode, a, b)
        end = group[-1][2]
    if end < len(a):
        lines.append(Line("gap", None, None, f"{len(a) - end} equal lines"))
    return lines


def of_opcode(opcode: tuple[str, int, int, int, int], a: list[str], b: list[str]) -> list[Line]:
    """One step of the comparison: equal lines, or the removed ones before the added ones."""
    tag, low, high, new_low, new_high = opcode
    if tag == "equal":
        return [Line("same", low + i + 1, new_low + i + 1, text) for i, text in enumerate(a[low:high])]
    removed = [Line("removed", low + i + 1, None, text) for i, text in enumerate(a[low:high])]
    return removed + [Line("added", None, new_low + i + 1, text) for i, text in enumerate(b[new_low:new_high])]
