"""Appends rows, in the transaction of the deed that they tell of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.entry import namespace_of
from wippy_console import permissions
from wippy_console.database.locks import lock_for_transaction
from wippy_console.database.storable import preview, storable_text
from wippy_console.models import AuditRow, Question, Run
from wippy_console.models.masks import veil_of
from wippy_console.services import accounts
from wippy_console.services.audit.chain import hash_of

ANSWER, SIGNAL, VOTE, COMMENT = "answer", "signal", "vote", "comment"
CLAIM, RELEASE, ASSIGN, POSTPONE, ESCALATE = "claim", "release", "assign", "postpone", "escalate"
START, CANCEL, TERMINATE, RESET = "start", "cancel", "terminate", "reset"
SPAWN, MESSAGE, SERVICE, LIFT = "spawn", "message", "service", "lift"
PROMOTE = "promote"
GUEST = "guest"
UNMASK, HIDE = "unmask", "hide"
BATCH = "batch"
PUBLISH, LOGIN, GRANT, EXPORT, RESEND = "publish", "log_in", "grant", "export", "resend"
SHARE = "share"
TOKEN = "token"  # noqa: S105 - the word
SUBSCRIPTION = "subscription"
UNLOCK = "unlock"

ACTIONS: dict[str, str] = {
    ANSWER: "Answered",
    VOTE: "Voted",
    SIGNAL: "Sent a signal",
    COMMENT: "Commented",
    CLAIM: "Took a question",
    RELEASE: "Gave a question back",
    ASSIGN: "Assigned a question",
    POSTPONE: "Put a question off",
    ESCALATE: "Escalated a question",
    GUEST: "Asked a guest anew, or no more",
    START: "Started a run",
    CANCEL: "Cancelled",
    TERMINATE: "Terminated",
    RESET: "Reset a run",
    BATCH: "Acted on many runs",
    SPAWN: "Spawned a process",
    MESSAGE: "Sent a message",
    SERVICE: "Moved a service",
    LIFT: "Lifted a quarantine",
    PROMOTE: "Made a build current",
    UNMASK: "Had masked values shown",
    HIDE: "Had values masked again",
    PUBLISH: "Published",
    LOGIN: "Logged in",
    GRANT: "Changed rights",
    EXPORT: "Exported",
    RESEND: "Sent again",
    SHARE: "Shared a view, or no more",
    TOKEN: "Made or revoked a token",
    SUBSCRIPTION: "Made or changed a subscription",
    UNLOCK: "Lifted a lock of log-ins",
}
"""What people do, in words."""

_LOCK = 0x57495053  # its own number; whoever also appends to the feed does that after this
_LONGEST = 500


def append(
    action: str,
    user: Any,
    *,
    run: Run | None = None,
    question: Question | None = None,
    entry_id: str = "",
    workflow_id: str = "",
    run_id: str = "",
    label: str = "",
    outcome: str = "",
    data: Mapping[str, Any] | None = None,
    decision_id: uuid.UUID | None = None,
    at: datetime | None = None,
) -> AuditRow:
    """Add one row in the caller's transaction; `user` is an account, or the text that names somebody without one.

    What it is about comes from `run` where that is given; `token` in its data names the token by which they acted. No
    secrets: of payloads what may be shown; what the entry masks is masked here.
    """
    if action not in ACTIONS:
        raise ValueError(f"unknown action {action!r}: add it to ACTIONS")
    by = {"token": via} if (via := accounts.token_of(user)) else {}
    data = {**(data or {}), **by}
    entry = run.entry_id if run is not None else entry_id
    veil = run.veil() if run is not None else veil_of(entry, data)
    row = AuditRow(
        at=_to_the_millisecond(at or timezone.now()),
        user=storable_text(user if isinstance(user, str) else user.get_username()),
        action=action,
        entry_id=storable_text(entry),
        namespace=storable_text(namespace_of(entry)),
        workflow_id=storable_text(run.workflow_id if run is not None else workflow_id),
        run_id=run.run_id if run is not None else run_id,
        question_id=question.pk if question is not None else None,
        decision_id=decision_id,
        label=storable_text(veil.text(label)[:_LONGEST]),
        outcome=outcome,
        data=_firm(preview(veil.told(data))),
    )
    with transaction.atomic():
        lock_for_transaction(_LOCK)  # the next row must know this one's hash
        row.previous = AuditRow.objects.order_by("-id").values_list("hash", flat=True).first() or ""
        row.hash = hash_of(row)
        row.save(force_insert=True)
    return row


def is_noted(action: str, run_id: str) -> bool:
    """Whether the audit tells of such a deed on the run."""
    return AuditRow.objects.filter(action=action, run_id=run_id).exists()


def note_login(user: Any, address: str) -> None:
    """Somebody logged in; told of those with a right to change something for others."""
    if any(permissions.allows(user, right) for right in permissions.PRIVILEGED):
        append(LOGIN, user, outcome="done", data={"address": address})


def _to_the_millisecond(at: datetime) -> datetime:
    """Files hold no more of a time (`dumpdata`, exports), and the hash must stay when rows come back from one."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _firm(value: Any) -> Any:
    """The value with fractions as texts: each database keeps those in its own form, and the hash must stay."""
    match value:
        case dict():
            return {name: _firm(each) for name, each in value.items()}
        case list():
            return [_firm(each) for each in value]
        case float():
            return repr(value)
        case _:
            return value
