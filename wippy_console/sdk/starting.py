"""Workflows that Django code starts, tells something, and waits for. Each form has one for async code."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async

from engine.errors import UnitFailed
from wippy_console.sdk import given
from wippy_console.sdk.errors import Conflict, Error, Invalid, NotFound, PermissionDenied, Timeout, Unavailable

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from wippy_console.models import Run

# Django's models and the services are imported by the functions: this can be imported before the apps are ready.

LOOK = 0.2


class Handle(str):
    """The workflow that `start` wants: a text, its id, so it may be used and kept wherever an id is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Handle of {self}>"

    @property
    def id(self) -> str:
        """The workflow's id, as a plain text."""
        return str.__str__(self)

    def signal(self, topic: str, *payload: Any, user: User | None = None) -> None:
        """Send it a message: `sdk.signal`."""
        signal(self.id, topic, *payload, user=user)

    def answer(self, topic: str, *payload: Any, reason: str = "", label: str = "", user: User | None = None) -> None:
        """Answer what it asks: `sdk.answer`."""
        answer(self.id, topic, *payload, reason=reason, label=label, user=user)

    def result(self, timeout: float | None = None) -> Any:
        """Wait for its end: `sdk.result`."""
        return result(self.id, timeout)

    async def asignal(self, topic: str, *payload: Any, user: User | None = None) -> None:
        """`signal` for async code."""
        await asignal(self.id, topic, *payload, user=user)

    async def aanswer(
        self, topic: str, *payload: Any, reason: str = "", label: str = "", user: User | None = None
    ) -> None:
        """`answer` for async code."""
        await aanswer(self.id, topic, *payload, reason=reason, label=label, user=user)

    async def aresult(self, timeout: float | None = None) -> Any:
        """`result` for async code."""
        return await aresult(self.id, timeout)


def start(entry: str, *args: Any, id: str = "", user: User | None = None) -> Handle:
    """Start a workflow; within a transaction once that has committed, and not at all if it is rolled back.

    `args` are plain data as results of functions are; Invalid (LimitExceeded) says where they are not. `id` is the
    workflow's id: one that runs already is left to run; after one that has ended a new run begins, unless the entry's
    option `workflow.id_reuse_policy` says otherwise. Without it an id is made up, which the handle names. With a `user`
    it takes their right to start it (PermissionDenied), now and when it is sent; without one the code does it.
    """
    from wippy_console.services import outgoing  # noqa: PLC0415

    named, workflow_id = given.text("entry", entry, 500, needed=True), given.workflow_id("id", id, needed=False)
    with _told():
        return Handle(outgoing.start(named, given.plain("args", args), workflow_id, given.user(user)).workflow_id)


def signal(workflow_id: str, topic: str, *payload: Any, user: User | None = None) -> None:
    """Send the newest run of the workflow id a message, as `start` starts one: after what was wanted before.

    It arrives with as many payloads as are given. Raises Invalid (LimitExceeded) and PermissionDenied.
    """
    from wippy_console.services import outgoing  # noqa: PLC0415

    named, about = given.workflow_id("workflow_id", workflow_id), given.text("topic", topic, 500, needed=True)
    with _told():
        outgoing.signal(named, about, given.plain("payload", payload), given.user(user))


def answer(
    workflow_id: str, topic: str, *payload: Any, reason: str = "", label: str = "", user: User | None = None
) -> None:
    """Answer the question that the newest run of the workflow id asks, as its entry declares the answer.

    Role, schema and rule of reasons hold as in the console: Invalid, NotFound (nothing asks for it), Conflict (answered
    already) or PermissionDenied say what does not. Within a transaction it is sent after the commit, and what is
    refused then stands at home and in the admin. `payload` is one value, or none.
    """
    from wippy_console.services import outgoing  # noqa: PLC0415

    if len(payload) > 1:
        raise Invalid("payload: an answer is one value; put several into a list or a mapping")
    named, about = given.workflow_id("workflow_id", workflow_id), given.text("topic", topic, 500, needed=True)
    reason, label = given.text("reason", reason, given.MOST), given.text("label", label, 200)
    with _told():
        outgoing.answer(named, about, given.plain("payload", payload), given.user(user), reason=reason, label=label)


def result(workflow_id: str, timeout: float | None = None) -> Any:
    """Wait for the end of the newest run of the workflow id; its result, or Error with what it failed with.

    A start that is not sent yet is waited for. Timeout when it takes more than so many seconds: the run goes on, and
    may be waited for again. NotFound when there is none, Unavailable when Temporal does not answer. Outside of
    transactions alone: what was started in one is sent after it, so this would wait for ever.
    """
    from django.db import connection  # noqa: PLC0415

    from wippy_console.services import runs  # noqa: PLC0415

    named = given.workflow_id("workflow_id", workflow_id)
    end = _end(timeout)
    if connection.in_atomic_block:
        raise RuntimeError("sdk.result waits for a run, and no transaction may be open meanwhile: call it after that")
    with _told():
        run = _begun(named, timeout, end)
        left = None if timeout is None else max(end - time.monotonic(), 0)
        try:
            return runs.result(runs.Started(run.pid, run.workflow_id, run.run_id), left)
        except runs.StillRunningError as error:
            raise Timeout(f"the run of {named} did not end within {timeout:g} seconds, and goes on") from error
        except UnitFailed as error:
            failure = error.failure
            details = dict(failure.details or {})
            raise Error(failure.message, kind=failure.kind, retryable=failure.retryable, details=details) from error


def _result_apart(workflow_id: str, timeout: float | None = None) -> Any:
    """On a thread that has a connection of its own, which nobody else would close."""
    from django.db import connections  # noqa: PLC0415

    try:
        return result(workflow_id, timeout)
    finally:
        connections.close_all()


def _end(timeout: float | None) -> float:
    if timeout is None:
        return math.inf
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
        raise Invalid("timeout: must be a number of seconds from 0, or None")
    return time.monotonic() + timeout


def _begun(workflow_id: str, timeout: float | None, end: float) -> Run:
    """The newest run, once the start that is wanted has been sent."""
    from wippy_console.models import Outgoing, Run  # noqa: PLC0415
    from wippy_console.services import outgoing, runs  # noqa: PLC0415

    while (wanted := outgoing.start_of(workflow_id)) is not None and wanted.state != Outgoing.State.REFUSED:
        if time.monotonic() >= end:
            raise Timeout(f"the run of {workflow_id} did not begin within {timeout:g} seconds: {wanted.why}")
        time.sleep(min(LOOK, max(end - time.monotonic(), 0)))
    run = runs.newest_of(Run.objects.filter(workflow_id=workflow_id))
    if wanted is not None and (run is None or run.started_at < wanted.created_at):
        raise NotFound(f"the start of {workflow_id} was refused: {wanted.why}")
    if run is None:
        raise NotFound(f"there is no run of the workflow id {workflow_id}")
    return run


@contextmanager
def _told() -> Iterator[None]:
    """What services refuse is raised as errors of this package."""
    from django.core.exceptions import PermissionDenied as Denied  # noqa: PLC0415

    from wippy_console.services.errors import Refused  # noqa: PLC0415

    try:
        yield
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


astart = sync_to_async(start)
aanswer = sync_to_async(answer)
asignal = sync_to_async(signal)
aresult = sync_to_async(_result_apart, thread_sensitive=False)
