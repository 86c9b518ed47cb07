"""What a batch can do to a run: each act by the service that one run's page uses, under a key of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wippy_console import permissions
from wippy_console.models import Batch, Run
from wippy_console.services import decisions, histories, resetting, runs
from wippy_console.services.errors import Refused

_HIDDEN = "Values of its input are hidden from you ({}): start it again by its own form."

_LATER = "A later run of the same workflow is in the batch as well: that one is reset."

Made = tuple[str, str]
"""Workflow id and run id of a run that came of it; both "" where none did."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act. `needs_open`: it reaches only runs that go on. `lasting`: why it can't be undone, or how it can."""

    word: str
    permission: str
    do: Callable[[Batch, Run, uuid.UUID], Made]
    needs_open: bool
    lasting: str


def _signal(batch: Batch, run: Run, key: uuid.UUID) -> Made:
    given = [batch.options["payload"]] if "payload" in batch.options else []
    decisions.send(batch.user, run, str(batch.options["topic"]), *given, reason=batch.reason, key=key)
    return "", ""


def _cancel(batch: Batch, run: Run, key: uuid.UUID) -> Made:
    decisions.cancel(batch.user, run, batch.reason, key=key)
    return "", ""


def _terminate(batch: Batch, run: Run, key: uuid.UUID) -> Made:
    decisions.terminate(batch.user, run, batch.reason, key=key)
    return "", ""


def _reset(batch: Batch, run: Run, key: uuid.UUID) -> Made:
    find = resetting.first if batch.options.get("step") == "first" else resetting.last
    before = decisions.known(key, batch.user, run, patience=0)
    if before is None and _has_later(batch, run):
        raise Refused(_LATER)
    made = before or resetting.reset(
        batch.user,
        run,
        find(histories.read(run).events),
        batch.reason,
        signals=bool(batch.options.get("signals", True)),
        key=key,
    )
    return run.workflow_id, str(made.verdict.get("run_id", "")) if isinstance(made.verdict, dict) else ""


def _has_later(batch: Batch, run: Run) -> bool:
    """Whether the batch resets a later run of the same workflow: a second reset would end what the first one made."""
    rows = Run.objects.filter(client=run.client, workflow_id=run.workflow_id, pk__in=batch.items.values("run_id"))
    newest = runs.newest_of(rows)
    return newest is not None and newest.pk != run.pk


def _again(batch: Batch, run: Run, key: uuid.UUID) -> Made:
    found = runs.again(batch.user, run.run_id)
    if found.hidden:
        raise Refused(_HIDDEN.format(", ".join(found.hidden)))
    name = named_again(run, key)
    made = runs.start(batch.user, run.entry_id, run.worker, found.args, name, key=key, again=run)
    return made.workflow_id, made.run_id


def named_again(run: Run, key: uuid.UUID) -> str:
    """The same at each try; "" where the id of the run was made by itself."""
    base = runs.id_again(run.workflow_id)
    return base and f"{base}-{key.hex[:8]}"


def open_to(user: Any) -> list[tuple[str, Act]]:
    """Those that the user has the right for."""
    return [(name, act) for name, act in ACTS.items() if permissions.allows(user, act.permission)]


_ASKED = "Those that were reached stay so: a request to stop can't be taken back."
ACTS: dict[str, Act] = {
    "signal": Act("Signal", permissions.SIGNAL_RUN, _signal, True, "A signal that was sent can't be taken back."),
    "cancel": Act("Cancel", permissions.CANCEL_RUN, _cancel, True, _ASKED),
    "terminate": Act("Terminate", permissions.TERMINATE_RUN, _terminate, True, "A terminated run never goes on."),
    "reset": Act("Reset", permissions.RESET_RUN, _reset, False, "The new runs go on; you may cancel them."),
    "again": Act("Start again", permissions.START_RUN, _again, False, "The runs that it starts may be cancelled."),
}
"""By the word that rows and addresses have."""
