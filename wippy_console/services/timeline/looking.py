"""A look at a run: what is known of its history, read on, and what server and database say of it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from wippy_console.models import Run
from wippy_console.services import histories, masking, registry, secrets, summaries
from wippy_console.services.errors import NotFoundError, Unavailable
from wippy_console.services.timeline.known import Known, shelf


@dataclass(frozen=True, slots=True)
class Look:
    """`now` is Temporal's answer about an open run, None for a closed one. While Temporal is `away`, which says why, it
    is what was known before.
    """

    known: Known
    now: DescribeWorkflowExecutionResponse | None
    sees: bool
    away: str = ""


def look(run: Run, user: Any) -> Look:
    """The run as the user may see it (None: nobody in particular); NotFoundError, Unavailable.

    A run without new events costs one request, an ended one none. While Temporal is away it is as this process knew it.
    """
    sees = masking.sees(user, run)
    shown = secrets.Shown(run, sees=sees)
    key, stamp = (run.run_id, sees), shown.stamp()
    known = shelf.get(key, stamp) or Known(Lines(run), shown)
    try:
        known, now = _read_on(run, known)
    except Unavailable as error:
        if not known.last_event_id:
            raise
        return Look(known, None, sees, error.message)
    shelf.put(key, stamp, known)
    veil = known.shown.veil() if known.shown else None
    return Look(known, now if now is None or not veil else secrets.veiled(now, veil), sees)


def _read_on(run: Run, known: Known) -> tuple[Known, DescribeWorkflowExecutionResponse | None]:
    now = histories.describe(run) if run.is_open else None
    if _is_behind(known, now):
        fresh = histories.since(run, known.last_event_id)
        with known.lock:  # somebody else may have read the same meanwhile
            known.read(fresh)
        known = _settled(run, known)
    known.read_at = timezone.now()
    return known, now


def _settled(run: Run, known: Known) -> Known:
    """An ended run that masks something is read once more: its first events may tell what only the last ones mask."""
    shown = known.shown
    if shown is None or known.pieces == 1 or not _is_whole(known) or not shown.veil():
        return known
    afresh = Known(Lines(run), shown.afresh())
    afresh.read(histories.since(run, 0))
    return afresh


def _is_behind(known: Known, now: DescribeWorkflowExecutionResponse | None) -> bool:
    if now is None:
        return not _is_whole(known)
    return now.workflow_execution_info.history_length > known.last_event_id


def _is_whole(known: Known) -> bool:
    """Whether the end of the run was read."""
    start = known.fold.drafts.get(1)
    return start is not None and start.end is not None


class Lines:
    """What calls of a run did, by the `meta.summary` of what they called, as it was when the run began."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._metas: dict[str, Any] = {}

    def __call__(self, label: str, arguments: Sequence[Any] | None) -> str:
        """One line, "" where nothing tells."""
        if label not in self._metas:
            self._metas[label] = self._meta(label)
        return summaries.line(self._metas[label], arguments)

    def _meta(self, label: str) -> Any:
        for at in dict.fromkeys([self._run.registry_version, None]):
            try:
                return registry.entry(label, at=at).meta if ":" in label else {}
            except NotFoundError:
                continue
        return {}
