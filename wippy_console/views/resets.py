"""Reset a run to an earlier step, once a person has seen what that repeats."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from wippy_console import permissions
from wippy_console.forms.plain import ResetForm
from wippy_console.forms.refusals import submit
from wippy_console.models import Decision, Run
from wippy_console.services import decisions, resetting, runs, timeline
from wippy_console.services.resetting import Plan
from wippy_console.services.timeline import Row
from wippy_console.views.actions import touched
from wippy_console.views.pages import done, is_partial, needs, number, page
from wippy_console.views.typed import typed_in

SHOWN = 50
"""So many steps of each kind are listed; how many more there are is said."""
LISTS = ("repeated", "cut_short", "children", "kept", "signals", "updates")


@needs(permissions.RESET_RUN)
def reset(request: HttpRequest, workflow_id: str, run_id: str) -> HttpResponse:
    """Choose a step, see what is repeated and what comes again, say why, reset."""
    run = runs.get(request.user, workflow_id, run_id)
    steps = resetting.choices(request.user, run)
    event = number(request.POST.get("event") or request.GET.get("event")) or resetting.likely(steps)
    typed = typed_in(request)
    form = ResetForm(typed.data)
    outcome = typed.settle(submit(lambda: act(request.user, run, form), form))
    if made := outcome.value:
        return told(request, run, made)
    form.renew_spent(decisions.has_failed)
    plan = resetting.plan(request.user, run, event)
    context = {
        "run": run,
        "form": fresh(form, plan, event),
        "plan": shortened(plan),
        "more": {name: max(0, len(getattr(plan, name)) - SHOWN) for name in LISTS},
        "steps": steps,
        "event": event,
        "chosen": next((row for row in steps if row.id == event), None) or row_of(request.user, run, event),
        "may": resetting.may_reset(request.user, run) and may_end(request.user, run, plan),
        "typed": typed,
    }
    return page(request, "runs/reset.html", context, outcome.status)


def act(user: Any, run: Run, form: ResetForm) -> Decision:
    """Reset it as the form says."""
    given = form.cleaned_data
    return resetting.reset(
        user,
        run,
        given["event"],
        given["reason"],
        signals=given["signals"],
        updates=given["updates"],
        seen=given["seen"],
        key=given["key"],
    )


def told(request: HttpRequest, run: Run, made: Decision) -> HttpResponse:
    """Lead to the new run."""
    new = made.verdict.get("run_id") if isinstance(made.verdict, dict) else ""
    messages.success(request, f"{run.workflow_id} was reset: it goes on as run {new}.")
    if not new or not Run.objects.filter(pk=new).exists():
        return done(request, reverse("run", args=(run.workflow_id, run.run_id)), *touched(run))
    url = reverse("run", args=(run.workflow_id, new))
    return HttpResponse(headers={"HX-Redirect": url}) if is_partial(request) else redirect(url)


def fresh(form: ResetForm, plan: Plan, event: int) -> ResetForm:
    """The form as it stands, with what its reader sees now."""
    if isinstance(form.data, QueryDict) and form.is_bound:
        data = form.data.copy()
        data["seen"], data["event"] = plan.seen, str(event)
        form.data = data
    else:
        form.initial.update(seen=plan.seen, event=event, signals=True, updates=True)
    return form


def row_of(user: Any, run: Run, event: int) -> Row | None:
    """A step that is none of the choices, such as one chosen on the timeline."""
    return next((row for row in timeline.rows(run, user).rows if row.id == event), None)


def may_end(user: Any, run: Run, plan: Plan) -> bool:
    """Whether the user may end the current run, which the reset does where it is open."""
    return not plan.current.is_open or permissions.allows(user, permissions.TERMINATE_RUN, run.namespace)


def shortened(plan: Plan) -> Plan:
    """The first of each list."""
    return replace(plan, **{name: getattr(plan, name)[:SHOWN] for name in LISTS})
