"""A query of a run, by its name, and its answer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from wippy_console import permissions
from wippy_console.forms.plain import QueryForm
from wippy_console.models import Run
from wippy_console.services import runs
from wippy_console.services.diagnosis import by_name
from wippy_console.services.errors import Refused
from wippy_console.views.pages import needs, page


@needs(permissions.VIEW_RUN)
def show(request: HttpRequest, workflow_id: str, run_id: str) -> HttpResponse:
    """Ask what the address names; it has no effect on the run."""
    run = runs.get(request.user, workflow_id, run_id)
    form = QueryForm(request.GET)
    status, found = asked(request.user, run, form)
    return page(request, "runs/query.html", {"run": run, "form": form, **found}, status)


def asked(user: Any, run: Run, form: QueryForm) -> tuple[int, dict[str, Any]]:
    """The status, and the answer or why there is none."""
    if not form.is_valid():
        return 422, {}
    try:
        return 200, {"answer": by_name.answer(user, run, form.cleaned_data["name"], form.given())}
    except Refused as refusal:
        return refusal.status, {"refused": refusal.message}
