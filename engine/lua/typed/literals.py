"""Ids of entries that stand as literals in a source, where they are called, spawned or executed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.lua.typed.tokens import Kind, Lines, Token, tokenize

STARTS = frozenset(("call", "async", "exec", "spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored"))
"""Functions and methods whose first argument is an entry's id: of funcs, process, workflow, and what `new` makes."""

_ID = re.compile(r"""["']([A-Za-z_][\w.-]*:[A-Za-z_][\w./-]*)["']""", re.ASCII)


def called(source: str) -> Iterator[tuple[str, int]]:
    """(id, line) of each literal id `namespace:name`; what is computed, or no such id, is left out."""
    if not _ID.search(source):
        return
    tokens, lines = tokenize(source), Lines(source)
    for at in range(1, len(tokens) - 1):
        if tokens[at].text in STARTS and tokens[at].kind is Kind.NAME and tokens[at - 1].is_(".", ":"):
            yield from _first(tokens, at + 1, lines)


def _first(tokens: list[Token], at: int, lines: Lines) -> Iterator[tuple[str, int]]:
    """The literal that is the whole first argument; one that is only a part of it may be anything."""
    in_brackets = tokens[at].is_("(")
    token = tokens[at + in_brackets]
    is_whole = not in_brackets or tokens[at + 2].is_(",", ")")
    if token.kind is Kind.STRING and is_whole and (found := _ID.fullmatch(token.text)):
        yield found[1], lines.line(token.start)
