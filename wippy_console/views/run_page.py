"""What the page of a run shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from engine.hosts.temporal.observations import FIRST_TOLD
from wippy_console import permissions
from wippy_console.models import Run
from wippy_console.services import decisions, registry, resetting, runs, secrets, temporal_server, timeline
from wippy_console.services.by_kind import WORKFLOW
from wippy_console.services.diagnosis import cancels
from wippy_console.services.errors import Refused
from wippy_console.services.timeline import Axis, Row, lay_out
from wippy_console.views import run_tabs
from wippy_console.views.asked import sections
from wippy_console.views.pages import choice, marked, number

CHILDREN = 50
TABS = ("timeline", "table", "events", "pending", "state", "queries", "tree", "details", "json", "audit")


def context(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Everything on the page; what only a tab needs is fetched for that tab."""
    tab = choice(request, "tab", TABS)
    user = request.user
    of_tab = TAB_CONTEXT.get(tab, history_rows)(run, request)
    parent, sees_all = runs.parent(user, run), permissions.scope(user, permissions.VIEW_RUN).everywhere
    return {
        "run": run,
        "tab": tab,
        "tabs": TABS,
        "chain": runs.chain_of(user, run),
        "parent": parent,
        "parent_hidden": bool(parent is None and run.parent_workflow_id and not sees_all),
        "place": temporal_server.place_of(run.client),
        **children(user, run),
        "children_hidden": runs.hidden_children(user, run),
        "masking": secrets.notice(user, run),
        "may_start": bool(run.namespace) and permissions.allows(user, permissions.START_RUN, run.namespace),
        "may_edit": bool(run.failure and run.namespace) and registry.may_publish(user, WORKFLOW, run.namespace),
        "may_reset": resetting.may_reset(user, run),
        **actions(user, run),
        "cancel_asked": cancels.cancel_asked(run, user),
        **of_tab,
    }


def children(user: Any, run: Run) -> dict[str, Any]:
    """The first of the runs that this one started, and how many there are."""
    found = runs.children(user, run)
    shown = marked(found[: CHILDREN + 1])
    total = found.count() if len(shown) > CHILDREN else len(shown)
    return {"children": shown[:CHILDREN], "children_total": total}


def actions(user: Any, run: Run) -> dict[str, Any]:
    """What the user may do with the run now."""
    if not run.is_open:
        return {"asked": [], "buttons": [], "may_cancel": False, "may_terminate": False, "may_signal": False}
    may_answer = permissions.allows(user, permissions.SIGNAL_RUN, run.namespace)
    buttons = decisions.buttons(user, run) if may_answer else []
    return {
        "asked": sections(buttons, user),
        "buttons": [each for each in buttons if each.question is None],
        "may_cancel": permissions.allows(user, permissions.CANCEL_RUN, run.namespace),
        "may_terminate": permissions.allows(user, permissions.TERMINATE_RUN, run.namespace),
        "may_signal": permissions.allows(user, permissions.RAW_SIGNAL_RUN, run.namespace),
    }


def history_rows(run: Run, request: HttpRequest) -> dict[str, Any]:
    """The timeline, laid out; when the history can't be had, the page still shows everything else and says why."""
    wanted = asked_for(request)
    try:
        drawn = timeline.rows(run, request.user, known=True)
    except Refused as refusal:
        return run_tabs.no_history(refusal)
    show_attempts(run, drawn.rows)
    again = bool(run.retrying) or any(row.attempt > 1 and row.is_open for row in drawn.rows)
    found = {"timeline": drawn, "again": run.is_open and again, "wanted": wanted, "away": bool(drawn.away)}
    if getattr(request, "htmx", None):  # the browser has drawn the rows itself, and keeps them
        return found
    return {**found, "axis": Axis.of(drawn), **lay_out(drawn, wanted, registry.titles())}


def asked_for(request: HttpRequest) -> dict[str, str]:
    """The filters of the address."""
    chosen = {"only": choice(request, "only", ("", "failed", "pending")), "order": choice(request, "order", ORDERS)}
    return {**chosen, **{name: request.GET.get(name, "") for name in ("kind", "find", "own", "lane")}}


def table_rows(run: Run, request: HttpRequest) -> dict[str, Any]:
    """A page of the rows with their values."""
    wanted = asked_for(request)
    try:
        drawn = timeline.rows(run, request.user)
        shown = timeline.kept(drawn, wanted, registry.titles())
        found = timeline.page(shown, after=row_id(request, "after"), before=row_id(request, "before"))
        rows = timeline.opened(run, request.user, found.rows)
    except Refused as refusal:
        return run_tabs.no_history(refusal)
    kinds = sorted({row.kind for row in drawn.rows})
    return {
        "timeline": drawn, "rows": rows, "paged": found, "total": len(shown), "wanted": wanted, "kinds": kinds,
    }  # fmt: skip


def row_id(request: HttpRequest, name: str) -> int | None:
    """The id of a row in the address; questions have theirs below zero."""
    text = request.GET.get(name, "")
    found = number(text.removeprefix("-"))
    return -found if found is not None and text.startswith("-") else found


def show_attempts(run: Run, rows: list[Row]) -> None:
    """Put what the history's answer says of calls that keep failing over what the row does: it is a second newer."""
    failing = [row for row in rows if row.is_open and row.kind == "activity" and row.attempt >= FIRST_TOLD]
    if run.is_open:
        local = [each for each in run.retrying if each.get("local")]
        run.retrying = [*map(retry_of, sorted(failing, key=lambda row: -row.attempt)), *local]


def retry_of(row: Row) -> dict[str, Any]:
    """A row of the timeline as `Run.retrying` has it."""
    return {
        "id": str(row.id),
        "name": row.label,
        "attempt": row.attempt,
        "kind": row.failure.kind if row.failure else "",
        "message": row.failure.message if row.failure else "",
        "next": row.deadline.isoformat() if row.deadline else None,
    }


def audit(run: Run, request: HttpRequest) -> dict[str, Any]:
    """What people did to the run."""
    rows: list[Any] = [*decisions.audit(run)[:500], *reapplied(run, request.user)]
    for row in rows:
        row.shown = decisions.told_payload(row)
    return {"audit": rows}


def reapplied(run: Run, user: Any) -> list[Any]:
    """What was decided on the run that this one was reset from, and sent to it again; each with its event here."""
    try:
        signals = timeline.rows(run, user).rows
    except Refused:
        return []
    found = []
    for row in signals:
        if row.kind == "signal" and row.decision is not None and row.decision.run_id != run.pk:
            decision: Any = row.decision
            decision.here = row.id
            found.append(decision)
    return found


ORDERS = ("", "asc", "desc")
TAB_CONTEXT = {"table": table_rows, "audit": audit, **run_tabs.CONTEXTS}
