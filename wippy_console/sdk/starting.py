"""Workflows that Django code starts, tells something, and waits for. Each form has one for async code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from engine.errors import UnitFailed
from engine.hosts.python import values
from wippy_console.sdk.errors import Conflict, Error, Invalid, NotFound, PermissionDenied, Unavailable

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Django's models and the services are imported by the functions: this can be imported before the apps are ready.

MOST = 2 * 1024 * 1024


def start(entry: str, *args: Any, id: str = "", user: User | None = None) -> None:
    """Start a workflow; within a transaction once that has committed, and not at all if it is rolled back.

    `args` are plain data as results of functions are; Invalid says where they are not. `id` is the workflow's id: one
    that runs already is left to run. With a `user` it takes their right to start it; without one the code does it.
    """
    from wippy_console.services import outgoing  # noqa: PLC0415

    outgoing.start(entry, _plain(args), id, user)


def signal(workflow_id: str, topic: str, *payload: Any, user: User | None = None) -> None:
    """Send the newest run of the workflow id a message, as `start` starts one: after what was wanted before."""
    from wippy_console.services import outgoing  # noqa: PLC0415

    outgoing.signal(workflow_id, topic, _plain(payload), user)


def answer(
    workflow_id: str, topic: str, *payload: Any, reason: str = "", label: str = "", user: User | None = None
) -> None:
    """Answer the question that the newest run of the workflow id asks, as its entry declares the answer.

    Role, schema and rule of reasons hold as in the console: Invalid, NotFound, Conflict (answered already) or
    PermissionDenied say what does not. Within a transaction it is sent after the commit, and what is refused then
    stands at home and in the admin.
    """
    from django.core.exceptions import PermissionDenied as Denied  # noqa: PLC0415

    from wippy_console.services import outgoing  # noqa: PLC0415
    from wippy_console.services.errors import Refused  # noqa: PLC0415

    try:
        outgoing.answer(workflow_id, topic, _plain(payload), user, reason=reason, label=label)
    except Refused as error:
        raise _error_of(error) from error
    except Denied as error:
        raise PermissionDenied(str(error)) from error


def _error_of(error: Any) -> Error:
    from wippy_console.services import errors  # noqa: PLC0415

    kinds = ((errors.NotFoundError, NotFound), (errors.Conflict, Conflict), (errors.Unavailable, Unavailable))
    kind = next((ours for theirs, ours in kinds if isinstance(error, theirs)), Invalid)
    said = [f"{name}: {text}" if name else text for name, texts in error.fields.items() for text in texts]
    return kind("; ".join(said) or error.message, details=dict(error.fields))


def result(workflow_id: str, timeout: float | None = None) -> Any:
    """Wait for the end of the newest run of the workflow id; its result, or Error with what it failed with.

    Outside of transactions alone: what was started in one is sent after it, so this would wait for ever.
    """
    from django.db import connection  # noqa: PLC0415

    from wippy_console.models import Run  # noqa: PLC0415
    from wippy_console.services import runs  # noqa: PLC0415

    if connection.in_atomic_block:
        raise RuntimeError("sdk.result waits for a run, and no transaction may be open meanwhile: call it after that")
    run = Run.objects.filter(workflow_id=workflow_id).order_by("-started_at", "-run_id").first()
    if run is None:
        raise NotFound(f"there is no run of the workflow id {workflow_id}")
    try:
        return runs.result(runs.Started(run.pid, run.workflow_id, run.run_id), timeout)
    except UnitFailed as error:
        failure = error.failure
        raise Error(
            failure.message, kind=failure.kind, retryable=failure.retryable, details=dict(failure.details or {})
        ) from error


def _plain(args: tuple[Any, ...]) -> list[Any]:
    found = values.outgoing(list(args), MOST, "arguments")
    assert isinstance(found, list)
    return found


astart = sync_to_async(start)
aanswer = sync_to_async(answer)
asignal = sync_to_async(signal)
aresult = sync_to_async(result, thread_sensitive=False)
