"""Which of several runs of a workflow id is the newest: Temporal's current one."""

from __future__ import annotations

from django.db.models import F, QuerySet

from wippy_console.models import Run

# One run of an id is open at a time, so those of an id end in the order in which Temporal made them. Start times don't
# tell: a reset keeps the first one (docs/pitfalls.md#start-times-of-reset-runs). Between a start and the news that the
# run before has ended two rows are open: the one that took a step last is the newer.
_ORDER = (F("closed_at").desc(nulls_first=True), "-started_at", "-observed_at", "-run_id")


def newest_of(runs: QuerySet[Run]) -> Run | None:
    """The newest of the runs of one workflow id, None when there is none."""
    return runs.order_by(*_ORDER).first()
