"""Runs that are started again, with the input of another."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from wippy_console import permissions
from wippy_console.api.callers import key_of
from wippy_console.api.problems import within
from wippy_console.api.runs import RunWhole, begun, found
from wippy_console.api.shapes import Body, Json, Text
from wippy_console.services import runs
from wippy_console.services.errors import Refused

router = Router()

_HIDDEN = "Some of its input is masked and can't be copied: give the arguments."


class AgainIn(Body):
    """What the new run gets in place of the arguments of the old one (`args`), and another id or worker, if wanted."""

    args: Annotated[list[Json], Field(max_length=100)] | None = None
    workflow_id: Text = ""
    worker: Text = ""


class AgainOut(Schema):
    """What a run was started with. Values that are masked are left out of `args`; `hidden` says which."""

    entry: str
    worker: str
    args: list[Json]
    hidden: list[str]


@router.get("/{run}/again", response=AgainOut, summary="Get the input of a run for another start")
def input_again(request: HttpRequest, run: str) -> Any:
    """All its arguments, to be edited and sent to the same address."""
    row = found(request, run)
    permissions.require(request.user, permissions.START_RUN, row.namespace)
    before = runs.again(request.user, row.run_id)
    return {"entry": row.entry_id, "worker": row.worker, "args": before.args, "hidden": before.hidden}


@router.post("/{run}/again", response={201: RunWhole}, summary="Start a run again")
def again(request: HttpRequest, response: HttpResponse, run: str, body: AgainIn) -> Any:
    """Another run of the same entry, with the same arguments or others; the audit names the run that it repeats."""
    row = found(request, run)
    permissions.require(request.user, permissions.START_RUN, row.namespace)
    before = runs.again(request.user, row.run_id)
    if body.args is None and before.hidden:
        raise Refused(_HIDDEN, {"args": [f"{_HIDDEN} Hidden: {', '.join(before.hidden)}."]})
    same = row.worker if row.worker in {each.id for each in runs.workers(request.user)} else ""
    args, worker = before.args if body.args is None else body.args, body.worker or same
    key = key_of(request)
    with within("args", 0):
        started = runs.start(request.user, row.entry_id, worker, args, body.workflow_id, key=key, again=row)
    return begun(request, response, started)
