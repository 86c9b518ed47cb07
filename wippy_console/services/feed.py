"""The feed: append rows, read them by cursor. Ids commit in order on every database.

A reader that has seen id N needs to ask only for ids over N: no row with a smaller id appears later.
docs/events.md lists the kinds with their data.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.database.locks import lock_for_transaction
from wippy_console.database.storable import storable, storable_text
from wippy_console.models import FeedEvent, Run
from wippy_console.models.decisions import wait_key
from wippy_console.models.masks import veil_of
from wippy_console.permissions import EVERYWHERE, NOWHERE, Scope
from wippy_console.services import grants

STARTED = "STARTED"
WAITING = "WAITING"
RESUMED = "RESUMED"
EXIT = "EXIT"
CONTINUED = "CONTINUED"
SIGNAL = "SIGNAL"
DECISION = "DECISION"
CANCEL = "CANCEL"
TERMINATE = "TERMINATE"
RESET = "RESET"
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
    STARTED: ("parent_workflow_id", "parent_run_id", "user", "starts"),
    WAITING: ("channel", "number", "key", "title", "topics", "labels", "roles", "deadline"),
    RESUMED: ("channel", "number", "key"),
    EXIT: ("status", "result", "failure", "seconds", "parent_workflow_id", "parent_run_id", "user", "parent"),
    CONTINUED: ("status", "new_run_id", "seconds"),
    SIGNAL: ("topic", "payload", "user", "reason", "decision"),
    DECISION: ("topic", "label", "payload", "user", "reason", "decision"),
    CANCEL: ("user", "reason", "decision"),
    TERMINATE: ("user", "reason", "decision"),
    RESET: ("user", "reason", "decision", "event", "new_run_id"),
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

OF_THE_FLEET = (NODE,)
"""Kinds that concern no entry; they are for whoever may see nodes."""

FOR_ALL = (PUBLISHED,)
"""Kinds that all hear of, for their pages to be fresh; whoever does not see everything, of the version alone."""

RELATIVES = ("parent_workflow_id", "parent_run_id", "parent", "watchers")
"""Fields that name units of other namespaces, perhaps."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What of the feed somebody may see: the rows of namespaces, and perhaps those of nodes; `runs`: hints of runs."""

    rows: Scope = EVERYWHERE
    runs: Scope = EVERYWHERE
    fleet: bool = True

    def covers(self, kind: str, namespace: str) -> bool:
        """Whether a row is shown."""
        return self.rows.covers(namespace) or kind in self._kinds

    def condition(self) -> Q:
        """The same for queries."""
        if self.rows.everywhere:
            return Q()
        found = grants.condition(self.rows)
        return found | Q(kind__in=self._kinds)

    @property
    def _kinds(self) -> tuple[str, ...]:
        """Kinds of which no namespace is asked."""
        return () if self.rows.nowhere else (*FOR_ALL, *(OF_THE_FLEET if self.fleet else ()))


EVERYTHING = Sight()
NOTHING = Sight(NOWHERE, NOWHERE, fleet=False)
SEEN_BY = (permissions.VIEW_FEED, permissions.VIEW_RUN, permissions.VIEW_FLEET)


def sight(user: Any) -> Sight:
    """What the user may see; nothing without the right to see the feed."""
    return sight_of({right: permissions.scope(user, right) for right in SEEN_BY})


def sight_of(scopes: Mapping[str, Scope]) -> Sight:
    """The same from the scopes of the rights `SEEN_BY`."""
    rows, runs, fleet = (scopes[right] for right in SEEN_BY)
    return Sight(rows, runs, not fleet.nowhere and not rows.nowhere)


LONGEST_WORD, LONGEST_SEARCH = 500, 2000
_SAID: tuple[str, ...] = (
    "reason", "message", "title", "topic", "label", "text", "error", "name", "action", "state", "status", "host",
    "hostname", "version", "new_run_id", "to",
)  # fmt: skip
_LISTED = ("topics", "labels", "roles", "names", "created", "updated", "deleted")
"""Fields whose text is searched: no `RELATIVES`, which a search would betray."""

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
    event = FeedEvent(
        at=at or timezone.now(),
        kind=kind,
        run_id=run.run_id if run else "",
        workflow_id=run.workflow_id if run else "",
        entry_id=storable_text(run.entry_id if run else entry_id),
        namespace=storable_text(namespace_of(run.entry_id if run else entry_id)),
        pid=storable_text(run.pid if run else pid),
        node=node,
        data=storable(_veiled(run, entry_id, data or {})),
    )
    event.user = str(event.data.get("user") or event.data.get("author") or "")[:150]
    event.search = searched(event)
    return event


def searched(event: FeedEvent) -> str:
    """What a search looks through, in lower case: ids, names and words, but no values of runs, which may be masked."""
    failure = event.data.get("failure")
    said = [event.data.get(name) for name in _SAID]
    said += [failure.get("message")] if isinstance(failure, dict) else []
    for name in _LISTED:
        found = event.data.get(name)
        said += found if isinstance(found, list) else []
    ids = [event.workflow_id, event.run_id, event.entry_id, event.pid, event.node, event.user]
    words = [str(each)[:LONGEST_WORD] for each in (*ids, *said) if isinstance(each, str | int) and each]
    return "\n".join(words)[:LONGEST_SEARCH].lower()


def _veiled(run: Run | None, entry_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What is told, without what the entry masks: rows are for everybody."""
    return (run.veil() if run is not None else veil_of(entry_id, data)).told(data)


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
    seen = sight(user)
    return trimmed(between(cursor, run_id=run_id, kinds=kinds, seen=seen)[:limit], seen)


def latest(
    user: AbstractUser | AnonymousUser,
    limit: int = 50,
    run_id: str = "",
    kinds: Sequence[str] = (),
    before: int | None = None,
) -> list[FeedEvent]:
    """The newest rows, newest first; with `before` those with ids under it."""
    permissions.require(user, permissions.VIEW_FEED)
    seen = sight(user)
    rows = FeedEvent.objects.filter(seen.condition())
    rows = rows.filter(run_id=run_id) if run_id else rows
    rows = rows if before is None else rows.filter(id__lt=before)
    return trimmed(of_kinds(rows, kinds, limit), seen)


def of_kinds(rows: QuerySet[FeedEvent], kinds: Sequence[str], limit: int, *, newest: bool = True) -> list[FeedEvent]:
    """The first rows of some kinds (none = all). Each kind has an index in order of ids, several together have none."""
    order = "-id" if newest else "id"
    if len(kinds) > 1:
        firsts = [rows.filter(kind=kind).order_by(order).values_list("id", flat=True)[:limit] for kind in set(kinds)]
        ids = sorted((each for found in firsts for each in found), reverse=newest)[:limit]
        return list(rows.filter(id__in=ids).order_by(order))
    rows = rows.filter(kind=kinds[0]) if kinds else rows
    return list(rows.order_by(order)[:limit])


def trimmed(events: Iterable[FeedEvent], seen: Sight) -> list[FeedEvent]:
    """The rows, for whoever does not see all without what may belong to others; not to be saved."""
    found = list(events)
    for event in found if not seen.rows.everywhere else ():
        if event.kind in FOR_ALL:
            event.entry_id = event.pid = ""
            event.data = {"version": event.data.get("version")}
        event.data = {name: value for name, value in event.data.items() if name not in RELATIVES}
    return found


def told(event: FeedEvent) -> dict[str, Any]:
    """An event as the API tells it."""
    return {
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "run_id": event.run_id,
        "workflow_id": event.workflow_id,
        "entry": event.entry_id,
        "pid": event.pid,
        "node": event.node,
        "data": event.data,
    }


def as_json(event: FeedEvent) -> str:
    """The same as a text, the moment with its Z."""
    return json.dumps({**told(event), "at": event.at.isoformat().replace("+00:00", "Z")}, ensure_ascii=False)


def is_trimmed(event: FeedEvent) -> bool:
    """Whether the row is another one for whoever does not see all."""
    return event.kind in FOR_ALL or any(event.data.get(name) for name in RELATIVES)


def head() -> int:
    """The id of the newest row, 0 when there is none."""
    newest = FeedEvent.objects.order_by("-id").values_list("id", flat=True).first()
    return newest or 0


def oldest() -> int:
    """The id of the oldest row that is still there, 0 when there is none."""
    return FeedEvent.objects.order_by("id").values_list("id", flat=True).first() or 0


def lost(cursor: int, oldest: int) -> dict[str, int]:
    """Which ids after the cursor are gone, `first` and `last`, when the oldest row is `oldest`; {} for none.

    A reader of 0 wants all that there is, and has lost nothing.
    """
    return {"first": cursor + 1, "last": oldest - 1} if cursor and oldest > cursor + 1 else {}


def between(
    cursor: int, head: int | None = None, *, run_id: str = "", kinds: Sequence[str] = (), seen: Sight = EVERYTHING
) -> QuerySet[FeedEvent]:
    """The rows with ids over `cursor`, up to `head` if it is given, oldest first. For readers that ask for no right.

    Who goes on at `head` reads it first: rows that come after it must not be skipped.
    """
    rows = _select(run_id, kinds).filter(seen.condition(), id__gt=cursor).order_by("id")
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
