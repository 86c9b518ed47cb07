"""Reads batches and how far they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from wippy_console import permissions
from wippy_console.models import Batch, BatchItem
from wippy_console.services import grants, questions, runs, states
from wippy_console.services.errors import NotFoundError

SHOWN = 100
_LISTED = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """How many are done, failed and left; `failures` and `items` are the first of each."""

    done: int
    failed: int
    left: int
    failures: list[BatchItem]
    items: list[BatchItem]
    made: int

    @property
    def unlisted(self) -> int:
        """How many failures are not among those that are listed."""
        return self.failed - len(self.failures)

    @property
    def percent(self) -> int:
        """How much of it is behind."""
        total = self.done + self.failed + self.left
        return 100 * (self.done + self.failed) // total if total else 100


def listed(user: Any) -> QuerySet[Batch]:
    """The user's, or all for whoever may see what others did everywhere; newest first, without forsaken drafts."""
    rows = Batch.objects.select_related("user").exclude(state=Batch.State.DRAFT)
    return (rows if _sees_all(user) else rows.filter(user=user))[:_LISTED]


def get(user: Any, number: int) -> Batch:
    """One of these, or an own draft; NotFoundError."""
    batch = Batch.objects.select_related("user").filter(pk=number).first()
    if batch is None or not (batch.user_id == user.pk or (_sees_all(user) and batch.state != batch.State.DRAFT)):
        raise NotFoundError(f"There is no batch {number}.")
    return batch


def may_stop(user: Any, batch: Batch) -> bool:
    """Its owner, and whoever may terminate runs everywhere."""
    return batch.user_id == user.pk or permissions.scope(user, permissions.TERMINATE_RUN).everywhere


def progress(batch: Batch, user: Any = None) -> Progress:
    """How far it is; listed are the runs that the user (None: nobody in particular) may still see."""
    counts = dict(batch.items.order_by().values_list("state").annotate(Count("pk")))
    state = BatchItem.State
    items = batch.items.select_related("run").defer("run__input", "run__result")
    rows = grants.narrowed(items, user, permissions.VIEW_RUN, namespace="run__namespace") if user else items
    return Progress(
        done=counts.get(state.DONE, 0),
        failed=counts.get(state.FAILED, 0),
        left=counts.get(state.PENDING, 0),
        failures=list(rows.filter(state=state.FAILED)[:SHOWN]),
        items=list(rows[:SHOWN]),
        made=batch.items.exclude(made_run_id="").count() if batch.action in ("again", "reset") else 0,
    )


def standing(user: Any, batch: Batch) -> list[tuple[str, int]]:
    """How many of its runs are in which state now."""
    found = runs.visible(user).filter(pk__in=batch.items.values("run_id")).order_by()
    rows = list(found.defer("input", "result", "failure"))
    asking = set(found.filter(pk__in=questions.asking()).values_list("pk", flat=True))
    unserved = states.unserved(rows)
    told = (states.of(run, asks=run.pk in asking, unserved=run.pk in unserved).key for run in rows)
    return sorted(Counter(told).items(), key=lambda each: (-each[1], each[0]))


def _sees_all(user: Any) -> bool:
    return permissions.scope(user, permissions.VIEW_DECISION).everywhere
