"""Decisions: an operator's answer, raw signal, cancel or terminate; audited, and sent exactly once."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from wippy_console.models import Decision, Run
from wippy_console.services.decisions.values import Button

__all__ = ["Button", "audit", "buttons", "decide", "resume", "resume_pending", "send_raw"]


def buttons(user: Any, run: Run) -> list[Button]:
    """What the run's entry (at the run's registry version) declares that it may be asked."""
    raise NotImplementedError


def decide(
    user: Any,
    run: Run,
    index: int,
    payload: dict[str, Any],
    *,
    reason: str = "",
    question_id: int | None = None,
    key: uuid.UUID | str | None = None,
) -> Decision:
    """Answer the run by its declared button `index`.

    Make `key` once per drawn form: the same key again is the same decision. Raises PermissionDenied;
    Refused (`fields` by form field, "reason" among them); Conflict naming the winner or the expiry;
    NotFoundError for an unknown button or question; Unavailable (the answer is kept and sent later).
    """
    raise NotImplementedError


def send_raw(
    user: Any, run: Run, topic: str, payload: Any, *, reason: str = "", key: uuid.UUID | str | None = None
) -> Decision:
    """Send any signal; for authors. `payload` is a JSON value, the only argument of the message."""
    raise NotImplementedError


def audit(run: Run) -> QuerySet[Decision]:
    """Everything that people did to the run, newest first."""
    raise NotImplementedError


def resume(decision: Decision) -> Decision:
    """Finish a decision that a crash left pending; sends again with the same request id, so without a second effect."""
    raise NotImplementedError


def resume_pending(older_than: float = 10.0) -> int:
    """Finish every decision pending for longer than that many seconds; returns how many. Called by the reconciler."""
    raise NotImplementedError
