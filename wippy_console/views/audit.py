"""The audit: what people did, by filters in the address, as a page and as files of exactly those rows."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse

from wippy_console import permissions
from wippy_console.database.streams import attachment
from wippy_console.forms.plain import AuditForm
from wippy_console.services import audit
from wippy_console.views.pages import filters, needs, number, page

FILES = {
    "csv": (audit.csv_lines, "text/csv; charset=utf-8"),
    "jsonl": (audit.json_lines, "application/x-ndjson"),
}
OUTCOMES = ("sent", "refused", "done", "unknown", "made", "revoked")


@needs(permissions.VIEW_DECISION)
def index(request: HttpRequest) -> HttpResponse:
    """The newest rows that fit, or those before `?before=<id>`."""
    wanted = filters(AuditForm(request.GET))
    before = number(request.GET.get("before"))
    found = audit.page(request.user, asked(wanted), before)
    context = {
        "page": found,
        "before": before,
        "wanted": wanted,
        "actions": audit.ACTIONS.items(),
        "outcomes": OUTCOMES,
        "filtered": any(wanted.values()),
    }
    return page(request, "audit/list.html", context)


@needs(permissions.VIEW_DECISION)
def export(request: HttpRequest, ending: str) -> StreamingHttpResponse:
    """All rows that fit, streamed; that somebody took them is a row of its own."""
    if ending not in FILES:
        raise Http404
    wanted = filters(AuditForm(request.GET))
    lines, kind = FILES[ending]
    found = lines(request.user, asked(wanted))
    chosen = {name: str(value) for name, value in wanted.items() if value}
    audit.append(audit.EXPORT, request.user, outcome="done", label=f"audit.{ending}", data=chosen)
    return attachment(request, found, kind, f"audit.{ending}")


def asked(wanted: dict[str, Any]) -> audit.Filters:
    """What the form found in the address."""
    audit.refuse_unknown_action(wanted["action"], audit.ACTIONS)
    return audit.Filters(**wanted)
