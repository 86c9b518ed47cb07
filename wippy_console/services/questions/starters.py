"""Who stands behind a run: whoever started it, the run that it continues, or the run whose child it is."""

from __future__ import annotations

from django.contrib.auth.models import User

from wippy_console.models import Run
from wippy_console.services import accounts

_LONGEST = 50
"""Steps back; longer chains are looked at no further."""


def starter_of(run: Run) -> User | None:
    """The person who started it, as far as rows tell; None for what other clients, schedules and units began."""
    seen: set[str] = set()
    found: Run | None = run
    while found is not None and found.pk not in seen and len(seen) < _LONGEST:
        if found.started_by is not None:
            return accounts.person(found.started_by)
        seen.add(found.pk)
        found = _before(found)
    return None


def _before(run: Run) -> Run | None:
    """The run that this one continues, else its parent."""
    earlier = Run.objects.filter(client=run.client, workflow_id=run.workflow_id, started_at__lte=run.started_at)
    previous = earlier.exclude(pk=run.pk).select_related("started_by").order_by("-started_at", "-run_id").first()
    if previous is not None and previous.status in _CONTINUED:
        return previous
    if not run.parent_run_id:
        return None
    return Run.objects.select_related("started_by").filter(pk=run.parent_run_id).first()


_CONTINUED = (Run.Status.CONTINUED_AS_NEW, Run.Status.FAILED, Run.Status.TIMED_OUT)
"""How a run ends that goes on as another: by itself, by its retry policy, by cron."""
