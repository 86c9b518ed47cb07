"""Masked values of a run: shown to whoever may see them when they ask, and hidden again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.services import masking, runs
from wippy_console.views.pages import needs

LONGEST = 500


@needs(permissions.UNMASK_VALUES)
@require_POST
def show(request: HttpRequest, workflow_id: str, run_id: str) -> HttpResponse:
    """Show them for a while."""
    run = runs.get(request.user, workflow_id, run_id)
    masking.show(request.user, run, request.POST.get("reason", "").strip()[:LONGEST])
    messages.success(request, "Masked values are shown to you for 15 minutes. The audit says so.")
    return redirect("run", workflow_id, run_id)


@needs(permissions.UNMASK_VALUES)
@require_POST
def hide(request: HttpRequest, workflow_id: str, run_id: str) -> HttpResponse:
    """Hide them again."""
    masking.hide(request.user, runs.get(request.user, workflow_id, run_id))
    return redirect("run", workflow_id, run_id)
