"""Who sees masked values: whoever may, once they asked to, which the audit keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.models import Run
from wippy_console.models.masks import veil_of
from wippy_console.services import audit

SHOWN_FOR = timedelta(minutes=15)
"""How long they stay shown to whoever asked."""


def may_see(user: Any, run: Run) -> bool:
    """Whether the user may have the run's masked values shown; nobody's and the system's (None) stay masked."""
    return permissions.allows(user, permissions.UNMASK_VALUES, run.namespace)


def sees(user: Any, run: Run) -> bool:
    """Whether the run's values are shown to the user as they are: they may, and asked to a short while ago."""
    if not may_see(user, run):
        return False
    newest = audit.newest(user, (audit.UNMASK, audit.HIDE), run.run_id, timezone.now() - SHOWN_FOR)
    return newest == audit.UNMASK


def unveil(user: Any, run: Run) -> Run:
    """The very run, whose values from now on are read as the user may see them."""
    run.unveiled = bool(run.mask) and sees(user, run)
    return run


@transaction.atomic
def show(user: Any, run: Run, reason: str = "") -> None:
    """Show the run's values to the user for a while; the audit says who saw what, and why. PermissionDenied."""
    permissions.require(user, permissions.UNMASK_VALUES, run.namespace)
    data = {"paths": list(run.mask), "reason": reason}
    audit.append(audit.UNMASK, user, run=run, label=reason, outcome="done", data=data)


@transaction.atomic
def hide(user: Any, run: Run) -> None:
    """Show them no more; nothing is written where none are shown."""
    if sees(user, run):
        audit.append(audit.HIDE, user, run=run, outcome="done")


def note_file(user: Any, run: Run, what: str) -> None:
    """The audit tells of a file (`what` is in it) that has the masked values as they are."""
    if sees(user, run):
        audit.append(audit.EXPORT, user, run=run, label=what, outcome="done", data={"what": what, "unmasked": True})


def told(user: Any, entry_id: str, value: Any) -> Any:
    """What a unit that is no run answered to the user, who called it: whole for whoever may see masked values there."""
    allowed = permissions.allows(user, permissions.UNMASK_VALUES, namespace_of(entry_id))
    return value if allowed else veil_of(entry_id, {"value": value}).value(value)
