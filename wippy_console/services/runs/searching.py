"""Finds runs. Pages go by key, never by offset or count, so that 100,000 runs cost what 1,000 do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from engine.pids import Pid
from wippy_console import permissions
from wippy_console.database import substrings, texts
from wippy_console.database.folding import folded
from wippy_console.database.prefixes import begins
from wippy_console.database.storable import storable_text
from wippy_console.models import Run
from wippy_console.models.runs import SEARCHED, lines
from wippy_console.services import cursors, grants, masking, questions, states
from wippy_console.services.errors import NotFoundError
from wippy_console.services.runs.newest import newest_of
from wippy_console.services.runs.values import Page
from wippy_console.services.runs.wanted import EVERYTHING, Wanted

MAX_LIMIT = 500
_IDS = ("run_id", "workflow_id", "entry_id")
_MOST_WORDS = 10
_FIELDS = {
    "workflow_id": "workflow_id",
    "entry_id": "entry",
    "client": "client",
    "parent_run_id": "parent",
    "started_at__gte": "started_from",
    "started_at__lt": "started_to",
    "closed_at__gte": "closed_from",
    "closed_at__lt": "closed_to",
}
"""Columns with what is wanted of them."""

_HEAVY = ("input", "result", "failure")
_FAILED_WITH = KeyTextTransform("message", "failure")


def visible(user: Any) -> QuerySet[Run]:
    """The runs that the user may see: those of the namespaces where view_run counts."""
    return grants.narrowed(Run.objects.all(), user, permissions.VIEW_RUN)


def search(user: Any, wanted: Wanted = EVERYTHING, *, before: str = "", limit: int = 50, results: bool = False) -> Page:
    """A page of the visible runs, newest first; their `input`, `failure` and (without `results`) `result` are not
    loaded, but of a failure the message (`states.FAILED_WITH`). `before` is the cursor of the page before; Refused
    for none.
    """
    words = words_of(wanted)
    rows = _narrowed(visible(user), wanted)
    if words and wanted.is_narrowed_otherwise:
        rows, words = _of_few(rows, words)
    heavy = [name for name in _HEAVY if name != "result" or not results]
    shown = rows.defer(*heavy).select_related("started_by").annotate(**{states.FAILED_WITH: _FAILED_WITH})
    return _page(shown, words, before, max(1, min(limit, MAX_LIMIT)))


def filtered(user: Any, wanted: Wanted) -> QuerySet[Run]:
    """All the visible runs that are wanted, in no order: for acts over them."""
    return substrings.containing(_narrowed(visible(user), wanted), SEARCHED, words_of(wanted))


def newest_of_text(rows: QuerySet[Run], text: str, most: int) -> list[str]:
    """The run ids of those of the rows that the console's search finds by the text, the newest `most`."""
    wanted = Wanted(text=text)
    found = substrings.newest_first(_narrowed(rows.order_by(), wanted), SEARCHED, words_of(wanted))
    return list(found.values_list("pk", flat=True)[:most])


def words_of(wanted: Wanted) -> list[str]:
    """What the text of a run must contain. Too many words are one phrase; the lines of keys are whole lines."""
    text = "" if Pid.parse(wanted.text.strip()) else folded(storable_text(wanted.text)).strip()
    _, bar, uniq = text.rpartition("|")  # part of a pid
    words = [uniq.removesuffix("}")] if bar and uniq.strip("}") else text.split()
    return [*(words if len(words) <= _MOST_WORDS else [text]), *(lines([storable_text(key)]) for key in wanted.keys)]


def _narrowed(rows: QuerySet[Run], wanted: Wanted) -> QuerySet[Run]:
    """By all that is wanted but the words: of these only that rows which tell nothing yet have them in their ids."""
    if words := words_of(wanted):
        rows = rows.filter(_described_or_named(words, storable_text(wanted.text.strip())))
    if wanted.statuses:
        rows = rows.filter(reduce(or_, map(states.condition, map(storable_text, wanted.statuses))))
    if wanted.by:
        # Its id, not a subquery: SQLite walks an index in its order for one value only.
        who = User.objects.filter(username=storable_text(wanted.by)).values_list("pk", flat=True).first()
        rows = rows.filter(started_by=who) if who is not None else rows.none()
    if wanted.waiting:
        rows = rows.filter(pk__in=questions.asking())
    if pid := Pid.parse(wanted.text.strip()):
        rows = rows.filter(workflow_id=storable_text(pid.uniq))
    given = {name: getattr(wanted, field) for name, field in _FIELDS.items() if getattr(wanted, field)}
    return rows.filter(
        **{name: storable_text(value) if isinstance(value, str) else value for name, value in given.items()}
    )


def _described_or_named(words: Sequence[str], typed: str) -> Q:
    """What is searched of a row without keys may tell what is masked by now (`business_keys.forget_masked`).

    Its ids have the words, or what was typed: SQLite knows the case of ASCII only.
    """
    named = [reduce(or_, (Q(**{f"{name}__icontains": word}) for name in _IDS)) for word in words]
    as_typed = reduce(or_, (Q(**{f"{name}__contains": typed}) for name in _IDS)) if typed else Q(pk__in=())
    return Q(keys__isnull=False) | reduce(and_, named) | as_typed


def _of_few(rows: QuerySet[Run], words: list[str]) -> tuple[QuerySet[Run], list[str]]:
    """Where the other filters leave few rows, these are looked at one by one: the words may be those of a million."""
    few = list(rows.order_by().values_list("pk", flat=True)[: substrings.FEW + 1])
    if len(few) > substrings.FEW:
        return rows, words
    return substrings.containing(Run.objects.filter(pk__in=few), SEARCHED, words), []


def search_problem() -> str:
    """Why searches are slow, "" when they have their index."""
    return texts.problem(connection, SEARCHED)


def matching(text: str) -> Q:
    """Runs with an id that is the text or begins with it; a pid names its workflow id."""
    pid = Pid.parse(text)
    if pid is not None:
        return Q(workflow_id=pid.uniq)
    found = Q()
    for field in _IDS:
        found |= begins(field, text)
    return found


def get(user: Any, workflow_id: str, run_id: str) -> Run:
    """The run, with its masked values for whoever had them shown; NotFoundError."""
    run = visible(user).filter(run_id=run_id, workflow_id=workflow_id).first()
    if run is None:
        raise NotFoundError(f"There is no run {run_id} of {workflow_id}.")
    return masking.unveil(user, run)


def by_pid(user: Any, pid: str) -> Run:
    """The newest run behind a pid, or behind a bare workflow or run id; NotFoundError."""
    parsed = Pid.parse(pid := storable_text(pid))
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


def _page(rows: QuerySet[Run], words: Sequence[str], before: str, limit: int) -> Page:
    after = _place(before) if before else None
    if words:
        ordered = substrings.newest_first(rows, SEARCHED, words, after=after)
    else:
        ordered = substrings.behind(rows, SEARCHED, after).order_by("-started_at", "-run_id")
    found = list(ordered[: limit + 1])
    if len(found) <= limit:
        return Page(found)
    last = found[limit - 1]
    return Page(found[:limit], cursors.made(last.started_at.isoformat(), last.run_id))


def _place(cursor: str) -> tuple[datetime, str]:
    at, run_id = cursors.place_of(cursor, 2)
    return cursors.moment_of(at), storable_text(run_id)
