"""Problems: what is wrong with entries, all of them, each with the place where it can be mended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. An error forbids publishing, a warning only informs.

    `field` is a dotted path in the entry (`meta.signals.0.tone`); `line` is 1-based in `file`, or, when
    `file` is "" and `field` is "source", in the entry's Lua text.
    """

    message: str
    entry_id: str = ""
    field: str = ""
    file: str = ""
    line: int | None = None
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = [self.file or (self.entry_id if self.line else ""), str(self.line or "")]
        where = ":".join(part for part in place if part)
        subject = " ".join(part for part in (self.entry_id, self.field) if part)
        text = f"{self.message} ({self.hint})" if self.hint else self.message
        return ": ".join(part for part in (where, subject, text) if part)

    def to_json(self) -> dict[str, Any]:
        """The problem as JSON data, one key per field."""
        return {name: getattr(self, name) for name in self.__slots__}


def errors_in(problems: Iterable[Problem]) -> list[Problem]:
    """Only those that forbid publishing."""
    return [problem for problem in problems if problem.severity == "error"]


def warnings_in(problems: Iterable[Problem]) -> list[Problem]:
    """Only those that inform."""
    return [problem for problem in problems if problem.severity == "warning"]


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The distinct problems by file, line and entry: the order in which a person mends them."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line or 0, p.entry_id, p.field, p.message)))
