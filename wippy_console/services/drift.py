"""Drift: where functions of code are not one thing: in the registry, in what code declares, and between processes.

A deployment under way shows it for a while, one that stopped half-way for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.check import check_source
from engine.entry import Entry, namespace_of
from engine.registry import kinds
from wippy_console import permissions
from wippy_console.models import Node
from wippy_console.services import fleet, python_functions, registry

HERE = "this web process"
MOST_NAMED, MOST_ASKED = 3, 100


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: of which entry, and in words what it is and which side counts."""

    entry_id: str
    text: str


def of_all(user: Any) -> list[Drift]:
    """All that the user may see, by id."""
    scope = permissions.scope(user, permissions.VIEW_REGISTRY)
    if scope.nowhere:
        return []
    named = registry.of_kinds(kinds.PYTHON_FUNCTION)
    nodes = list(fleet.alive())
    found = [*_left_out(named), *_declared(_ids(nodes), nodes)]
    return [each for each in found if scope.covers(namespace_of(each.entry_id))]


def of(user: Any, entry_id: str) -> list[Drift]:
    """That of one entry, and what its Lua code calls that is nowhere any more."""
    if not permissions.allows(user, permissions.VIEW_REGISTRY, namespace_of(entry_id)):
        return []
    known = registry.snapshot(None, [entry_id])
    nodes = list(fleet.alive())
    calling = _calling(user, known[entry_id]) if entry_id in known else ()
    return [*_left_out(known.values()), *_declared({entry_id} & _ids(nodes), nodes), *calling]


def _calling(user: Any, entry: Entry) -> Iterator[Drift]:
    source = entry.data.get("source") if entry.kind in kinds.LUA else None
    if not isinstance(source, str):
        return
    scope = permissions.scope(user, permissions.VIEW_REGISTRY)
    named = {each.target for each in check_source(source, entry.id).named if scope.covers(namespace_of(each.target))}
    asked = sorted(each for each in named if python_functions.entry(each) is None)[:MOST_ASKED]
    known = registry.snapshot(None, asked) if asked else {}
    for target in asked:
        if target not in known:
            text = f"It names {target}, which neither the registry nor code here has: what calls or starts it fails."
            yield Drift(entry.id, f"{text} A workflow of another language may be served elsewhere.")


def _left_out(entries: Iterable[Entry]) -> Iterator[Drift]:
    for each in entries:
        if text := python_functions.left_out(each):
            yield Drift(each.id, text)


def _ids(nodes: Sequence[Node]) -> set[str]:
    """All that code declares, here or on a node."""
    return {
        *(each.entry.id for each in python_functions.declared()),
        *(entry_id for node in nodes for entry_id in node.functions),
    }


def _declared(ids: Collection[str], nodes: Sequence[Node]) -> Iterator[Drift]:
    if not ids:
        return
    here = {each.entry.id: each.digest for each in python_functions.declared()}
    known = registry.snapshot(None, ids)
    for entry_id in sorted(ids):
        declared = python_functions.entry(entry_id)
        if entry_id in known:
            if declared is None or (known[entry_id].meta, known[entry_id].data) != (declared.meta, declared.data):
                text = "The registry has an entry of this id as well, and says something else: the registry counts."
                yield Drift(entry_id, text)
        elif text := _between(entry_id, here, nodes):
            yield Drift(entry_id, text)


def _between(entry_id: str, here: Mapping[str, str], nodes: Sequence[Node]) -> str:
    """How processes differ; "" where they don't."""
    digests = {HERE: here.get(entry_id, ""), **{node.id: node.functions.get(entry_id, "") for node in nodes}}
    if len(set(digests.values())) == 1:
        return ""
    usual = max(digests.values(), key=lambda each: (each != "", list(digests.values()).count(each)))
    lacking = [name for name, digest in digests.items() if not digest]
    other = [name for name, digest in digests.items() if digest not in ("", usual)]
    parts = [f"is not known to {_names(lacking)}"] * bool(lacking) + [f"is another on {_names(other)}"] * bool(other)
    return (
        f"What code declares here {' and '.join(parts)}: calls fail or differ by where they run. Restart what is old."
    )


def _names(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
