"""Carries a reset out, once, and makes its new run known."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from typing import Any

from temporalio.service import RPCError

from engine.errors import UnitFailed
from wippy_console import permissions
from wippy_console.models import Decision, Run
from wippy_console.services import decisions, projection, temporal
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable
from wippy_console.services.projection import RPC_TIMEOUT, Ref, fetch_beginning, handle_of
from wippy_console.services.resetting.plans import plan

logger = logging.getLogger(__name__)

_WENT_ON = "The run went on since this form was drawn: look at it again, then decide."


def may_reset(user: Any, run: Run) -> bool:
    """Whether the user may reset the run as its row stands; where that ends an open one, that right counts too."""
    allowed = permissions.allows(user, permissions.RESET_RUN, run.namespace)
    return allowed and (not run.is_open or permissions.allows(user, permissions.TERMINATE_RUN, run.namespace))


def reset(
    user: Any,
    run: Run,
    event_id: int,
    reason: str,
    *,
    signals: bool = True,
    updates: bool = True,
    seen: str = "",
    key: uuid.UUID | None = None,
) -> Decision:
    """Let the run go on as a new one from before the event; `verdict` of the decision has its `run_id`.

    `signals` and `updates` that came after it are applied again, or left out. `seen` is the plan that was shown:
    Conflict when it is another by now. Raises PermissionDenied, Refused, Conflict, NotFoundError, Unavailable.
    """
    permissions.require(user, permissions.RESET_RUN, run.namespace)
    before = decisions.known(key, user, run)
    if before is not None:
        return before
    found = plan(user, run, event_id)
    if found.current.is_open:
        permissions.require(user, permissions.TERMINATE_RUN, run.namespace)
    if seen and seen != found.seen:
        raise Conflict(_WENT_ON)
    options = {"event_id": found.point, "signals": signals, "updates": updates, "before": found.current.reset_run_id}
    made = decisions.reset(user, run, options, reason, key=key)
    _make_known(run, made)
    return made


def _make_known(run: Run, made: Decision) -> None:
    """The new run's page is there when the browser asks for it; else the reconciler finds it a moment later."""
    run_id = made.verdict.get("run_id") if isinstance(made.verdict, dict) else None
    if not run_id or Run.objects.filter(pk=run_id, previous_run_id=run.run_id).exists():
        return
    try:
        catalog, client = temporal.catalog(), temporal.client(run.client)
        ref = Ref(run.client, run.workflow_id, run_id)
        began = temporal.run(fetch_beginning(catalog, client, ref))
        started_at = temporal.run(handle_of(client, ref).describe(rpc_timeout=RPC_TIMEOUT)).start_time
        projection.write(catalog, [replace(began, previous_run_id=run.run_id, started_at=started_at)])
    except (Unavailable, NotFoundError, Refused, RPCError, UnitFailed):
        logger.info("the run that %s was reset to will be found later", run.run_id)
