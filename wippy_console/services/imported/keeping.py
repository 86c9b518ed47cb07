"""Keeps imported histories for their owners, the newest few, for a while."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.utils import timezone
from temporalio.api.history.v1 import History, HistoryEvent

from wippy_console.database.storable import storable_text
from wippy_console.models import ImportedHistory
from wippy_console.services import timeline
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.imported.reading import read

logger = logging.getLogger(__name__)

KEPT = 10
"""So many of each person."""
KEPT_DAYS = 30
_ODD = "It is a history, but can't be drawn: something in it is as no server writes it."


def keep(user: Any, name: str, data: bytes) -> ImportedHistory:
    """Read the file's content and keep it; Refused says what is wrong with it."""
    found = read(data)
    summary = _summary(found)
    content = gzip.compress(History(events=found).SerializeToString(), 6)
    with transaction.atomic():
        made = ImportedHistory.objects.create(
            owner=user, name=storable_text(name)[:200] or "history.json", size=len(data), events=len(found),
            content=content, **summary,
        )  # fmt: skip
        _trim(user)
    return made


def listed(user: Any) -> list[ImportedHistory]:
    """The user's, newest first, without their content."""
    return list(ImportedHistory.objects.filter(owner=user, created_at__gte=_since()).defer("content"))


def get(user: Any, number: int) -> ImportedHistory:
    """One of the user's, without its content; NotFoundError."""
    found = ImportedHistory.objects.filter(owner=user, pk=number).defer("content").first()
    if found is None:
        raise NotFoundError("There is no such imported history. They go after a while: import it again.")
    return found


def events(imported: ImportedHistory) -> Sequence[HistoryEvent]:
    """Its events; do not change them."""
    return _events(imported.pk)


def discard(user: Any, number: int) -> None:
    """Forget one of the user's."""
    get(user, number).delete()


@lru_cache(maxsize=2)
def _events(number: int) -> Sequence[HistoryEvent]:
    """A page asks for the same ones again and again, and content never changes."""
    content = ImportedHistory.objects.values_list("content", flat=True).get(pk=number)
    return list(History.FromString(gzip.decompress(bytes(content))).events)


def _summary(found: list[HistoryEvent]) -> dict[str, Any]:
    """What lists tell of it. Draws it once, so that its page needs not fear what it holds."""
    began = found[0].workflow_execution_started_event_attributes
    try:
        drawn = timeline.of_events(found)
        timeline.Axis.of(drawn)
        timeline.opened_among(found, drawn.rows[:1])
        first = next(row for row in drawn.rows if row.id == 1)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # what a file may hold has no end
        logger.info("an imported history can't be drawn: %r", error)
        raise Refused(f"{_ODD} ({type(error).__name__})") from error
    return {
        "workflow_id": storable_text(began.workflow_id)[:1000],
        "run_id": storable_text(began.original_execution_run_id)[:64],
        "entry_id": storable_text(began.workflow_type.name)[:500],
        "status": str(first.state)[:20],
        "began_at": first.start,
    }


def _since() -> Any:
    return timezone.now() - timedelta(days=KEPT_DAYS)


def _trim(user: Any) -> None:
    ImportedHistory.objects.filter(created_at__lt=_since()).delete()
    newest = list(ImportedHistory.objects.filter(owner=user).values_list("pk", flat=True)[:KEPT])
    ImportedHistory.objects.filter(owner=user).exclude(pk__in=newest).delete()
