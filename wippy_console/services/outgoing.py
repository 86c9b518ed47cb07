"""Starts, signals and answers of Django code: kept in the transaction that wants them, sent when it has committed.

Whoever committed sends the first ones at once; the rest, what fails then, or dies before, is sent by the worker that
leads. A row may be sent twice: its key makes the second time the same start, signal or answer.

What is for one workflow id is sent in the order in which it was wanted. A passing cause (Temporal is away) holds up
what comes after; what was refused for good holds up nothing, and stays until somebody sends it again or deletes it.
"""

from __future__ import annotations

import logging
import time
import traceback
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from engine import errors as kinds
from engine.entry import namespace_of
from engine.errors import UnitFailed
from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import Outgoing, Run
from wippy_console.models.masks import MASK
from wippy_console.models.outgoing import GRACE
from wippy_console.services import accounts, decisions, runs, schemas
from wippy_console.services.errors import Conflict, NotFoundError, NoVerdict, Refused, RunEnded, Unavailable

logger = logging.getLogger(__name__)

State = Outgoing.State

LONGEST_PAUSE = 60
AT_ONCE = 200
OF_A_COMMIT = 10
"""So many rows of a transaction are sent by whoever committed it, who waits for that."""
MOST_TRIES = 15
"""About ten minutes: what then still lacks its entry or run is refused for good."""
LISTED = 50
SHORTEST = 4
"""Characters of a value that a refusal must not repeat; shorter ones would blot out its words."""
BEHIND = "It waits for what was wanted of the same workflow before."

_PASSING = (kinds.RATE_LIMITED, kinds.PERMISSION_DENIED, kinds.TIMEOUT, kinds.INTERNAL, kinds.CANCELED)
"""Kinds of failures of a start that say nothing of the start: a certificate that has expired, too many at once."""


def start(entry: str, args: Sequence[Any], workflow_id: str, user: User | None) -> Outgoing:
    """Keep a start, under an id made up for it if it has none; PermissionDenied when the user may not."""
    if user is not None:
        permissions.require(user, permissions.START_RUN, namespace_of(entry))
    key = uuid.uuid4()
    named = workflow_id or f"{entry.rpartition(':')[2]}-{key.hex}"
    return _kept(
        Outgoing(key=key, deed=Outgoing.Deed.START, entry=entry, args=list(args), workflow_id=named, user=user)
    )


def signal(workflow_id: str, topic: str, payload: Sequence[Any], user: User | None) -> Outgoing:
    """Keep a signal; Refused for what is no topic, PermissionDenied when the user may not."""
    schemas.refuse_topic(topic, decisions.RESERVED)
    wanted = Outgoing(deed=Outgoing.Deed.SIGNAL, topic=topic, args=list(payload), workflow_id=workflow_id, user=user)
    _require(wanted, permissions.RAW_SIGNAL_RUN)
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
        _require(wanted, permissions.SIGNAL_RUN)
        _kept(wanted)
    else:
        _sent(wanted)


def unsent(user: Any) -> list[Outgoing]:
    """What is not sent though it should be by now, the oldest first, for whoever may see it; at most `LISTED`."""
    if not permissions.allows(user, f"{permissions.APP}.view_outgoing"):
        return []
    late = ~Q(problem="") | Q(created_at__lt=timezone.now() - GRACE)
    return list(Outgoing.objects.filter(late).defer("args")[:LISTED])


def start_of(workflow_id: str) -> Outgoing | None:
    """The start of that workflow which is not sent yet, None when there is none."""
    return Outgoing.objects.filter(workflow_id=workflow_id, deed=Outgoing.Deed.START).defer("args").last()


def send_again(rows: Iterable[Outgoing]) -> None:
    """Let the worker that leads try them again, in their old place."""
    for row in rows:
        _renew(row)
        Outgoing.objects.filter(key=row.key).update(state=State.WAITING, tries=0, problem="", due_at=timezone.now())


def tick() -> None:
    """Send what is due, in order; the rest waits while Temporal does not answer. For the worker that leads."""
    due = Outgoing.objects.filter(due_at__lte=timezone.now()).exclude(state=State.REFUSED)
    for key in list(due.values_list("key", flat=True)[:AT_ONCE]):
        if not send(key):
            return


def send(key: UUID) -> bool:
    """Send one; False when Temporal does not answer. What can't be sent says why in its row."""
    row = Outgoing.objects.select_related("user").filter(key=key).exclude(state=State.REFUSED).first()
    if row is None:
        return True
    if _is_behind(row):
        Outgoing.objects.filter(key=key).update(problem=BEHIND, due_at=timezone.now() + GRACE)
        return True
    try:
        _sent(row)
    except (OperationalError, InterfaceError):
        raise  # the database is away, and the row with it
    except (Refused, PermissionDenied, UnitFailed) as error:
        _postponed(row, _state(row, error), _words(row, error))
        return not isinstance(error, Unavailable) or isinstance(error, NoVerdict)
    except Exception as error:  # one that can't be sent must not keep the others from it
        frames = "".join(traceback.format_tb(error.__traceback__))  # its text may repeat what was to be sent
        logger.error("%s is not sent: unexpected %s\n%s", row, type(error).__name__, frames)
        _postponed(row, State.REFUSED, f"Unexpected {type(error).__name__}: the log says where.")
    else:
        with transaction.atomic():
            Outgoing.objects.filter(key=row.key).delete()
            _wake(row)
    return True


def _kept(row: Outgoing) -> Outgoing:
    row.number = time.time_ns()
    row.save(force_insert=True)
    transaction.on_commit(_Hook(row.key, _budget()), robust=True)
    return row


@dataclass
class _Budget:
    """How much of one transaction whoever committed it still sends."""

    left: int = OF_A_COMMIT
    is_begun: bool = False


@dataclass(frozen=True)
class _Hook:
    """Sends one row after the commit, if there is time for it; else it is due soon, for the worker that leads."""

    key: UUID
    budget: _Budget

    def __call__(self) -> None:
        self.budget.is_begun = True
        if self.budget.left <= 0:
            return
        self.budget.left -= 1
        try:
            answers = send(self.key)
        except (OperationalError, InterfaceError) as error:
            answers = False
            logger.warning("the database does not answer, what was wanted waits: %s", error)
        if not answers:
            self.budget.left = 0


def _budget() -> _Budget:
    """That of the transaction: the newest hook of ours that waits for its commit knows it."""
    waiting = reversed(transaction.get_connection().run_on_commit)
    found = next((hook.budget for _, hook, *_ in waiting if isinstance(hook, _Hook)), None)
    return _Budget() if found is None or found.is_begun else found


def _require(row: Outgoing, permission: str) -> None:
    """PermissionDenied when the user may not; where there is no run yet, when they may nowhere."""
    if row.user is None:
        return
    permissions.require(row.user, permission)
    run = runs.newest_of(runs.visible(row.user).filter(workflow_id=row.workflow_id))
    if run is not None:
        permissions.require(row.user, permission, run.namespace)


def _sent(row: Outgoing) -> None:
    user = row.user or accounts.code()
    if row.deed == Outgoing.Deed.START:
        _started(row, user)
    else:
        _told(row, user)


def _started(row: Outgoing, user: User) -> None:
    try:
        runs.start(user, row.entry, "", row.args, row.workflow_id, key=row.key)
    except Conflict:
        logger.info("%s runs already", row.workflow_id)


def _told(row: Outgoing, user: User) -> None:
    """To the newest run, also when it continued as another just now; what was given before is not given again."""
    try:
        if not decisions.is_given(row.key):
            _give(row, user, _run(row, user))
    except RunEnded:
        newer = _succeeding(_run(row, user))
        if newer is None:
            raise
        _renew(row)
        _give(row, user, newer)


def _succeeding(run: Run) -> Run | None:
    try:
        return runs.succeeding(run)
    except NotFoundError:
        return None  # it ended so long ago that Temporal has no record of it


def _give(row: Outgoing, user: User, run: Run) -> None:
    if row.deed == Outgoing.Deed.SIGNAL:
        decisions.send_raw(user, run, row.topic, *row.args, reason="by code", key=row.key)
    else:
        decisions.answer_by_topic(user, run, row.topic, *row.args, reason=row.reason, label=row.label, key=row.key)


def _renew(row: Outgoing) -> None:
    """A key under which it failed never makes another try; nothing came of that one."""
    if decisions.has_failed(row.key):
        key = uuid.uuid4()
        Outgoing.objects.filter(key=row.key).update(key=key)
        row.key = key


def _run(row: Outgoing, user: User) -> Run:
    """The newest of the workflow id."""
    run = runs.newest_of(runs.visible(user).filter(workflow_id=row.workflow_id))
    if run is None:
        raise NotFoundError(f"There is no run of the workflow id {row.workflow_id} yet.")
    return run


def _is_behind(row: Outgoing) -> bool:
    """Whether something for the same workflow was wanted before, is not sent, and may be: order is kept."""
    before = Outgoing.objects.filter(workflow_id=row.workflow_id, number__lt=row.number).exclude(state=State.REFUSED)
    if row.deed == Outgoing.Deed.START:  # it may be what those before lack
        before = before.exclude(state=State.LACKING)
    return before.exists()


def _wake(row: Outgoing) -> None:
    """What was behind it is due."""
    Outgoing.objects.filter(workflow_id=row.workflow_id, number__gt=row.number).update(due_at=timezone.now())


def is_passing(error: Exception) -> bool:
    """Whether what refused a start says nothing of the start: the same may be taken a little later."""
    return isinstance(error, Unavailable) or _kind(error) in _PASSING


def _kind(error: Exception) -> str:
    failed = next((each for each in (error, error.__cause__) if isinstance(each, UnitFailed)), None)
    return failed.failure.kind if failed else ""


def _state(row: Outgoing, error: Exception) -> Outgoing.State:
    """What becomes of the row."""
    if isinstance(error, Unavailable):
        return State.WAITING
    lacks = isinstance(error, NotFoundError) or _kind(error) == kinds.NOT_FOUND
    if row.tries >= MOST_TRIES or not (lacks or is_passing(error)):
        return State.REFUSED
    return State.LACKING if lacks else State.WAITING


def _words(row: Outgoing, error: Exception) -> str:
    """Why, without what was to be sent: it may be secret, and administrators and logs are told."""
    if not isinstance(error, Refused):
        return _without(row, str(error))
    if isinstance(error, Unavailable | NotFoundError):
        return error.message
    fields = [f"{name}: {' '.join(texts)}" if name else " ".join(texts) for name, texts in error.fields.items()]
    fields = [each for each in fields if each != error.message and not each.endswith(f": {error.message}")]
    return _without(row, " ".join((error.message, *fields)))


def _without(row: Outgoing, text: str) -> str:
    known = (row.entry, row.topic, row.label, row.workflow_id)
    for value in sorted(set(_leaves(row.args)), key=len, reverse=True):
        if len(value) >= SHORTEST and not any(value in each for each in known):
            text = text.replace(value, MASK)
    return text


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _postponed(row: Outgoing, state: Outgoing.State, why: str) -> None:
    logger.warning("%s is not sent: %s", row, why)
    pause = timedelta(seconds=min(2**row.tries, LONGEST_PAUSE))
    with transaction.atomic():
        Outgoing.objects.filter(key=row.key).update(
            state=state, tries=row.tries + 1, due_at=timezone.now() + pause, problem=storable_text(why)[:1000]
        )
        if state == State.REFUSED:
            _wake(row)
