"""What the admin's own templates draw with: rooms of models, labelled cells, values as the console shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import template
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from wippy_console.templatetags import columns

register = template.Library()


@dataclass(frozen=True, slots=True)
class Room:
    """Models that belong together on the index."""

    name: str
    icon: str
    models: list[dict[str, Any]]


ROOMS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("People and rights", "users"): (
        "User",
        "Group",
        "Grant",
        "AccessToken",
        "Subscription",
        "FailedLogin",
        "NotificationPreference",
        "Draft",
    ),
    ("Lists", "list"): ("SavedView", "ListSettings"),
    ("Runs", "workflow"): ("Run", "HistoryArchive", "ImportedHistory", "Batch", "BatchItem", "Outgoing"),
    ("Questions", "hand"): ("Question", "Decision", "Vote", "Comment", "GuestLink"),
    ("Registry", "package"): ("Version", "Revision", "Program", "Token"),
    ("Fleet", "server"): ("Node", "Service", "Process", "Claim", "Quarantine"),
    ("Records", "shield"): ("AuditRow", "FeedEvent", "Notification", "RepeatedRequest", "Delivery", "DeliveryPart"),
}


OURS = frozenset(("wippy_console", "auth"))


@register.filter
def rooms(apps: Iterable[Mapping[str, Any]]) -> list[Room]:
    """The models that the user may see, by what they are for; one that has no room yet is in "Other".

    Each app of the installation's own (WIPPY_APPS) is a room.
    """
    apps = list(apps)
    models = {each["object_name"]: each for app in apps if app["app_label"] in OURS for each in _linked(app)}
    placed = {name for names in ROOMS.values() for name in names}
    others = {("Other", "layers"): tuple(name for name in models if name not in placed)}
    ours = (
        Room(name, icon, [_told(models[each]) for each in names if each in models])
        for (name, icon), names in {**ROOMS, **others}.items()
    )
    added = (
        Room(str(app["name"]), "package", [_told(each) for each in _linked(app)])
        for app in apps
        if app["app_label"] not in OURS
    )
    return [room for room in (*ours, *added) if room.models]


def _linked(app: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [each for each in app["models"] if each["admin_url"]]


def _told(model: Mapping[str, Any]) -> dict[str, Any]:
    return {**model, "about": _about(model["model"])}


def _about(model: Any) -> str:
    """The sentence that the model's page begins its own description with; Django's own pages have none."""
    page = type(admin.site.get_model_admin(model))
    return (page.__doc__ or "").strip().partition("\n")[0] if not page.__module__.startswith("django.") else ""


@register.filter
def labelled(cells: Iterable[SafeString], headers: Iterable[Mapping[str, Any]]) -> Iterator[SafeString]:
    """The cells of a row, each with the word of its column, which a phone shows instead of a head of the table."""
    for cell, header in zip(cells, headers, strict=False):
        text = str(header["text"])
        label = "" if "<" in text else format_html(' data-label="{}"', text[:1].upper() + text[1:])
        label += mark_safe(" data-none") if cell.endswith(">-</td>") else ""
        tag, space, rest = cell.partition(" ")
        yield mark_safe(f"{tag}{label}{space}{rest}")  # noqa: S308 # Django's own cell, and an escaped label


@register.filter
def shown(field: Any) -> Any:
    """The contents of a field that can't be changed: times, states and JSON as elsewhere in the console."""
    name, row = field.field["field"], field.form.instance
    return columns.drawn(row, name) if isinstance(name, str) and columns.is_drawn(type(row), name) else field.contents()


@register.inclusion_tag("parts/in_admin.html", takes_context=True)
def in_admin(context: template.Context, model: str, key: Any = "", **found: Any) -> dict[str, Any]:
    """A link to an object's page in the admin, or to a list of it, for whoever may go there."""
    user, known = context["request"].user, key or found
    allowed = user.is_staff and user.has_perm(f"wippy_console.view_{model}")
    return {"url": _admin_url(model, key, found) if allowed and known else ""}


def _admin_url(model: str, key: Any, found: Mapping[str, Any]) -> str:
    try:
        if key:
            return reverse(f"admin:wippy_console_{model}_change", args=[quote(str(key))])
        return reverse(f"admin:wippy_console_{model}_changelist", query=dict(found))
    except NoReverseMatch:
        return ""
