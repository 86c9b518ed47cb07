"""Reads the audit: filtered, in pages that go by key, and as files of exactly the filtered rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import AuditRow, Decision
from wippy_console.services import grants
from wippy_console.services.errors import Refused

MOST = 100
_CHUNK = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "id", "at", "user", "action", "entry_id", "namespace", "workflow_id", "run_id", "question_id", "decision_id",
    "label", "outcome", "data", "previous", "hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; blank fields narrow nothing. Times are included."""

    user: str = ""
    action: str = ""
    entry: str = ""
    run: str = ""
    label: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first; `older` is the id before which the next page begins, 0 where there is none."""

    rows: list[Any]
    older: int


def visible(user: Any) -> QuerySet[AuditRow]:
    """The rows that the user may see: those of the namespaces where the right to see decisions counts.

    What concerns no namespace, such as a log-in, takes the right for everything.
    """
    return grants.narrowed(AuditRow.objects.all(), user, permissions.VIEW_DECISION)


def newest(user: Any, actions: Sequence[str], run_id: str, since: datetime) -> str:
    """Which of the actions the user did last on the run since then, "" when none."""
    rows = AuditRow.objects.filter(run_id=run_id, user=user.get_username(), action__in=actions, at__gte=since)
    return rows.order_by("-id").values_list("action", flat=True).first() or ""


def found(user: Any, filters: Filters) -> QuerySet[AuditRow]:
    """Those that fit the filters, newest first."""
    rows = visible(user)
    exact = {"user": filters.user, "action": filters.action, "entry_id": filters.entry, "outcome": filters.outcome}
    rows = rows.filter(**{name: storable_text(value) for name, value in exact.items() if value})
    if filters.run:
        text = storable_text(filters.run)
        rows = rows.filter(run_id=text) if visible(user).filter(run_id=text).exists() else rows.filter(workflow_id=text)
    if filters.label:
        rows = rows.filter(label__icontains=storable_text(filters.label))
    if filters.since:
        rows = rows.filter(at__gte=filters.since)
    if filters.until:
        rows = rows.filter(at__lte=filters.until)
    return rows.order_by("-id")


def page(user: Any, filters: Filters, before: int | None = None, limit: int = MOST) -> Page:
    """A page of them, each with `event_id`: the event of the run's history that a decision became."""
    rows = found(user, filters)
    listed: list[Any] = list((rows.filter(id__lt=before) if before else rows)[: limit + 1])
    more, listed = len(listed) > limit, listed[:limit]
    events = dict(
        Decision.objects.filter(pk__in={row.decision_id for row in listed if row.decision_id}).values_list(
            "pk", "event_id"
        )
    )
    for row in listed:
        row.event_id = events.get(row.decision_id)
    return Page(listed, listed[-1].id if more else 0)


def csv_lines(user: Any, filters: Filters) -> Iterator[str]:
    """The rows as CSV, oldest first; a cell that a spreadsheet would run gets an apostrophe in front."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for row in _values(user, filters):
        yield writer.writerow([_cell(row[name]) for name in COLUMNS])


def json_lines(user: Any, filters: Filters) -> Iterator[str]:
    """The rows as JSON Lines, oldest first."""
    for row in _values(user, filters):
        yield json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n"


def refuse_unknown_action(action: str, known: Any) -> None:
    """Refuse a filter that can't be meant."""
    if action and action not in known:
        raise Refused(f"The address can't be read: there is no action {action[:40]}.")


def _values(user: Any, filters: Filters) -> Iterator[dict[str, Any]]:
    return iter(found(user, filters).order_by("id").values(*COLUMNS).iterator(chunk_size=_CHUNK))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False).strip('"')
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        """The line itself."""
        return line
