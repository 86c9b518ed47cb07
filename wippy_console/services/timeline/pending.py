"""What only the server knows of an open run: attempts under way, and the failures before them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo, PendingWorkflowTaskInfo

from wippy_console.services.timeline.drafts import Draft, moment
from wippy_console.services.timeline.failures import read_failure
from wippy_console.services.timeline.fold import Fold


def pending(
    fold: Fold, activities: Iterable[PendingActivityInfo], task: PendingWorkflowTaskInfo | None, now: datetime
) -> dict[int, Draft]:
    """The rows that it changes, by id; those of the fold stay as they are."""
    by_id = {draft.activity_id: draft for draft in fold.open.values() if draft.activity_id}
    known = [(by_id[info.activity_id], info) for info in activities if info.activity_id in by_id]
    found = {draft.id: _activity(draft, info, now) for draft, info in known}
    last = _last_task(fold) if task is not None and task.attempt > 1 else None
    if task is not None and last is not None:
        found[last.id] = replace(last, attempt=task.attempt, end=None)
    return found


def _last_task(fold: Fold) -> Draft | None:
    return next((draft for draft in reversed(fold.drafts.values()) if draft.kind == "task"), None)


def _activity(draft: Draft, info: PendingActivityInfo, now: datetime) -> Draft:
    """The call as it stands. A next try that is due is no deadline: it is up to the server, and never late."""
    draft = replace(draft, attempt=max(info.attempt, 1))
    if info.HasField("last_started_time"):
        draft.started = moment(info.last_started_time)
    if info.HasField("last_failure"):
        draft.failure = read_failure(info.last_failure)
    if info.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
        draft.state = "running"
        return draft
    draft.state = "retrying" if draft.attempt > 1 else "scheduled"
    due = moment(info.next_attempt_schedule_time) if info.HasField("next_attempt_schedule_time") else now
    draft.deadline = due if due > now else None
    return draft
