"""The registry: its tree, and one entry."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.http import HttpRequest, HttpResponse

from engine.entry import Entry
from engine.registry.texts import entry_text, fields_text
from wippy_console import permissions
from wippy_console.forms.entry import EntryFilters
from wippy_console.models import Run
from wippy_console.services import drift, processes, python_functions, registry, runs
from wippy_console.services.hooks import served
from wippy_console.views import columns
from wippy_console.views.differences import unified
from wippy_console.views.pages import choice, filters, marked, needs, number, page

TABS = ("source", "fields", "versions", "diff", "used by", "open runs")


@needs(permissions.VIEW_REGISTRY)
def index(request: HttpRequest) -> HttpResponse:
    """Every entry by namespace, filtered by a text and a kind."""
    entries = registry.entries_for(request.user)
    kinds = sorted({entry.kind for entry in entries})
    given = filters(EntryFilters(request.GET, kinds=kinds))
    text, kind = given["q"], given["kind"]
    shown = [entry for entry in entries if registry.matches(entry, text, kind)]
    context = {
        "namespaces": by_namespace(shown),
        "kinds": kinds,
        "total": len(entries),
        "shown": len(shown),
        "version": registry.versions_for(request.user).first(),
        "versions": registry.versions_for(request.user)[:8],
        "filtered": bool(text or kind),
        "from_code": {each.id for each in shown if each is python_functions.entry(each.id)},
        "drifts": drift.of_all(request.user),
    }
    return page(request, "registry/list.html", context)


def by_namespace(entries: list[Entry]) -> list[tuple[str, list[Entry]]]:
    """Namespaces in order with their entries."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.namespace].append(entry)
    return [(name, sorted(group, key=lambda each: each.name)) for name, group in sorted(groups.items())]


@needs(permissions.VIEW_REGISTRY)
def show(request: HttpRequest, entry_id: str) -> HttpResponse:
    """One entry, at the newest version or at `?at=`."""
    tab = choice(request, "tab", TABS)
    at = number(request.GET.get("at"))
    entry = registry.entry_for(request.user, entry_id, at)
    revisions = registry.revisions(entry_id)
    from_code = at is None and entry is python_functions.entry(entry_id)
    may_publish = not from_code and registry.may_publish(request.user, entry.kind, entry.namespace)
    context = {
        "entry": entry, "may_publish": may_publish, "from_code": from_code,
        "may_call": at is None and processes.callable_by(request.user, entry),
        "drifts": drift.of(request.user, entry_id),
        "served": served(request.user, entry, request.build_absolute_uri("/")) if at is None else None,
        "at": at, "tab": tab, "tabs": TABS, "revisions": revisions,
        "source": entry.data.get("source", ""), "fields": fields_text(entry),
        **tab_context(request, entry, revisions, tab),
    }  # fmt: skip
    return page(request, "registry/entry.html", context)


def tab_context(request: HttpRequest, entry: Entry, revisions: list[Any], tab: str) -> dict[str, Any]:
    """What only one tab needs."""
    match tab:
        case "source":
            return {"code": python_functions.code_of(entry)}
        case "used by":
            return {"users": registry.used_by_for(request.user, entry.id)}
        case "open runs":
            open_runs = runs.visible(request.user).filter(entry_id=entry.id, status=Run.Status.RUNNING)
            return {"open_runs": marked(open_runs[:100]), "columns": columns.usual()}
        case "diff":
            return comparison(request, entry.id, revisions)
    return {}


def comparison(request: HttpRequest, entry_id: str, revisions: list[Any]) -> dict[str, Any]:
    """Two versions of the entry, by default the newest and the one before it."""
    numbers = [revision.version_id for revision in revisions]
    new = number(request.GET.get("new")) or (numbers[0] if numbers else None)
    older = [each for each in numbers if new is not None and each < new]
    old = number(request.GET.get("old")) or (older[0] if older else None)
    before, after = text_at(revisions, old), text_at(revisions, new)
    return {"old": old, "new": new, "numbers": numbers, "diff": unified(before, after)}


def text_at(revisions: list[Any], version: int | None) -> str:
    """An entry as one text at a version; "" where it did not exist."""
    found = next((each for each in revisions if version is not None and each.version_id <= version), None)
    if found is None or found.deleted:
        return ""
    return entry_text(Entry(found.entry_id, found.kind, found.meta, found.data))
