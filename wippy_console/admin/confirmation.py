"""Dangerous actions on runs: a page that names each target with its state now, then one decision per run."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from wippy_console.models import Decision, Run
from wippy_console.services import decisions
from wippy_console.services.errors import Refused

MOST = 200
"""More runs at once are refused: nobody reads so long a list before saying yes."""

Act = Callable[[Any, Run, str, uuid.UUID], Decision]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One action with its words."""

    name: str
    verb: str
    done: str
    needs_reason: bool
    act: Act

    def handle(
        self, model_admin: admin.ModelAdmin[Run], request: HttpRequest, queryset: QuerySet[Run]
    ) -> HttpResponse | None:
        """Ask first; act when the answer came, and say for each run what became of it."""
        chosen = list(queryset.order_by("-started_at")[: MOST + 1])
        if len(chosen) > MOST:
            messages.error(request, f"{self.verb} at most {MOST} runs at once.")
            return None
        reason = request.POST.get("reason", "").strip()
        if "confirmed" not in request.POST or (self.needs_reason and not reason):
            return self._ask(model_admin, request, chosen)
        self._act_on(request, [run for run in chosen if run.is_open], reason)
        return None

    def _ask(self, model_admin: admin.ModelAdmin[Run], request: HttpRequest, chosen: list[Run]) -> HttpResponse:
        context = {
            **model_admin.admin_site.each_context(request),
            "title": f"{self.verb} runs?",
            "confirmation": self,
            "opts": model_admin.model._meta,
            "media": model_admin.media,
            "open": [run for run in chosen if run.is_open],
            "closed": [run for run in chosen if not run.is_open],
            "reason_missing": "confirmed" in request.POST,
            "key": request.POST.get("key") or uuid.uuid4(),
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/wippy_console/confirm_runs.html", context)

    def _act_on(self, request: HttpRequest, chosen: list[Run], reason: str) -> None:
        """A run that refuses does not keep the others from it."""
        done = 0
        for run in chosen:
            try:
                self.act(request.user, run, reason, _key(request, run))
                done += 1
            except (Refused, PermissionDenied) as error:
                messages.error(request, f"{run.workflow_id}: {error}")
        if done:
            messages.success(request, f"{self.done}: {done} of {len(chosen)}.")


def _key(request: HttpRequest, run: Run) -> uuid.UUID:
    """One decision per confirmation page and run: a form sent twice has one effect."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{request.POST.get('key', '')}|{run.run_id}")


CANCEL = Confirmation(
    "cancel_runs",
    "Cancel",
    "Asked to stop",
    False,
    lambda user, run, why, key: decisions.cancel(user, run, why, key=key),
)
TERMINATE = Confirmation(
    "terminate_runs",
    "Terminate",
    "Terminated",
    True,
    lambda user, run, why, key: decisions.terminate(user, run, why, key=key),
)
