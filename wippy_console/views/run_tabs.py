"""Tabs of a run's page that tell what goes on in it at this moment."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from wippy_console.models import Run
from wippy_console.services.diagnosis.stacks import stacks
from wippy_console.services.errors import Refused


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


def _nothing(title: str, why: str, icon: str) -> dict[str, Any]:
    return {"no_stacks_title": title, "no_stacks": why, "no_stacks_icon": icon}
