"""Spelling: which known word an unknown one probably stands for."""

from __future__ import annotations

from collections.abc import Iterable

SHORT = 4


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word at most two edits away (one for words of up to four letters), ignoring case; else None."""
    limit = 1 if len(word) <= SHORT else 2
    alike = (each for each in known if abs(len(each) - len(word)) <= limit)
    near = [(distance(word.casefold(), each.casefold()), each) for each in alike]
    return min((pair for pair in near if pair[0] <= limit), default=(0, None))[1]


def distance(a: str, b: str) -> int:
    """How many single-letter edits or swaps of neighbours lead from `a` to `b`."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        rows.append([i])
        for j, y in enumerate(b, 1):
            steps = [rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (x != y)]
            if i > 1 and j > 1 and (x, y) == (b[j - 2], a[i - 2]):
                steps.append(rows[i - 2][j - 2] + 1)
            rows[i].append(min(steps))
    return rows[-1][-1]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known word, or "" when none is near."""
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else ""


def names(text: str) -> tuple[str, ...]:
    """The words of a text, for tables of names that would fill a page one by one."""
    return tuple(text.split())


def listed(words: Iterable[str]) -> str:
    """The words as text: `a`, `b`, `c`."""
    return ", ".join(f"`{word}`" for word in words)
