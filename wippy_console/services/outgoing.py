"""Starts, signals and answers of Django code: kept in the transaction that wants them, sent when it has committed.

Whoever committed sends at once; what fails then, or dies before, is sent by the worker that leads. A row may be sent
twice: its key makes the second time the same start or signal to Temporal.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from engine.errors import UnitFailed
from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import Outgoing, Run
from wippy_console.services import accounts, decisions, runs
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 60
AT_ONCE = 50
GRACE = timedelta(seconds=5)
"""What was just written is being sent by whoever wrote it."""
BEHIND = "It waits for what was wanted of the same workflow before."


def start(entry: str, args: Sequence[Any], workflow_id: str, user: User | None) -> Outgoing:
    """Keep a start."""
    return _kept(Outgoing(deed=Outgoing.Deed.START, entry=entry, args=list(args), workflow_id=workflow_id, user=user))


def signal(workflow_id: str, topic: str, payload: Sequence[Any], user: User | None) -> Outgoing:
    """Keep a signal."""
    wanted = Outgoing(deed=Outgoing.Deed.SIGNAL, topic=topic, args=list(payload), workflow_id=workflow_id, user=user)
    return _kept(wanted)


def answer(workflow_id: str, topic: str, payload: Sequence[Any], user: User | None, *, reason: str, label: str) -> None:
    """Answer the question of the newest run: now, and refused as in the console; in a transaction it is kept."""
    wanted = Outgoing(
        deed=Outgoing.Deed.ANSWER,
        topic=topic,
        args=list(payload),
        workflow_id=workflow_id,
        user=user,
        reason=reason,
        label=label,
    )
    if transaction.get_connection().in_atomic_block:
        _kept(wanted)
    else:
        _sent(wanted)


def refused(user: Any) -> list[Outgoing]:
    """What could not be sent, the oldest first, for whoever may see it; no more than `AT_ONCE`."""
    if not permissions.allows(user, f"{permissions.APP}.view_outgoing"):
        return []
    return list(Outgoing.objects.exclude(problem="").defer("args")[:AT_ONCE])


def tick() -> None:
    """Send what is due, in order; the rest waits while Temporal does not answer. For the worker that leads."""
    due = Outgoing.objects.filter(due_at__lte=timezone.now(), created_at__lte=timezone.now() - GRACE)
    for key in list(due.values_list("key", flat=True)[:AT_ONCE]):
        if not send(key):
            return


def send(key: UUID) -> bool:
    """Send one; False when Temporal does not answer. What can't be sent says why in its row and is tried again."""
    row = Outgoing.objects.select_related("user").filter(key=key).first()
    if row is None:
        return True
    if _is_behind(row):
        _postponed(row, BEHIND)
        return True
    try:
        _sent(row)
    except Unavailable as error:
        _postponed(row, error.message)
        return False
    except (Refused, PermissionDenied, UnitFailed) as error:
        _postponed(row, str(error))
    else:
        Outgoing.objects.filter(key=key).delete()
    return True


def _kept(row: Outgoing) -> Outgoing:
    row.number = time.time_ns()
    row.save(force_insert=True)
    transaction.on_commit(partial(_sent_at_once, row.key), robust=True)
    return row


def _sent_at_once(key: UUID) -> None:
    send(key)


def _sent(row: Outgoing) -> None:
    user = row.user or accounts.code()
    match row.deed:
        case Outgoing.Deed.START:
            _started(row, user)
        case Outgoing.Deed.SIGNAL:
            decisions.send_raw(user, _run(row, user), row.topic, *row.args, reason="by code", key=row.key)
        case _:
            decisions.send(user, _run(row, user), row.topic, *row.args, reason=row.reason, label=row.label, key=row.key)


def _started(row: Outgoing, user: User) -> None:
    try:
        runs.start(user, row.entry, "", row.args, row.workflow_id, key=row.key)
    except Conflict:
        if not row.workflow_id:
            raise
        logger.info("%s runs already", row.workflow_id)


def _is_behind(row: Outgoing) -> bool:
    """Whether something for the same workflow was wanted before and is not sent: order is kept."""
    before = Outgoing.objects.filter(workflow_id=row.workflow_id, number__lt=row.number)
    return bool(row.workflow_id) and before.exists()


def _run(row: Outgoing, user: User) -> Run:
    """The newest of the workflow id."""
    run = runs.visible(user).filter(workflow_id=row.workflow_id).order_by("-started_at", "-run_id").first()
    if run is None:
        raise NotFoundError(f"There is no run of the workflow id {row.workflow_id} yet.")
    return run


def _postponed(row: Outgoing, why: str) -> None:
    logger.warning("%s is not sent: %s", row, why)
    pause = timedelta(seconds=min(2**row.tries, LONGEST_PAUSE))
    fields = {"tries": row.tries + 1, "due_at": timezone.now() + pause, "problem": storable_text(why)[:1000]}
    Outgoing.objects.filter(key=row.key).update(**fields)
