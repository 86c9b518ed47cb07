"""Short forms for the tests of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.entry import Entry
from engine.registry.problems import Problem
from engine.registry.sources import Source
from engine.registry.tree import Tree, located, parse
from engine.registry.validate import validate


def no_check(_: str, __: str) -> Source:
    """Take every Lua source as it is; engine.check has tests of its own."""
    return Source()


def index(entries: str, namespace: str = "app") -> dict[str, str | bytes]:
    """A tree of one `_index.yaml` with these entries."""
    return {"_index.yaml": f"namespace: {namespace}\nentries:\n{entries}"}


def found(files: Mapping[str, str | bytes]) -> list[str]:
    """Everything wrong with a tree, as text."""
    tree: Tree = parse(files)
    return [str(each) for each in located(tree, validate(tree.entries, no_check))]


def entry(name: str, kind: str, meta: Mapping[str, Any] | None = None, **data: Any) -> Entry:
    """An entry of the namespace app."""
    return Entry(f"app:{name}", kind, meta or {}, data)


def function(name: str, **data: Any) -> Entry:
    """A function of the namespace app."""
    return entry(name, "function.lua", source="return {}", **data)


def library(name: str, **data: Any) -> Entry:
    """A library of the namespace app."""
    return entry(name, "library.lua", source="return {}", **data)


def workflow(name: str, meta: Mapping[str, Any] | None = None, **data: Any) -> Entry:
    """A workflow of the namespace app."""
    return entry(name, "workflow.lua", meta, source="return {}", **data)


def problems(*entries: Entry, deleted: tuple[str, ...] = ()) -> list[Problem]:
    """What is wrong with the entries as a whole."""
    return list(validate({each.id: each for each in entries}, no_check, deleted=deleted))


def told(*entries: Entry, deleted: tuple[str, ...] = ()) -> list[str]:
    """What is wrong with the entries as a whole, as text."""
    return [str(each) for each in problems(*entries, deleted=deleted)]
