"""Finds runs. Pages go by key, never by offset or count, so that 100,000 runs cost what 1,000 do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Concat

from engine.pids import Pid
from wippy_console import permissions
from wippy_console.database.prefixes import begins
from wippy_console.database.storable import storable_text
from wippy_console.models import Run
from wippy_console.services import cursors, grants, masking, questions, states
from wippy_console.services.errors import NotFoundError
from wippy_console.services.runs.newest import newest_of
from wippy_console.services.runs.values import Page

MAX_LIMIT = 500
_IDS = ("run_id", "workflow_id", "entry_id")
_FEW = 1000
_UNINDEXED = "text_of_"
_HEAVY = ("input", "result", "failure")
_FAILED_WITH = KeyTextTransform("message", "failure")


def visible(user: Any) -> QuerySet[Run]:
    """The runs that the user may see: those of the namespaces where view_run counts."""
    return grants.narrowed(Run.objects.all(), user, permissions.VIEW_RUN)


def search(
    user: Any,
    *,
    status: str = "",
    entry: str = "",
    text: str = "",
    waiting: bool = False,
    parent: str = "",
    before: str = "",
    limit: int = 50,
) -> Page:
    """A page of the visible runs, newest first; their `input`, `result` and `failure` are not loaded,
    but of a failure the message (`states.FAILED_WITH`).

    `status` may also be a trouble of open runs (`states.TROUBLES`). `text` matches workflow id, run id, pid or entry,
    exactly or by prefix; `waiting` keeps runs with an open question, `parent` the children of the run of that id.
    """
    rows = visible(user).defer(*_HEAVY).annotate(**{states.FAILED_WITH: _FAILED_WITH})
    if status:
        rows = rows.filter(states.condition(storable_text(status)))
    if entry:
        rows = rows.filter(entry_id=storable_text(entry))
    if parent:
        rows = rows.filter(parent_run_id=storable_text(parent))
    if text.strip():
        rows = _narrowed(visible(user), rows, storable_text(text.strip()))
    if waiting:
        rows = rows.filter(pk__in=questions.asking())
    return _page(rows, before, max(1, min(limit, MAX_LIMIT)))


def matching(text: str, prefix: str = "") -> Q:
    """Runs with an id that is the text or begins with it; a pid names its workflow id."""
    pid = Pid.parse(text)
    if pid is not None:
        return Q(workflow_id=pid.uniq)
    found = Q()
    for field in _IDS:
        found |= begins(prefix + field, text)
    return found


def get(user: Any, workflow_id: str, run_id: str) -> Run:
    """The run, with its masked values for whoever had them shown; NotFoundError."""
    run = visible(user).filter(run_id=run_id, workflow_id=workflow_id).first()
    if run is None:
        raise NotFoundError(f"There is no run {run_id} of {workflow_id}.")
    return masking.unveil(user, run)


def by_pid(user: Any, pid: str) -> Run:
    """The newest run behind a pid, or behind a bare workflow or run id; NotFoundError."""
    parsed = Pid.parse(pid)
    ids = Q(workflow_id=parsed.uniq) if parsed else Q(workflow_id=pid) | Q(run_id=pid)
    run = newest_of(visible(user).filter(ids))
    if run is None:
        raise NotFoundError(f"There is no run of {pid}.")
    return run


def newer(user: Any, run: Run) -> Run | None:
    """The newest visible run of the same workflow id when it is not this one."""
    newest = newest_of(visible(user).filter(client=run.client, workflow_id=run.workflow_id))
    return None if newest is None or newest.pk == run.pk else newest


def parent(user: Any, run: Run) -> Run | None:
    """The run that started this one as a child, if the user may see it."""
    return visible(user).filter(pk=run.parent_run_id).first() if run.parent_run_id else None


def children(user: Any, run: Run) -> QuerySet[Run]:
    """The runs that this one started as children and that the user may see, oldest first."""
    return _children(visible(user), run).defer(*_HEAVY).order_by("started_at", "run_id")


def hidden_children(user: Any, run: Run) -> int:
    """How many more children there are."""
    if permissions.scope(user, permissions.VIEW_RUN).everywhere:
        return 0
    return _children(Run.objects.all(), run).count() - _children(visible(user), run).count()


def _children(rows: QuerySet[Run], run: Run) -> QuerySet[Run]:
    return rows.filter(parent_run_id=run.run_id)


def _narrowed(seen: QuerySet[Run], rows: QuerySet[Run], text: str) -> QuerySet[Run]:
    """Few matches are found by their indexes and then sorted; of very many, the newest by walking through time.

    The database can't know which it will be: sorting 100,000 matches takes a hundred times as long.
    """
    some = list(seen.filter(matching(text)).order_by().values_list("pk", flat=True)[: _FEW + 1])
    if len(some) <= _FEW:
        return rows.filter(pk__in=some)
    unindexed = {f"{_UNINDEXED}{field}": Concat(field, Value("")) for field in _IDS}
    return rows.alias(**unindexed).filter(matching(text, _UNINDEXED))


def _page(rows: QuerySet[Run], before: str, limit: int) -> Page:
    if before:
        at, run_id = _place(before)
        rows = rows.filter(started_at__lte=at).filter(Q(started_at__lt=at) | Q(run_id__lt=run_id))
    found = list(rows.order_by("-started_at", "-run_id")[: limit + 1])
    more = len(found) > limit
    return Page(
        found[:limit], cursors.made(found[limit - 1].started_at.isoformat(), found[limit - 1].run_id) if more else ""
    )


def _place(cursor: str) -> tuple[datetime, str]:
    at, run_id = cursors.place_of(cursor, 2)
    return cursors.moment_of(at), storable_text(run_id)
