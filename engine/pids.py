"""Pids: the addresses of units, as `{node@host|uniq}` or `{host|uniq}` (docs/lua.md#pids).

A process or function has the id of its node in front: it can be reached from every other. A workflow, which
lives on no node, has its client's entry id there. Which of the two a pid is, the kind of its host tells.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pid:
    """A parsed pid. `node` is "" for what is no unit: an update, the console, Temporal itself."""

    node: str
    host: str
    uniq: str

    def __str__(self) -> str:
        return f"{{{self.node}@{self.host}|{self.uniq}}}" if self.node else f"{{{self.host}|{self.uniq}}}"

    @classmethod
    def parse(cls, text: str) -> Pid | None:
        """The pid that `text` spells, or None. `uniq` may hold any character, `|` and `}` included."""
        if not (text.startswith("{") and text.endswith("}")):
            return None
        place, bar, uniq = text[1:-1].partition("|")
        if not bar or not uniq:
            return None
        node, at, host = place.partition("@")
        if not at:
            node, host = "", place
        return cls(node, host, uniq) if host else None
