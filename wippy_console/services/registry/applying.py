"""A tree of YAML and Lua files against the current version: what publishing it would change, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.registry import changes as changing
from engine.registry import tree as trees
from engine.registry.changes import Changes
from engine.registry.problems import Problem, errors_in
from wippy_console.models import Version
from wippy_console.services.registry import publishing, reading


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a tree would do to version `base`; problems stand with their files, as the tree names them."""

    base: int
    changes: Changes
    unchanged: int
    problems: tuple[Problem, ...]


def plan(files: Mapping[str, str | bytes], *, prune: bool) -> Plan:
    """Compare the files by their paths with the current version; `prune` deletes every entry that they lack.

    Nothing is pruned by a tree that could not be read as a whole. Reading a file may raise what `files` raises.
    """
    tree = trees.parse(files)
    base = reading.current_number()
    current = reading.snapshot(base)
    changes = changing.diff(current, tree.entries, delete=None if prune and not errors_in(tree.problems) else ())
    problems = trees.located(tree, publishing.preview(base, changes))
    return Plan(base, changes, len(set(tree.entries) & set(current)) - len(changes.update), problems)


def apply(planned: Plan, message: str) -> Version:
    """Publish a plan, for the command line: no right is asked for, and the version has no author."""
    return publishing.publish(None, planned.changes, base=planned.base, message=message, source=publishing.APPLY)
