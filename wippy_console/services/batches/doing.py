"""Carries batches out, a slice at a time. Each run's row tells what was done, so a crash loses and repeats nothing.

An act is sent under a key made of the batch and the run: whatever died in between, the same key gives the same effect.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Iterator

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from wippy_console.models import Batch, BatchItem
from wippy_console.services.batches.acts import ACTS, Made
from wippy_console.services.batches.moving import bare
from wippy_console.services.errors import NoVerdict, Refused, Unavailable

logger = logging.getLogger(__name__)

SECONDS = 0.5
"""So long a slice takes at most, of all batches together, about once a second."""
_HEAVY = ("run__input", "run__result", "run__failure")
AT_ONCE = 25
"""Runs in one slice: the rate of a batch is bounded, whatever Temporal could take."""


def tick() -> int:
    """Do a slice of each batch that runs; returns how many runs it brought to their end. Called by the reconciler."""
    batches = list(Batch.objects.filter(state=Batch.State.RUNNING).select_related("user").order_by("started_at"))
    away: set[str] = set()
    return sum(_slice(batch, SECONDS / len(batches), max(1, AT_ONCE // len(batches)), away) for batch in batches)


def _slice(batch: Batch, seconds: float, most: int, away: set[str]) -> int:
    """`away` are the clients whose Temporal did not answer: each is waited for once in a round, not for every run."""
    until, ended = time.monotonic() + seconds, 0
    for item in _left(batch, most):
        if item.run.client in away:
            continue
        try:
            ended += _carried_out(batch, item)
        except Unavailable as silent:
            logger.warning("batch %s waits for %s: %s", batch.pk, item.run.client, silent)
            away.add(item.run.client)
        if time.monotonic() > until or not _goes_on(batch):
            return ended
    if not batch.items.filter(state=BatchItem.State.PENDING).exists():
        _finish(batch)
    return ended


def _left(batch: Batch, most: int) -> Iterator[BatchItem]:
    """The next ones, by turns of chance among the first: one that waits for Temporal keeps none behind it."""
    left = batch.items.filter(state=BatchItem.State.PENDING).select_related("run").defer(*_HEAVY)
    found = list(left.order_by("position")[: 2 * most])
    yield from (
        found[:most] if len(found) <= most else sorted(random.sample(found, most), key=lambda each: each.position)
    )


def _goes_on(batch: Batch) -> bool:
    return Batch.objects.filter(pk=batch.pk, state=Batch.State.RUNNING).exists()


def _carried_out(batch: Batch, item: BatchItem) -> bool:
    """Do it to one run; whether it is done with, well or not. Unavailable when Temporal does not answer."""
    try:
        made = ACTS[batch.action].do(batch, item.run, key_of(batch, item))
    except NoVerdict as waiting:
        logger.info("batch %s, run %s: %s", batch.pk, item.run_id, waiting)
        return False
    except (Unavailable, DatabaseError, InterfaceError):
        raise
    except (Refused, PermissionDenied) as refusal:
        return _settle(item, BatchItem.State.FAILED, error=str(refusal))
    except Exception as error:  # one that breaks must not keep the others from it
        logger.exception("batch %s broke at run %s", batch.pk, item.run_id)
        return _settle(item, BatchItem.State.FAILED, error=f"It broke: {type(error).__name__}. The log has more.")
    return _settle(item, BatchItem.State.DONE, made=made)


def key_of(batch: Batch, item: BatchItem) -> uuid.UUID:
    """The same at every try."""
    return uuid.uuid5(batch.key, item.run_id)


def _settle(item: BatchItem, state: BatchItem.State, *, error: str = "", made: Made = ("", "")) -> bool:
    left = BatchItem.objects.filter(pk=item.pk, state=BatchItem.State.PENDING)
    workflow_id, run_id = made
    now = timezone.now()
    changed = left.update(state=state, error=error, made_workflow_id=workflow_id, made_run_id=run_id, done_at=now)
    return bool(changed)


def _finish(batch: Batch) -> None:
    Batch.objects.filter(pk=batch.pk, state=Batch.State.RUNNING).update(
        state=Batch.State.DONE, finished_at=timezone.now(), options=bare(batch)
    )
