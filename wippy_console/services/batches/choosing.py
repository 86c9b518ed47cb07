"""Chooses the runs of a batch, exactly: what is shown for confirmation is what is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from wippy_console import permissions
from wippy_console.models import Batch, BatchItem, Run
from wippy_console.services import runs
from wippy_console.services.batches.acts import ACTS, Act
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.runs import Wanted

MOST = 5000
"""Runs of one batch."""
_TOO_MANY = "More than {:,} runs match. A batch takes at most so many: narrow the filters."
_OLD = timedelta(days=1)
_CHUNK = 500


def draft_of(user: Any, action: str, run_ids: Iterable[str]) -> Batch:
    """A batch over those runs, as far as the user may see them, for its owner to confirm; Refused, PermissionDenied."""
    act, wanted = _act(user, action), list(dict.fromkeys(run_ids))
    if not wanted:
        raise Refused("Nothing is chosen: tick some runs, or take all that match.")
    if len(wanted) > MOST:
        raise Refused(_TOO_MANY.format(MOST))
    seen = {run.pk: run for run in _known(user, wanted)}
    if not seen:
        raise NotFoundError("There are no such runs.")
    return _made(user, action, act, [seen[pk] for pk in wanted if pk in seen], {"chosen": len(wanted)})


def draft_of_query(user: Any, action: str, query: Mapping[str, str], wanted: Wanted) -> Batch:
    """The same over all runs that match filters now, newest first; later ones are not among them.

    `query` tells of the filters.
    """
    act, rows = _act(user, action), runs.filtered(user, wanted).only("run_id", "status", "started_at")
    found = list(rows.order_by("-started_at", "-run_id")[: MOST + 1])
    if len(found) > MOST:
        raise Refused(_TOO_MANY.format(MOST))
    if not found:
        raise Refused("No run matches.")
    return _made(user, action, act, found, {"query": dict(query)})


def draft_of_made(user: Any, batch: Batch, action: str) -> Batch:
    """The same over the runs that another batch started: that is how it is undone."""
    made = batch.items.exclude(made_run_id="").values_list("made_run_id", flat=True)
    return draft_of(user, action, made)


def _act(user: Any, action: str) -> Act:
    if action not in ACTS:
        raise Refused("Choose what to do with the runs.")
    permissions.require(user, ACTS[action].permission)
    return ACTS[action]


def _known(user: Any, ids: list[str]) -> Iterator[Run]:
    for at in range(0, len(ids), _CHUNK):  # SQLite takes so many values in one query
        yield from runs.visible(user).filter(pk__in=ids[at : at + _CHUNK]).only("run_id", "status")


@transaction.atomic
def _made(user: Any, action: str, act: Act, found: list[Run], origin: dict[str, Any]) -> Batch:
    Batch.objects.filter(state=Batch.State.DRAFT, created_at__lt=timezone.now() - _OLD).delete()
    reached = [run for run in found if run.is_open or not act.needs_open]
    if not reached:
        raise Refused(f"All of these {len(found):,} runs have ended: there is nothing to {act.word.lower()}.")
    batch = Batch.objects.create(
        user=user, action=action, origin=origin, total=len(reached), left_out=len(found) - len(reached)
    )
    items = [BatchItem(batch=batch, run_id=run.pk, position=at) for at, run in enumerate(reached)]
    BatchItem.objects.bulk_create(items, batch_size=_CHUNK)
    return batch
