"""Runs of one workflow id that follow each other: continued as new, retried, by cron, reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from wippy_console.models import Run
from wippy_console.services.runs.searching import newer, visible

_BEHIND = ~Q(previous_run_id="")
"""What the index of followers holds; a query that does not say so reads all rows."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The runs around one; None where there is none, or none that the user may see."""

    first: Run | None = None
    previous: Run | None = None
    next: Run | None = None
    newest: Run | None = None

    @property
    def links(self) -> list[tuple[str, Run]]:
        """Each with its word, once; the nearest word wins."""
        found: dict[str, tuple[str, Run]] = {}
        for word, run in (
            ("Previous", self.previous),
            ("Next", self.next),
            ("First", self.first),
            ("Newest", self.newest),
        ):
            if run is not None and run.pk not in found:
                found[run.pk] = word, run
        order = ("First", "Previous", "Next", "Newest")
        return sorted(found.values(), key=lambda each: order.index(each[0]))


def chain_of(user: Any, run: Run) -> Chain:
    """The runs before and after this one."""
    ids = {run.first_run_id, run.previous_run_id, run.next_run_id} - {"", run.pk}
    rows = visible(user).defer("input", "result", "failure")
    known = {each.pk: each for each in rows.filter(pk__in=ids)} if ids else {}
    following = known.get(run.next_run_id) or rows.filter(_BEHIND, previous_run_id=run.pk).first()
    first, previous = known.get(run.first_run_id), known.get(run.previous_run_id)
    return Chain(first, previous, following, newer(user, run))
