"""Confirms and stops batches."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from wippy_console import permissions
from wippy_console.models import Batch
from wippy_console.services import audit, schemas
from wippy_console.services.batches.acts import ACTS
from wippy_console.services.batches.reading import may_stop
from wippy_console.services.errors import Conflict, Refused

KEPT_SHORT = "payload"
"""What of the options goes when the batch has ended."""
STEPS = ("last", "first")


def start(user: Any, batch: Batch, reason: str, options: dict[str, Any]) -> Batch:
    """Let the worker that leads begin; the same again changes nothing. Its owner alone confirms a draft.

    `options`: of a signal `topic` and perhaps `payload`, of a reset `step` ("first" or "last") and `signals`.
    """
    if batch.user_id != user.pk:
        raise PermissionDenied("Only whoever chose these runs confirms it.")
    permissions.require(user, ACTS[batch.action].permission)
    if not reason.strip():
        raise Refused("Say why.", {"reason": ["A reason is required."]})
    _check(batch, options)
    with transaction.atomic():
        mine = Batch.objects.filter(pk=batch.pk, state=Batch.State.DRAFT).update(
            state=Batch.State.RUNNING, reason=reason.strip(), options=options, started_at=timezone.now()
        )
        batch.refresh_from_db()
        if mine:
            _note(batch, user, "started")
    return batch


def stop(user: Any, batch: Batch) -> Batch:
    """Leave the rest alone; what is done is done. Conflict when it has ended."""
    if not may_stop(user, batch):
        raise PermissionDenied("You may not stop this batch.")
    with transaction.atomic():
        mine = Batch.objects.filter(pk=batch.pk, state=Batch.State.RUNNING).update(
            state=Batch.State.STOPPED, stopped_by=user.get_username(), finished_at=timezone.now(), options=bare(batch)
        )
        if not mine:
            raise Conflict("The batch has ended already.")
        batch.refresh_from_db()
        _note(batch, user, "stopped")
    return batch


def bare(batch: Batch) -> dict[str, Any]:
    """The options without what may be secret."""
    return {name: value for name, value in batch.options.items() if name != KEPT_SHORT}


def _check(batch: Batch, options: dict[str, Any]) -> None:
    if batch.action == "signal":
        schemas.refuse_topic(str(options.get("topic", "")), "__temporal")
        schemas.refuse_unsendable([options[KEPT_SHORT]] if KEPT_SHORT in options else [], "The payload")
    if batch.action == "reset" and options.get("step") not in STEPS:
        raise Refused("Choose the step to go back to.", {"step": ["Choose one of these."]})


def _note(batch: Batch, user: Any, outcome: str) -> None:
    about = {"batch": batch.pk, "action": batch.action, "runs": batch.total, "reason": batch.reason}
    said = {**about, "origin": batch.origin, "options": bare(batch)}
    audit.append(audit.BATCH, user, label=ACTS[batch.action].word, outcome=outcome, data=said)
