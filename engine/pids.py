"""Pids: the addresses of units, as `{node@host|uniq}` or `{host|uniq}` (lua-api 4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pid:
    """A parsed pid. `node` is "" for a unit of this node; a workflow's node is its client's entry id."""

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
