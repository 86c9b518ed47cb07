"""The feed by filters: pages back in time, and what came while a reader looked away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Concat

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import FeedEvent, Run
from wippy_console.permissions import Scope
from wippy_console.services import feed, grants

WINDOW = 20_000
"""Words are looked for in so many events at most; no database has an index of parts of words."""
KEPT = 500
"""Of what a reader missed no more is brought: the page holds no more."""
COUNTED = 5_000
AT_ONCE = 100
MOST_WORDS = 10
MOST_RUNS = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the feed is wanted; empty fields want all. `run`: a run id, or a workflow id with all its runs.
    `namespaces` are patterns, as grants have them.
    """

    text: str = ""
    entry: str = ""
    run: str = ""
    user: str = ""
    kinds: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """What is looked for, in lower case: each of them, anywhere."""
        return storable_text(self.text).lower().split()[:MOST_WORDS]


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest first. Of a text no events up to the id `floor` were looked through (0: all were)."""

    events: list[FeedEvent]
    more: bool
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Missed:
    """What came after a cursor: the first events, oldest first, and the cursor behind them.

    `count` is how many there were in all, up to `COUNTED`; `skipped` of them are too many and left out, `left` follow.
    """

    events: list[FeedEvent] = field(default_factory=list)
    cursor: int = 0
    count: int = 0
    skipped: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """The first events after a cursor, oldest first; `cursor` is behind all that was looked through.

    `more`: there may be others behind it now.
    """

    events: list[FeedEvent]
    cursor: int
    more: bool


def page(user: Any, wanted: Wanted, *, before: int | None = None, since: int | None = None, limit: int = 100) -> Page:
    """The newest events, or those before an id; or else the first ones after an id."""
    permissions.require(user, permissions.VIEW_FEED)
    seen, top = feed.sight(user), feed.head() + 1 if before is None else before
    rows, floor = _rows(wanted, seen), _floor(wanted, top)
    if since is not None:
        found = _first(rows.filter(id__gt=max(since, floor)), wanted, limit, newest=False)[::-1]
        return Page(feed.trimmed(found, seen), more=True, floor=floor)
    rows = rows.filter(id__lt=top) if before is not None else rows
    found = _first(rows.filter(id__gt=floor) if floor else rows, wanted, limit + 1)
    return Page(feed.trimmed(found[:limit], seen), len(found) > limit, floor)


def missed(user: Any, wanted: Wanted, since: int) -> Missed:
    """A page of what came after `since`, in order; ask again with its cursor until nothing is left."""
    permissions.require(user, permissions.VIEW_FEED)
    seen, head = feed.sight(user), feed.head()
    rows = _rows(wanted, seen).filter(id__gt=max(since, _floor(wanted, head + 1)), id__lte=head)
    chosen = _of_kinds(rows, wanted)
    count = chosen.order_by().values("pk")[:COUNTED].count()
    if count > KEPT:
        first = chosen.order_by("-id").values_list("id", flat=True)[KEPT - 1]
        rows = rows.filter(id__gte=first)
    found = _first(rows, wanted, AT_ONCE, newest=False)
    left = max(0, min(count, KEPT) - len(found))
    cursor = found[-1].id if found and left else max(head, since)
    return Missed(feed.trimmed(found, seen), cursor, count, max(0, count - KEPT), left)


def ahead(user: Any, wanted: Wanted, since: int, limit: int) -> Ahead:
    """What came after `since`, nothing left out, however far back that is."""
    permissions.require(user, permissions.VIEW_FEED)
    return follow(feed.sight(user), wanted, since, limit)


def follow(seen: feed.Sight, wanted: Wanted, since: int, limit: int) -> Ahead:
    """The same for readers who ask for rights themselves. Words are looked for in `WINDOW` events at a time."""
    head = feed.head()
    end = min(head, since + WINDOW) if wanted.words and not wanted.run else head
    rows = _rows(wanted, seen).filter(id__gt=since, id__lte=end)
    found = feed.trimmed(_first(rows, wanted, limit, newest=False), seen)
    if len(found) == limit:
        return Ahead(found, found[-1].id, more=True)
    return Ahead(found, max(since, end), more=end < head)


def suits(event: FeedEvent, wanted: Wanted, seen: feed.Sight) -> bool:
    """Whether one event is wanted, as the table's rows are chosen."""
    if (wanted.words or wanted.user) and not seen.rows.everywhere and event.kind in feed.FOR_ALL:
        return False
    run = storable_text(wanted.run.strip())
    return (
        (not wanted.kinds or event.kind in wanted.kinds)
        and (not run or event.run_id == run or (event.workflow_id == run and seen.runs.covers(event.namespace)))
        and (not wanted.entry or event.entry_id == storable_text(wanted.entry.strip()))
        and (not wanted.user or event.user == storable_text(wanted.user.strip()))
        and (not wanted.namespaces or Scope(wanted.namespaces).covers(event.namespace))
        and all(word in event.search for word in wanted.words)
    )


def _rows(wanted: Wanted, seen: feed.Sight) -> QuerySet[FeedEvent]:
    """All but the kinds; each of these filters has an index in order of ids, but for words."""
    rows = FeedEvent.objects.filter(seen.condition())
    if (wanted.words or wanted.user) and not seen.rows.everywhere:
        rows = rows.exclude(kind__in=feed.FOR_ALL)  # of these they see less than is searched
    if wanted.run:
        rows = rows.filter(run_id__in=_run_ids(seen, storable_text(wanted.run.strip())))
    if wanted.entry:
        rows = rows.filter(entry_id=storable_text(wanted.entry.strip()))
    if wanted.user:
        rows = rows.filter(user=storable_text(wanted.user.strip()))
    if wanted.namespaces:
        rows = rows.filter(grants.condition(Scope(wanted.namespaces)))
    for word in wanted.words:
        rows = rows.filter(search__contains=word)
    return rows


def _run_ids(seen: feed.Sight, name: str) -> Sequence[str]:
    """The run of that id, and the newest runs of that workflow id."""
    rows = Run.objects.filter(grants.condition(seen.runs), workflow_id=name).order_by("-started_at")
    return [name, *rows.values_list("run_id", flat=True)[:MOST_RUNS]]


def _floor(wanted: Wanted, top: int) -> int:
    return max(0, top - 1 - WINDOW) if wanted.words and not wanted.run else 0


def _first(rows: QuerySet[FeedEvent], wanted: Wanted, limit: int, *, newest: bool = True) -> list[FeedEvent]:
    if _is_narrow(wanted):
        return feed.of_kinds(_of_kinds(rows, wanted), (), limit, newest=newest)
    return feed.of_kinds(rows, wanted.kinds, limit, newest=newest)


def _of_kinds(rows: QuerySet[FeedEvent], wanted: Wanted) -> QuerySet[FeedEvent]:
    """Narrowed to the kinds; where another filter has an index, that one is to be used."""
    if not wanted.kinds:
        return rows
    if not _is_narrow(wanted):
        return rows.filter(kind__in=wanted.kinds)
    return rows.alias(kind_text=Concat("kind", Value(""))).filter(kind_text__in=wanted.kinds)


def _is_narrow(wanted: Wanted) -> bool:
    return bool(wanted.run or wanted.entry or wanted.user or wanted.words)
