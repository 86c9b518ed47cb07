"""The views of the inbox: filtered, in pages by key, and counted no further than anybody reads.

Pages go by key, never by offset, so that the last of 5,000 questions costs what the first does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat
from django.utils import timezone

from wippy_console.database.folding import folded
from wippy_console.models import Question
from wippy_console.models.decisions import IN_ORDER, IS_OPEN
from wippy_console.services import cursors
from wippy_console.services.errors import Refused
from wippy_console.services.questions.holding import is_nobodys, is_theirs
from wippy_console.services.questions.inbox import allowed

VIEWS = ("open", "mine", "unassigned", "overdue", "soon", "later", "others", "done")
"""The first is what the inbox opens with, and what its badge counts: mine, and nobody's, but for what was put off."""

PAGE = 50
COUNTED = 100
"""No count goes on behind this one: "99+"."""
SOON = timedelta(hours=24)
MOST_WORDS = 10
PRIORITIES = {"urgent": (80, 100), "high": (60, 79), "normal": (40, 59), "low": (0, 39)}
"""The words for priorities, with their numbers."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a view is wanted; empty fields want all. `text`: each of its words, anywhere, in any case."""

    text: str = ""
    run_id: str = ""
    entry: str = ""
    namespace: str = ""
    label: str = ""
    priority: str = ""
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Page:
    """Some questions in order, and where the pages before and behind begin ("" for none)."""

    rows: list[Question] = field(default_factory=list)
    previous: str = ""
    next: str = ""


def listed(user: Any, view: str = VIEWS[0], wanted: Wanted = EVERYTHING) -> QuerySet[Question]:
    """The questions of a view, in its order."""
    rows = allowed(user).filter(_of_view(user, view, timezone.now()))
    rows = _matching(rows, wanted)
    return rows.order_by(*_NEWEST) if view == "done" else rows.order_by(*IN_ORDER)


def paged(user: Any, view: str, wanted: Wanted, *, after: str = "", before: str = "", size: int = PAGE) -> Page:
    """A page of them: the first, or what stands behind the cursor `after`, or before the cursor `before`.

    Refused for a cursor that is none of this view's.
    """
    rows = listed(user, view, wanted).prefetch_related("votes", "decisions__user")
    order = _Done if view == "done" else _Open
    if before:
        found = list(order.before(rows, _read(before)).reverse()[: size + 1])
        return _page(order, found[:size][::-1], earlier=len(found) > size, later=True)
    found = list((order.after(rows, _read(after)) if after else rows)[: size + 1])
    return _page(order, found[:size], earlier=bool(after), later=len(found) > size)


def count(rows: QuerySet[Question]) -> int:
    """How many there are, up to `COUNTED`."""
    return rows.order_by().select_related(None).prefetch_related(None).values("pk")[:COUNTED].count()


def counted(number: int) -> str:
    """The count in words: "99+" for more."""
    return f"{COUNTED - 1}+" if number >= COUNTED else str(number)


def following(user: Any, question: Question) -> Question | None:
    """The question of the user's inbox that comes behind this one, else its first."""
    rows = listed(user).exclude(pk=question.pk)
    return _Open.after(rows, _Open.place(question)).first() or rows.first()


def priority_word(number: int) -> str:
    """A priority as a word of `PRIORITIES`."""
    return next((word for word, (least, _) in PRIORITIES.items() if number >= least), "low")


def _of_view(user: Any, view: str, now: datetime) -> Q:
    here = Q(follow_up_at=None) | Q(follow_up_at__lte=now)
    theirs, nobodys = is_theirs(user, now), is_nobodys(now)
    return {
        "open": IS_OPEN & here & (nobodys | theirs),
        "mine": IS_OPEN & theirs,
        "unassigned": IS_OPEN & here & nobodys,
        "overdue": IS_OPEN & Q(nearest_at__lte=now),
        "soon": IS_OPEN & Q(nearest_at__gt=now, nearest_at__lte=now + SOON),
        "later": IS_OPEN & Q(follow_up_at__gt=now),
        "others": IS_OPEN & ~(nobodys | theirs),
        "done": ~IS_OPEN,
    }[view]


def _matching(rows: QuerySet[Question], wanted: Wanted) -> QuerySet[Question]:
    for word in folded(wanted.text).split()[:MOST_WORDS]:
        rows = rows.filter(search__contains=word)
    exactly = {"run_id": wanted.run_id, "run__entry_id": wanted.entry}
    rows = rows.filter(**{name: value for name, value in exactly.items() if value})
    if wanted.namespace:
        rows = rows.filter(Q(namespace=wanted.namespace) | Q(namespace__startswith=f"{wanted.namespace}."))
    if wanted.label:  # a line of its own in what is searched
        rows = rows.alias(lines=Concat(Value("\n"), "search", Value("\n"), output_field=TextField()))
        rows = rows.filter(lines__contains=f"\n{folded(wanted.label.strip())}\n")
    if wanted.priority:
        rows = rows.filter(priority__range=PRIORITIES[wanted.priority])
    if wanted.since is not None:
        rows = rows.filter(opened_at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(nearest_at__lt=wanted.until)
    return rows


_NEWEST = (F("closed_at").desc(nulls_first=True), F("pk").desc())


class _Open:
    """Open questions: by priority, then the nearest date, then as they came."""

    @staticmethod
    def place(question: Question) -> list[str]:
        """What tells where it stands."""
        return [str(question.priority), question.nearest_at.isoformat(), str(question.pk)]

    @staticmethod
    def after(rows: QuerySet[Question], at: list[str]) -> QuerySet[Question]:
        """Those that come behind it."""
        priority, nearest, pk = _numbers(at)
        same = Q(priority=priority) & (Q(nearest_at__gt=nearest) | Q(nearest_at=nearest, pk__gt=pk))
        return rows.filter(priority__lte=priority).filter(Q(priority__lt=priority) | same)

    @staticmethod
    def before(rows: QuerySet[Question], at: list[str]) -> QuerySet[Question]:
        """Those that come before it."""
        priority, nearest, pk = _numbers(at)
        same = Q(priority=priority) & (Q(nearest_at__lt=nearest) | Q(nearest_at=nearest, pk__lt=pk))
        return rows.filter(priority__gte=priority).filter(Q(priority__gt=priority) | same)


class _Done:
    """Closed questions, the newest first; before them those that were answered and wait for the run to take it."""

    @staticmethod
    def place(question: Question) -> list[str]:
        """What tells where it stands."""
        return ["0", (question.closed_at or _NOT_YET).isoformat(), str(question.pk)]

    @staticmethod
    def after(rows: QuerySet[Question], at: list[str]) -> QuerySet[Question]:
        """Those that come behind it."""
        _, closed, pk = _numbers(at)
        if closed == _NOT_YET:
            return rows.filter(Q(closed_at=None, pk__lt=pk) | Q(closed_at__isnull=False))
        return rows.filter(closed_at__lte=closed).filter(Q(closed_at__lt=closed) | Q(pk__lt=pk))

    @staticmethod
    def before(rows: QuerySet[Question], at: list[str]) -> QuerySet[Question]:
        """Those that come before it."""
        _, closed, pk = _numbers(at)
        if closed == _NOT_YET:
            return rows.filter(closed_at=None, pk__gt=pk)
        return rows.filter(Q(closed_at=None) | Q(closed_at__gt=closed) | Q(closed_at=closed, pk__gt=pk))


_NOT_YET = datetime(9999, 12, 31, tzinfo=UTC)


def _page(order: type[_Open] | type[_Done], rows: list[Question], *, earlier: bool, later: bool) -> Page:
    if not rows:
        return Page()
    first, last = (cursors.made(*order.place(row)) for row in (rows[0], rows[-1]))
    return Page(rows, first if earlier else "", last if later else "")


def _read(cursor: str) -> list[str]:
    place = cursors.place_of(cursor, 3)
    _numbers(place)
    return place


def _numbers(place: list[str]) -> tuple[int, datetime, int]:
    """Refused for what is no place."""
    priority, moment, pk = place
    if not (priority.isdecimal() and pk.isdecimal() and len(priority) <= 3 and len(pk) <= 18):
        raise Refused(cursors.DAMAGED)
    return int(priority), cursors.moment_of(moment), int(pk)
