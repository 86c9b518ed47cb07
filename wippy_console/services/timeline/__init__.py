"""The timeline of a run: one row per head event, its followers drawn into the same row."""

from __future__ import annotations

from typing import Any

from wippy_console.models import Run
from wippy_console.services.timeline.values import EventRef, Row, Timeline

__all__ = ["EventRef", "Row", "Timeline", "event_payload", "rows"]


def rows(run: Run) -> Timeline:
    """The run's timeline, from its archive or live from Temporal; NotFoundError, Unavailable."""
    raise NotImplementedError


def event_payload(run: Run, event_id: int) -> dict[str, Any]:
    """One history event as JSON data with payloads decoded; NotFoundError."""
    raise NotImplementedError
