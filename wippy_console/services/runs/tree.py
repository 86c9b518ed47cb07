"""The tree of runs that a run belongs to: its children, theirs, and so on, as far as the user may see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from wippy_console.models import Run
from wippy_console.services.runs.searching import visible

MOST = 500
"""Runs in a tree; what is left out is counted at the run whose children they are."""

DEEPEST = 50

_READ = ("run_id", "workflow_id", "entry_id", "namespace", "status", "stuck_reason", "retrying", "started_at",
         "starts_at", "closed_at", "waiting", "waiting_totals", "next_deadline", "task_queue", "history_length",
         "elsewhere", "parent_run_id", "parent_workflow_id", "client")  # fmt: skip


@dataclass(slots=True)
class Branch:
    """A run in the tree. `left_out` counts its children that are not: there are too many, or they are too deep."""

    run: Run
    depth: int = 0
    children: list[Branch] = field(default_factory=list)
    left_out: int = 0


def tree(user: Any, run: Run, most: int = MOST) -> Branch:
    """The run with all below it, the oldest children first; a query for each level.

    Children that the user may not see are not in it, nor is what is below them.
    """
    root = Branch(run)
    level, room = [root], most - 1
    while level and room > 0 and level[0].depth < DEEPEST:
        below = _below(user, level, room + 1)
        for parent in level:
            found = below.get(parent.run.run_id, [])
            parent.children = [Branch(each, parent.depth + 1) for each in found[:room]]
            room -= len(parent.children)
        level = [child for parent in level for child in parent.children]
    _count_left_out(user, root)
    return root


def ancestors(user: Any, run: Run) -> list[Run]:
    """Those that the run was started by, the topmost first; it ends where the user may not see one."""
    found: list[Run] = []
    seen, at = {run.run_id}, run
    while len(found) < DEEPEST and at.parent_run_id and at.parent_run_id not in seen:
        above = visible(user).filter(run_id=at.parent_run_id).only(*_READ).first()
        if above is None:
            break
        seen.add(above.run_id)
        found.append(above)
        at = above
    return found[::-1]


def listed(root: Branch) -> list[Branch]:
    """The branches depth first, as a list shows them."""
    found, waiting = [], [root]
    while waiting:
        found.append(branch := waiting.pop())
        waiting.extend(reversed(branch.children))
    return found


def _below(user: Any, level: Iterable[Branch], most: int) -> dict[str, list[Run]]:
    ids = [branch.run.run_id for branch in level]
    rows = visible(user).filter(parent_run_id__in=ids).only(*_READ).order_by("started_at", "run_id")
    found: dict[str, list[Run]] = defaultdict(list)
    for each in rows[:most]:
        found[each.parent_run_id].append(each)
    return found


def _count_left_out(user: Any, root: Branch) -> None:
    branches = listed(root)
    rows = visible(user).filter(parent_run_id__in=[each.run.run_id for each in branches]).order_by()
    totals = dict(rows.values_list("parent_run_id").annotate(Count("pk")))
    for each in branches:
        each.left_out = totals.get(each.run.run_id, 0) - len(each.children)
