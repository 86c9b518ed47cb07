"""Quarantine: a program of which a step took too long does not run on that host until somebody lifts it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from engine.contracts.watcher import Card
from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import Quarantine, Run
from wippy_console.services import audit, feed, grants
from wippy_console.services.errors import Conflict, NotFoundError

PREFIX = "quarantined"


def active() -> QuerySet[Quarantine]:
    """What is quarantined now, newest first."""
    return Quarantine.objects.filter(lifted_at=None)


def visible(user: Any) -> QuerySet[Quarantine]:
    """What is quarantined now of the programs that the user may see, newest first."""
    return grants.narrowed(active(), user, permissions.VIEW_FLEET, entry="entry_id")


def get(quarantine_id: int) -> Quarantine:
    """The quarantine, lifted or not; raises NotFoundError."""
    found = Quarantine.objects.filter(id=quarantine_id).first()
    if found is None:
        raise NotFoundError("There is no such quarantine.")
    return found


def get_for(user: Any, quarantine_id: int) -> Quarantine:
    """The same for somebody who wants to lift it; NotFoundError also for one of other namespaces."""
    found = get(quarantine_id)
    if not permissions.allows(user, permissions.LIFT_QUARANTINE, namespace_of(found.entry_id)):
        raise NotFoundError("There is no such quarantine.")
    return found


def refusals() -> Mapping[tuple[str, str], str]:
    """By digest and host, what somebody is told who wants to run it."""
    return {(each.digest, each.host): reason(each) for each in active()}


def of_run(run_id: str) -> str:
    """Why a run waits until its program may run again, ""; its program is unknown until its first step."""
    first = active().filter(_fits(run_id)).first()
    return reason(first) if first else ""


def lifted_for(run_id: str, since: datetime) -> bool:
    """Whether one that kept the run was lifted since then."""
    return Quarantine.objects.filter(_fits(run_id), lifted_at__gt=since).exists()


def _fits(run_id: str) -> Q:
    run = Run.objects.filter(run_id=run_id).first()
    if run is None:
        return Q(pk__in=())
    fits = Q(entry_id=run.entry_id, host=run.worker, kind="workflow")
    return fits & Q(digest=run.program) if run.program else fits


def reason(found: Quarantine) -> str:
    """In words, with what to do."""
    place = "" if found.host == found.entry_id else f" on {found.host}"
    # A run keeps the program that it began with.
    mended = "publish a mended version and start anew" if found.kind == "workflow" else "publish a mended version"
    return (
        f"{PREFIX} since {found.at:%Y-%m-%d %H:%M} UTC{place}: a step of {found.entry_id} took "
        f"{found.seconds:.0f} s of processor time; {mended}, or lift it on the Workers page"
    )


def impose(card: Card, seconds: float, node: str) -> None:
    """Quarantine the program on its host, unless it is already."""
    try:
        with transaction.atomic():
            Quarantine.objects.create(
                entry_id=storable_text(card.entry),
                kind=card.kind,
                digest=card.digest,
                host=storable_text(card.host),
                pid=storable_text(card.pid),
                node=node,
                seconds=seconds,
                at=timezone.now(),
            )
            _tell(card.entry, card.pid, node, "quarantined", card.host, card.digest, seconds, "")
    except IntegrityError:
        return


def lift(user: Any, quarantine_id: int) -> Quarantine:
    """Let the program run again; Conflict when somebody has."""
    permissions.require(user, permissions.LIFT_QUARANTINE)
    found = get_for(user, quarantine_id)
    with transaction.atomic():
        lifted = active().filter(id=quarantine_id).update(lifted_at=timezone.now(), lifted_by=user.get_username())
        if not lifted:
            raise Conflict(f"The quarantine of {found.entry_id} was lifted by {get(quarantine_id).lifted_by} already.")
        noted = {"host": found.host, "digest": found.digest}
        audit.append(audit.LIFT, user, entry_id=found.entry_id, outcome="done", data=noted)
        name = user.get_username()
        _tell(found.entry_id, found.pid, found.node, "lifted", found.host, found.digest, found.seconds, name)
    return found


def _tell(entry: str, pid: str, node: str, state: str, host: str, digest: str, seconds: float, user: str) -> None:
    data = {"state": state, "host": host, "seconds": round(seconds, 1), "user": user, "digest": digest}
    feed.append(feed.QUARANTINE, entry_id=entry, pid=pid, node=node, data=data)
