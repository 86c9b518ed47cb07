"""Whom an id on the command line means."""

from __future__ import annotations

from django.contrib.auth.models import User

from engine.pids import Pid
from wippy_console.models import Run
from wippy_console.services import runs
from wippy_console.services.errors import NotFoundError, Refused


def run_or_process(user: User, text: str) -> Run | str:
    """The newest run of a pid or workflow id, or the run of a run id; or the pid of a process.

    NotFoundError, also for an id of a run that the user may not see.
    """
    pid = Pid.parse(text)
    if pid is not None:
        return runs.latest(pid) if runs.is_run(pid) else text
    if text.startswith("{"):
        raise Refused(f"{text!r} is no pid: it looks like {{client@worker|id}}, with its braces.")
    try:
        return runs.by_pid(user, text)
    except NotFoundError:
        text = f"There is no run with the id {text!r}: give a workflow id, a run id or a pid, as `runs` prints them."
        raise NotFoundError(text) from None
