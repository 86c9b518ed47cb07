"""Tabs of a run's page that tell what goes on in it at this moment."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from wippy_console.models import Run
from wippy_console.services.diagnosis import details as services_details
from wippy_console.services.diagnosis import pending as services_pending
from wippy_console.services.diagnosis.stacks import stacks
from wippy_console.services.errors import Refused

MESSAGES = ("topic", "inbox", "events")
"""The kinds of waits that are for messages."""


def state(run: Run, request: HttpRequest) -> dict[str, Any]:
    """Where each coroutine stands; or why nobody can tell."""
    if not run.is_open:
        return _nothing(
            "The run is over", "What it waited for is gone with it; its failure, if any, has the stack.", "archive"
        )
    if run.starts_at and not run.history_length:
        return _nothing("It has not begun", "Its code runs when its time comes.", "alarm-clock")
    try:
        found = stacks(run, request.user)
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
        return {"no_history": refusal.message}


def _none_pending(title: str, why: str, icon: str) -> dict[str, Any]:
    return {"no_pending_title": title, "no_pending": why, "no_pending_icon": icon}


def _nothing(title: str, why: str, icon: str) -> dict[str, Any]:
    return {"no_stacks_title": title, "no_stacks": why, "no_stacks_icon": icon}


CONTEXTS = {"state": state, "pending": pending, "details": details}
"""What each tab needs, by its name."""
