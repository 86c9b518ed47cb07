"""Tabs of a run's page that tell what goes on in it at this moment."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from wippy_console.forms.plain import QueryForm
from wippy_console.models import Run
from wippy_console.services import runs, timeline
from wippy_console.services.diagnosis import by_name
from wippy_console.services.diagnosis import details as services_details
from wippy_console.services.diagnosis import pending as services_pending
from wippy_console.services.diagnosis import stacks as services_stacks
from wippy_console.services.errors import Refused, Unavailable
from wippy_console.services.runs import history_text
from wippy_console.views.pages import choice, marked, number

JSON_SHOWN = 200_000
"""Characters of a history that its page shows."""
LONGEST_FIND = 200
MESSAGES = ("topic", "inbox", "events")
"""The kinds of waits that are for messages."""


def no_history(refusal: Refused) -> dict[str, Any]:
    """Why it can't be had; `away` is whether that may pass."""
    return {"no_history": refusal.message, "away": isinstance(refusal, Unavailable)}


def state(run: Run, request: HttpRequest) -> dict[str, Any]:
    """Where each coroutine stands; or why nobody can tell."""
    if not run.is_open:
        return _nothing(
            "The run is over", "What it waited for is gone with it; its failure, if any, has the stack.", "archive"
        )
    if run.starts_at and not run.history_length:
        return _nothing("It has not begun", "Its code runs when its time comes.", "alarm-clock")
    try:
        found = services_stacks.stacks(run, request.user)
    except Refused as refusal:
        return _nothing("Its worker does not tell", refusal.message, "unplug")
    return (
        {"stacks": found}
        if found.places
        else _nothing("Nothing runs", "Its code has not begun, or has just ended.", "circle")
    )


def pending(run: Run, request: HttpRequest) -> dict[str, Any]:
    """What is under way; it refreshes by itself, since no event tells of attempts."""
    if not run.is_open:
        return _none_pending("The run is over", "Nothing of it is under way any more.", "archive")
    try:
        found = services_pending.pending(run, request.user)
    except Refused as refusal:
        return _none_pending("Temporal does not tell", refusal.message, "unplug")
    messages = [wait for wait in run.waiting if wait.get("kind") in MESSAGES]
    none = (
        {} if messages or not found.is_empty else _none_pending("Nothing is pending", "Its code is working.", "circle")
    )
    return {"pending": found, "waits_for": messages, "again": bool(found.activities or found.task), **none}


def details(run: Run, request: HttpRequest) -> dict[str, Any]:
    """What it was started with beside its input."""
    try:
        return {"details": services_details.details(run, request.user)}
    except Refused as refusal:
        return no_history(refusal)


def events(run: Run, request: HttpRequest) -> dict[str, Any]:
    """All events as they were written, a page at a time."""
    order, find = choice(request, "order", ("", "asc", "desc")), request.GET.get("find", "")[:LONGEST_FIND]
    try:
        found = timeline.chronicle(
            run,
            request.user,
            after=number(request.GET.get("after")),
            before=number(request.GET.get("before")),
            newest=order == "desc",
            find=find,
        )
    except Refused as refusal:
        return no_history(refusal)
    return {"chronicle": found, "wanted": {"find": find, "order": order}}


def tree(run: Run, request: HttpRequest) -> dict[str, Any]:
    """The family of the run: those above it, and all below the topmost."""
    above = runs.ancestors(request.user, run)
    top = above[0] if above else run
    root = runs.tree(request.user, top)
    listed = runs.listed(root)
    here = any(branch.run.run_id == run.run_id for branch in listed)
    apart = None if here else runs.tree(request.user, run)
    marked(branch.run for branch in [*listed, *(runs.listed(apart) if apart else [])])
    return {"root": root, "apart": apart, "above_hidden": top.parent_workflow_id}


def whole_json(run: Run, request: HttpRequest) -> dict[str, Any]:
    """The history as JSON text, cut for the page; the download has all of it."""
    try:
        found = list(runs.history(run, request.user).events)
    except Refused as refusal:
        return no_history(refusal)
    text, whole = history_text.beginning(found, JSON_SHOWN)
    return {
        "json_text": text,
        "json_cut": not whole,
        "json_masked": runs.is_masked(run, request.user),
        "events_total": len(found),
        "bytes_total": history_text.size(found),
    }


def queries(run: Run, request: HttpRequest) -> dict[str, Any]:
    """The form of a query, with the names that the worker offers, or why it offers none."""
    form = QueryForm(initial={"name": request.GET.get("name", "state" if run.worker else "")})
    try:
        return {"form": form, "offered": by_name.offered(request.user, run)}
    except Refused as refusal:
        return {"form": form, "offered": [], "not_offered": refusal.message}


def _none_pending(title: str, why: str, icon: str) -> dict[str, Any]:
    return {"no_pending_title": title, "no_pending": why, "no_pending_icon": icon}


def _nothing(title: str, why: str, icon: str) -> dict[str, Any]:
    return {"no_stacks_title": title, "no_stacks": why, "no_stacks_icon": icon}


CONTEXTS = {
    "state": state,
    "pending": pending,
    "details": details,
    "events": events,
    "tree": tree,
    "json": whole_json,
    "queries": queries,
}
"""What each tab needs, by its name."""
