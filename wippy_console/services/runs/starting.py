"""Starts runs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from temporalio.client import WorkflowExecutionDescription

from engine.contracts.host import SpawnRequest
from engine.entry import Entry, namespace_of
from engine.errors import ALREADY_EXISTS, UnitFailed
from engine.hosts.temporal.client.host import WorkflowHost
from engine.registry.references import references
from wippy_console import permissions
from wippy_console.models import Delivery, Run
from wippy_console.services import accounts, audit, by_kind, projection, registry, schemas, secrets, temporal
from wippy_console.services.by_kind import WORKER, WORKFLOW
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable
from wippy_console.services.projection import Began, Ref
from wippy_console.services.runs import delivered
from wippy_console.services.runs.keys import starting_keys
from wippy_console.services.runs.values import Started
from wippy_console.services.temporal_doubt import Away

_ID_LENGTH = 1000
NOT_STARTED = "Nothing was started: try again once it answers."
MAY_HAVE_STARTED = "It may have started all the same: look at the list of runs before you send it again."
_About = tuple[str, dict[str, str]]
"""Where an input comes from, for the audit: a label, and data."""

SEND_AGAIN = "It may have started all the same: send it again unchanged, and there is one run."


def startable(user: Any) -> list[Entry]:
    """The workflow.lua entries that the user may start."""
    return by_kind.entries_for(user, permissions.START_RUN, WORKFLOW)


def workers(user: Any, permission: str = permissions.START_RUN) -> list[Entry]:
    """The temporal.worker entries of the namespaces where the user holds the right."""
    return by_kind.entries_for(user, permission, WORKER)


def named_worker(entry: Entry) -> str:
    """The worker that a workflow names for itself (`meta.temporal.workflow.worker` or `meta.default_host`), or ""."""
    named = {each.field: each.target for each in references(entry)}
    return named.get("meta.temporal.workflow.worker") or named.get("meta.default_host", "")


def likely_worker(entry: Entry) -> str:
    """The worker that a start means when none is chosen, or "" when one must be."""
    try:
        return named_worker(entry) or by_kind.only(WORKER, entry.id)
    except (NotFoundError, Refused):
        return ""


def start(
    user: Any,
    entry_id: str,
    worker: str,
    args: list[Any],
    workflow_id: str = "",
    *,
    key: uuid.UUID | None = None,
    again: Run | None = None,
    delivery: Delivery | None = None,
    context: Mapping[str, Any] | None = None,
) -> Started:
    """Start a run and return at once; its Run row exists afterwards.

    Make `key` once per drawn form: the same start by the same key again gives the run of the first try.
    `again` is the run whose input it is, edited or not: the audit names it. So it does the `delivery` of another
    system that the start comes from, which has one start, whatever its entry says by the time of another try.
    `worker` "" means the one that the entry names, else the only one near it. Raises PermissionDenied; Refused
    (`fields` by path of the first argument, "" for the whole, `workflow_id`); NotFoundError; Conflict when a run
    with `workflow_id` is open; Unavailable.
    """
    permissions.require(user, permissions.START_RUN, namespace_of(entry_id))
    entry = _workflow(entry_id)
    by_kind.refuse_others(user, worker, likely_worker(entry))
    worker = worker or named_worker(entry) or by_kind.only(WORKER, entry_id)
    schemas.refuse_input(entry, args, _bad_id(workflow_id))
    request = replace(_request(user, entry, worker, args, workflow_id, delivery), context=context or {})
    once = str(delivery.pk) if delivery is not None else _request_id(user, request, key)
    host = _host(worker)
    before = delivered.run_of(host, workflow_id, delivery) if delivery is not None and delivery.tries > 1 else ""
    started = (workflow_id, before) if before else _spawn(host, request, accounts.identity(user), once)
    return _observed(user, host, request, started, _about(again, delivery))


def _request_id(user: Any, request: SpawnRequest, key: uuid.UUID | None) -> str:
    """Of this start by this form: what a form says that was changed meanwhile is another start."""
    told = (user.pk, request.entry, request.host, request.args, request.name)
    return str(uuid.uuid5(key, repr(told))) if key else ""


def _about(again: Run | None, delivery: Delivery | None) -> _About:
    if delivery is not None:
        return f"webhook: {delivery.route}", {"endpoint": delivery.endpoint, "delivery": str(delivery.pk)}
    if again is not None:
        return f"again: {again.run_id}", {"again": again.run_id, "again_workflow_id": again.workflow_id}
    return "", {}


def _bad_id(workflow_id: str) -> dict[str, list[str]]:
    """Changing it in silence would name another run than was meant."""
    if len(workflow_id) > _ID_LENGTH:
        return {"workflow_id": [f"At most {_ID_LENGTH} characters."]}
    if workflow_id != workflow_id.strip():
        return {"workflow_id": ["An id does not begin or end with a space."]}
    return {}


def _host(worker: str) -> WorkflowHost:
    try:
        return temporal.host(worker, starting_keys)
    except NotFoundError as error:
        raise NotFoundError(error.message, {"worker": [error.message]}) from error
    except Away as error:
        raise Away(f"{error.message} {NOT_STARTED}") from error


def _workflow(entry_id: str) -> Entry:
    entry = registry.entry(entry_id)
    if entry.kind != WORKFLOW:
        raise Refused(f"{entry_id} is a {entry.kind}, not a {WORKFLOW}: it can't be started as a run.")
    return entry


def _request(
    user: Any, entry: Entry, worker: str, args: list[Any], workflow_id: str, delivery: Delivery | None
) -> SpawnRequest:
    memo = {projection.USER_MEMO: user.get_username(), **({delivered.MEMO: str(delivery.pk)} if delivery else {})}
    options = {"workflow.id_conflict_policy": "fail", "workflow.memo": memo}
    return SpawnRequest(entry=entry.id, host=worker, args=tuple(args), name=workflow_id, options=options)


def _observed(user: Any, host: WorkflowHost, request: SpawnRequest, started: tuple[str, str], about: _About) -> Started:
    """The projection learns of the run now, so that its page is there when the browser asks for it."""
    (workflow_id, run_id), worker = started, host.settings
    found = _described(host, workflow_id, run_id)
    began = Began(
        ref=Ref(worker.client, workflow_id, run_id),
        entry_id=request.entry,
        started_at=found.start_time if found else timezone.now(),
        starts_at=_later(found.start_time, found.execution_time) if found else None,
        worker=worker.worker,
        task_queue=found.task_queue if found else worker.task_queue,
        input=request.args,
        started_by=user.pk,
    )
    projection.write(temporal.catalog(), [began])
    is_new = _noted(user, request, workflow_id, run_id, about)
    return Started(worker.pid(workflow_id), workflow_id, run_id, before=not is_new)


@transaction.atomic
def _noted(user: Any, request: SpawnRequest, workflow_id: str, run_id: str, about: _About) -> bool:
    """Write the start into the audit; whether it was not there yet. Of two tries at once one waits for the other."""
    list(Run.objects.select_for_update().filter(pk=run_id).values_list("pk"))
    if audit.is_noted(audit.START, run_id):
        return False
    given = {"input": secrets.arguments(registry.entry(request.entry).meta.get("input_schema"), request.args)}
    label, origin = about
    audit.append(
        audit.START,
        user,
        entry_id=request.entry,
        workflow_id=workflow_id,
        run_id=run_id,
        label=label,
        outcome="done",
        data={**given, **origin},
    )
    return True


def _described(host: WorkflowHost, workflow_id: str, run_id: str) -> WorkflowExecutionDescription | None:
    """As Temporal has it; None when it stopped answering just now, for the run has started nevertheless."""
    try:
        return temporal.run(host.describe(workflow_id, run_id))
    except (Unavailable, UnitFailed):
        return None


def _later(started: datetime, begins: datetime | None) -> datetime | None:
    """When the code begins, if that is after the start."""
    return begins if begins and begins > started else None


def _spawn(host: WorkflowHost, request: SpawnRequest, identity: str, request_id: str) -> tuple[str, str]:
    """The ids of workflow and run."""
    try:
        handle = temporal.run(host.start(request, identity, request_id=request_id))
    except Unavailable as error:
        raise Unavailable(f"{error.message} {SEND_AGAIN if request_id else MAY_HAVE_STARTED}") from error
    except UnitFailed as error:
        if error.failure.kind == ALREADY_EXISTS:
            text = f"A run of {request.name} is open already."
            raise Conflict(text, {"workflow_id": [text]}) from error
        raise Refused(f"Temporal did not start it: {error.failure.message}") from error
    return handle.id, handle.result_run_id or ""
