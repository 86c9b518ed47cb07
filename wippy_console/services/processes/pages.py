"""Pages of processes and services by cursor, for whoever reads them one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import Process, Service
from wippy_console.services import cursors
from wippy_console.services.errors import Refused
from wippy_console.services.processes import reading


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of processes, as `search` has them; with `doing` the longest come first, else the newest."""

    text: str = ""
    node: str = ""
    host: str = ""
    under: str = ""
    full: bool = False
    doing: bool = False
    has_ended: bool = False


def listed(user: Any, wanted: Wanted, *, after: str, limit: int) -> tuple[list[Process], str]:
    """Processes after a cursor, without the names of others that the user may not see, and the next cursor or ""."""
    permissions.require(user, permissions.VIEW_FLEET)
    rows = reading.ended(user) if wanted.has_ended else reading.visible(user)
    rows = reading.narrowed(rows, wanted.text.strip(), wanted.node, wanted.host, wanted.under, wanted.full)
    if wanted.doing:
        rows, by, way = rows.filter(doing_since__isnull=False), "doing_since", "gt"
    else:
        by, way = ("ended_at" if wanted.has_ended else "started_at"), "lt"
    if after:
        at, row_id = _moment_and_id(after)
        rows = rows.filter(Q(**{f"{by}__{way}": at}) | Q(**{by: at, f"id__{way}": row_id}))
    sign = "-" if way == "lt" else ""
    found, more = _cut(rows.order_by(f"{sign}{by}", f"{sign}id"), limit)
    reading.hide_relatives(user, found)
    return found, cursors.made(getattr(found[-1], by).isoformat(), str(found[-1].pk)) if more else ""


def services_listed(user: Any, *, entry: str = "", node: str = "", after: str, limit: int) -> tuple[list[Service], str]:
    """The services of live nodes after a cursor, by entry and node."""
    rows = reading.services(user)
    exact = {"entry_id": entry, "node_id": node}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if after:
        place = [storable_text(each) for each in cursors.place_of(after, 2)]
        rows = rows.filter(Q(entry_id__gt=place[1]) | Q(entry_id=place[1], node_id__gt=place[0]))
    found, more = _cut(rows, limit)
    return found, cursors.made(found[-1].node_id, found[-1].entry_id) if more else ""


def _moment_and_id(cursor: str) -> tuple[Any, int]:
    at, row_id = cursors.place_of(cursor, 2)
    if not row_id.isdecimal() or len(row_id) > 18:
        raise Refused(cursors.DAMAGED)
    return cursors.moment_of(at), int(row_id)


def _cut(rows: QuerySet[Any], limit: int) -> tuple[list[Any], bool]:
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit
