"""Finds the run behind a pid where it is: in Temporal, which may know a newer one than the rows."""

from __future__ import annotations

from engine.errors import NOT_FOUND, UnitFailed
from engine.pids import Pid
from wippy_console.models import Run
from wippy_console.services import projection, registry, temporal
from wippy_console.services.by_kind import WORKER
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.projection import Ref, fetch_beginning


def is_run(pid: Pid) -> bool:
    """Whether it is the pid of a workflow; else it is that of a process or a function."""
    try:
        return registry.entry(pid.host).kind == WORKER
    except NotFoundError:
        return False


def latest(pid: Pid) -> Run:
    """The newest run of the workflow; one that the projection has not seen yet gets its row now.

    NotFoundError, Unavailable. Asks for no right.
    """
    host = temporal.host(pid.host)
    try:
        run_id = temporal.run(host.describe(pid.uniq)).run_id
    except UnitFailed as error:
        if error.failure.kind == NOT_FOUND:
            raise NotFoundError(f"workflow '{pid.uniq}' not found") from error
        raise Refused(error.failure.message) from error
    ref, catalog = Ref(host.settings.client, pid.uniq, run_id), temporal.catalog()
    if not Run.objects.filter(run_id=run_id).exists():
        projection.write(catalog, [temporal.run(fetch_beginning(catalog, host.client, ref))])
    return Run.objects.get(run_id=run_id)


def succeeding(run: Run) -> Run | None:
    """The run that took over from this one, as Temporal has it now; None when this is the newest, or unknown."""
    pid = Pid.parse(run.pid)
    newest = latest(pid) if pid else None
    return None if newest is None or newest.pk == run.pk else newest
