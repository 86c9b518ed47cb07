"""The source that a run runs, to which every line of its stacks leads."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.models import Run
from wippy_console.services import registry, runs
from wippy_console.services.diagnosis import code
from wippy_console.services.errors import NotFoundError
from wippy_console.views.pages import needs, page


@needs(permissions.VIEW_RUN)
def show(request: HttpRequest, workflow_id: str, run_id: str, entry_id: str) -> HttpResponse:
    """An entry's source with numbered lines; the address names one by `#L12`."""
    run = runs.get(request.user, workflow_id, run_id)
    found = code.source_of(run, entry_id, request.user)
    return page(request, "runs/source.html", {"run": run, "source": found, **_actions(request, run, entry_id)})


def _actions(request: HttpRequest, run: Run, entry_id: str) -> dict[str, bool]:
    may_start = bool(run.namespace) and permissions.allows(request.user, permissions.START_RUN, run.namespace)
    try:
        kind = registry.entry(entry_id).kind
    except NotFoundError:
        return {"may_start": may_start, "may_publish": False}
    return {
        "may_start": may_start,
        "may_publish": registry.may_publish(request.user, kind, namespace_of(entry_id)),
    }
