"""The feed: append rows, read them by cursor. Ids commit in order on every database.

A reader that has seen id N needs to ask only for ids over N: no row with a smaller id appears later.
docs/events.md lists the kinds with their data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.database.locks import lock_for_transaction
from wippy_console.database.storable import storable, storable_text
from wippy_console.models import FeedEvent, Run
from wippy_console.models.decisions import wait_key

STARTED = "STARTED"
WAITING = "WAITING"
RESUMED = "RESUMED"
EXIT = "EXIT"
CONTINUED = "CONTINUED"
SIGNAL = "SIGNAL"
DECISION = "DECISION"
CANCEL = "CANCEL"
TERMINATE = "TERMINATE"
STUCK = "STUCK"
RETRYING = "RETRYING"
MOVING = "MOVING"
PUBLISHED = "PUBLISHED"
NODE = "NODE"
SERVICE = "SERVICE"
PROCESS_EXIT = "PROCESS_EXIT"
OPERATION = "OPERATION"
QUARANTINE = "QUARANTINE"
QUESTION = "QUESTION"

KINDS: dict[str, tuple[str, ...]] = {
    STARTED: ("parent_workflow_id", "parent_run_id"),
    WAITING: ("channel", "number", "key", "title", "topics", "labels", "roles", "deadline"),
    RESUMED: ("channel", "number", "key"),
    EXIT: ("status", "result", "failure", "seconds", "parent_workflow_id", "parent_run_id"),
    CONTINUED: ("status", "new_run_id", "seconds"),
    SIGNAL: ("topic", "payload", "user", "reason", "decision"),
    DECISION: ("topic", "label", "payload", "user", "reason", "decision"),
    CANCEL: ("user", "reason", "decision"),
    TERMINATE: ("user", "reason", "decision"),
    STUCK: ("reason", "attempt", "state"),
    RETRYING: ("name", "attempt", "kind", "message", "next"),
    MOVING: ("state",),
    PUBLISHED: ("version", "author", "source", "message", "created", "updated", "deleted", "total"),
    NODE: ("state", "hostname", "os_pid"),
    SERVICE: ("state", "restarts", "error"),
    QUARANTINE: ("state", "host", "seconds", "user", "digest"),
    QUESTION: ("question", "action", "user", "label", "to", "votes", "needed", "text"),
    OPERATION: ("action", "user", "outcome", "host", "args", "name", "topic", "payload", "reason"),
    PROCESS_EXIT: ("status", "result", "failure", "seconds", "names", "parent", "watchers", "omitted"),
}
"""Each kind with the fields that its data may hold; docs/events.md explains them."""

ONCE_PER_RUN = (STARTED, EXIT, CONTINUED)

_LOCK = 0x57495050  # "WIPP": the advisory lock that makes ids commit in order on PostgreSQL


def append(
    kind: str,
    *,
    run: Run | None = None,
    data: Mapping[str, Any] | None = None,
    entry_id: str = "",
    pid: str = "",
    node: str = "",
    at: datetime | None = None,
) -> FeedEvent:
    """Add one row in the caller's transaction; run fields come from `run` when it is given.

    Append last in a transaction: on PostgreSQL every other appender waits until it commits.
    """
    return append_all([draft(kind, run=run, data=data, entry_id=entry_id, pid=pid, node=node, at=at)])[0]


def draft(
    kind: str,
    *,
    run: Run | None = None,
    data: Mapping[str, Any] | None = None,
    entry_id: str = "",
    pid: str = "",
    node: str = "",
    at: datetime | None = None,
) -> FeedEvent:
    """A row for `append_all`, not saved yet."""
    if kind not in KINDS:
        raise ValueError(f"unknown feed kind {kind!r}: add it to KINDS and docs/events.md")
    return FeedEvent(
        at=at or timezone.now(),
        kind=kind,
        run_id=run.run_id if run else "",
        workflow_id=run.workflow_id if run else "",
        entry_id=storable_text(run.entry_id if run else entry_id),
        namespace=namespace_of(run.entry_id if run else entry_id),
        pid=storable_text(run.pid if run else pid),
        node=node,
        data=storable(dict(data or {})),
    )


def append_all(drafts: Sequence[FeedEvent]) -> list[FeedEvent]:
    """Add several rows in order, in the caller's transaction; see `append`."""
    if not drafts:
        return []
    with transaction.atomic():
        lock_for_transaction(_LOCK)  # sequences commit out of order unless appenders wait for each other
        return FeedEvent.objects.bulk_create(drafts)


def unsaid(drafts: Sequence[FeedEvent]) -> list[FeedEvent]:
    """The drafts without what the feed knows already: runs may be rebuilt, but nothing happens twice."""
    once = [event.run_id for event in drafts if event.kind in ONCE_PER_RUN]
    if not once:
        return list(drafts)
    said = set(FeedEvent.objects.filter(run_id__in=once, kind__in=ONCE_PER_RUN).values_list("run_id", "kind"))
    return [event for event in drafts if (event.run_id, event.kind) not in said]


def still_asked(run_ids: Collection[str]) -> dict[tuple[str, str], datetime]:
    """Since when questions stand that the feed told of, by run id and the question's key."""
    found: dict[tuple[str, str], datetime] = {}
    told = FeedEvent.objects.filter(run_id__in=run_ids, kind__in=(WAITING, RESUMED)).order_by("id") if run_ids else ()
    for event in told:
        place = str(event.data.get("channel")), int(event.data.get("number", 0))
        key = event.run_id, str(event.data.get("key") or wait_key([place]))
        if event.kind == WAITING:
            found[key] = event.at
        else:
            found.pop(key, None)
    return found


def after(
    user: AbstractUser | AnonymousUser,
    cursor: int,
    run_id: str = "",
    kinds: Sequence[str] = (),
    limit: int = 100,
) -> list[FeedEvent]:
    """Up to `limit` rows with ids over `cursor`, oldest first."""
    permissions.require(user, permissions.VIEW_FEED)
    return list(between(cursor, run_id=run_id, kinds=kinds)[:limit])


def latest(
    user: AbstractUser | AnonymousUser,
    limit: int = 50,
    run_id: str = "",
    kinds: Sequence[str] = (),
    before: int | None = None,
) -> list[FeedEvent]:
    """The newest rows, newest first; with `before` those with ids under it."""
    permissions.require(user, permissions.VIEW_FEED)
    rows = _select(run_id, kinds)
    rows = rows if before is None else rows.filter(id__lt=before)
    return list(rows.order_by("-id")[:limit])


def head() -> int:
    """The id of the newest row, 0 when there is none."""
    newest = FeedEvent.objects.order_by("-id").values_list("id", flat=True).first()
    return newest or 0


def between(
    cursor: int, head: int | None = None, *, run_id: str = "", kinds: Sequence[str] = ()
) -> QuerySet[FeedEvent]:
    """The rows with ids over `cursor`, up to `head` if it is given, oldest first. For readers that ask for no right.

    Who goes on at `head` reads it first: rows that come after it must not be skipped.
    """
    rows = _select(run_id, kinds).filter(id__gt=cursor).order_by("id")
    return rows if head is None else rows.filter(id__lte=head)


def is_silence_announced(node: str, since: datetime) -> bool:
    """Whether a NODE row says that the node fell silent since then."""
    rows = FeedEvent.objects.filter(kind=NODE, node=node, at__gte=since)
    return any(row.data.get("state") == "silent" for row in rows)


def _select(run_id: str, kinds: Sequence[str]) -> QuerySet[FeedEvent]:
    rows = FeedEvent.objects.all()
    if run_id:
        rows = rows.filter(run_id=run_id)
    return rows.filter(kind__in=kinds) if kinds else rows
