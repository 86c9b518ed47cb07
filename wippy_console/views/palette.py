"""The Ctrl-K palette: pages, runs and entries by name."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from wippy_console import permissions
from wippy_console.database.folding import folded
from wippy_console.services import registry, runs, service_accounts
from wippy_console.templatetags import looks
from wippy_console.views.pages import marked

FEW = 6
PAGES = (
    ("Home", "home", "house", None),
    ("Inbox", "inbox", "inbox", permissions.VIEW_QUESTION),
    ("Runs", "runs", "workflow", permissions.VIEW_RUN),
    ("Start a run", "start", "play", permissions.START_RUN),
    ("Live feed", "live", "radio", permissions.VIEW_FEED),
    ("Audit", "audit", "shield", permissions.VIEW_DECISION),
    ("Deliveries", "deliveries", "corner-down-right", permissions.VIEW_DELIVERY),
    ("Registry", "registry", "package", permissions.VIEW_REGISTRY),
    ("New entry", "entry_new", "plus", permissions.PUBLISH_VERSION),
    ("Processes", "processes", "cpu", permissions.VIEW_FLEET),
    ("Workers", "workers", "server", permissions.VIEW_FLEET),
    ("API", "api_docs", "package", None),
    ("What I am told of", "notification_preferences", "bell", None),
    ("API tokens", "tokens", "braces", None),
    ("Subscriptions", "subscriptions", "send", None),
    ("Service accounts", "service_accounts", "users", service_accounts.ADD),
)


def find(request: HttpRequest) -> HttpResponse:
    """What matches the text, best guesses first."""
    text = request.GET.get("q", "").strip()
    found = [*pages(request.user, text), *entries(request.user, text), *found_runs(request.user, text)]
    return render(request, "parts/palette.html", {"found": found, "text": text})


def pages(user: Any, text: str) -> list[dict[str, str]]:
    """Pages that the user may open."""
    return [
        {"word": word, "url": reverse(name), "icon": icon, "hint": "Page"}
        for word, name, icon, needed in PAGES
        if folded(text) in folded(word) and (needed is None or permissions.allows(user, needed))
    ]


def entries(user: Any, text: str) -> list[dict[str, str]]:
    """Entries whose id or title holds the text."""
    if not text or not permissions.allows(user, permissions.VIEW_REGISTRY):
        return []
    matching = (e for e in registry.entries_for(user) if folded(text) in folded(f"{e.id} {e.meta.get('title', '')}"))
    return [
        {"word": entry.id, "url": reverse("entry", args=[entry.id]), "icon": "package", "hint": entry.kind}
        for _, entry in zip(range(FEW), matching, strict=False)
    ]


def found_runs(user: Any, text: str) -> list[dict[str, str]]:
    """Runs by any id."""
    if not text or not permissions.allows(user, permissions.VIEW_RUN):
        return []
    rows = runs.search(user, runs.Wanted(text=text), limit=FEW).rows
    return [
        {
            "word": run.workflow_id,
            "url": reverse("run", args=[run.workflow_id, run.run_id]),
            "icon": "workflow",
            "hint": looks.of_run(run).word,
        }
        for run in marked(rows)
    ]
