"""How a run stands, by one rule: lists, pages, the feed and the command line tell it alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from wippy_console.models import Question, Run
from wippy_console.services import fleet

RUNNING, RETRYING, WAITING, SLEEPING, SCHEDULED = "running", "retrying", "waiting", "sleeping", "scheduled"
STUCK, NO_WORKER, QUARANTINED = "stuck", "no_worker", "quarantined"
"""The states of an open run; those of a closed one are `Run.Status`."""

NOBODY, QUEUE, CALL = "no worker", "task queue ", ", for its call of "
"""How the reason begins why nobody works on a run, and what stands before the queue and after it."""

# Of open runs alone; few, so that their index makes queries cheap which join no others.
_TROUBLED = Q(troubled_since__isnull=False)
_QUARANTINED, _NO_WORKER = Q(stuck_reason__startswith=QUARANTINED), Q(stuck_reason__startswith=NOBODY)
_NONE = Q(pk__in=())

FAILED_WITH = "failed_with"
"""The mark of runs in lists: the message of their failure, which itself may be large and is not read."""

TROUBLES = (RETRYING, STUCK, NO_WORKER, QUARANTINED)
"""The states of open runs that do not get on."""

FILTERS = (RUNNING, WAITING, SCHEDULED, *TROUBLES, *Run.Status.values[1:])
"""What lists may be filtered by (`condition`): Running are all that are open."""

TAKEN_EXPECTED = timedelta(seconds=3)
"""A task or a call that waits longer than this for a worker may be on a queue that nobody serves."""


@dataclass(frozen=True, slots=True)
class State:
    """How a run stands. `reason` says in words what keeps it; `attempt` is the try of `call` that comes, at `next_at`.

    `error` is that of the try before, or what a run failed with, where that was read (`FAILED_WITH`).
    `until` is when it goes on by itself or (waiting) when the answer is due; `queue` is one that nobody serves.
    """

    key: str
    reason: str = ""
    call: str = ""
    attempt: int = 0
    error: str = ""
    next_at: datetime | None = None
    until: datetime | None = None
    queue: str = ""

    @property
    def is_trouble(self) -> bool:
        """Whether the run does not get on."""
        return self.key in TROUBLES

    def to_json(self) -> dict[str, Any]:
        """What applies, as plain data; times in ISO 8601."""
        fields = {name: value for name, value in asdict(self).items() if value and name != "key"}
        return {"key": self.key, **{name: _plain(value) for name, value in fields.items()}}


def of(run: Run, *, asks: bool, unserved: bool = False) -> State:
    """The state; `asks` says whether the run has an open question, `unserved` whether it is among those (below)."""
    if not run.is_open:
        return State(run.status, error=getattr(run, FAILED_WITH, None) or "")
    reason = run.stuck_reason or (f"{NOBODY} serves {QUEUE}{run.task_queue}" if unserved else "")
    if reason:
        key = of_reason(reason)
        return State(key, reason, queue=queue_in(reason) if key == NO_WORKER else "")
    if run.retrying:
        return _retrying(run.retrying[0], len(run.retrying) - 1)
    if asks:
        return State(WAITING, until=run.next_deadline)
    return _by_itself(run)


def unserved(runs: Iterable[Run]) -> set[str]:
    """The ids of those runs that nobody took, on queues that none serves. While no node lives, nobody else tells."""
    silent = [run.run_id for run in runs if run.is_open and not run.history_length]
    rows = Run.objects.filter(_not_taken(), run_id__in=silent) if silent else Run.objects.none()
    untaken = dict(rows.values_list("run_id", "task_queue"))
    served = fleet.queues() if untaken else set()
    return {run_id for run_id, queue in untaken.items() if queue not in served}


def of_reason(reason: str) -> str:
    """What kind of trouble a `stuck_reason` tells of."""
    starts = {QUARANTINED: QUARANTINED, NOBODY: NO_WORKER}
    return next((key for start, key in starts.items() if reason.startswith(start)), STUCK)


def condition(key: str) -> Q:
    """The runs that a filter by state means: a status, or a state of open runs."""
    found = _CONDITIONS.get(key)
    return found() if found else Q(status=key)


def _asking() -> Q:
    open_questions = Question.objects.filter(closed_at=None)
    return Q(status=Run.Status.RUNNING, troubled_since=None, pk__in=open_questions.values("run_id"))


_CONDITIONS: dict[str, Callable[[], Q]] = {
    RETRYING: lambda: _TROUBLED & Q(stuck_reason=""),
    STUCK: lambda: _TROUBLED & ~Q(stuck_reason="") & ~_QUARANTINED & ~_NO_WORKER,
    NO_WORKER: lambda: (_TROUBLED & _NO_WORKER) | _untaken(),
    QUARANTINED: lambda: _TROUBLED & _QUARANTINED,
    WAITING: _asking,
    SCHEDULED: lambda: Q(status=Run.Status.RUNNING, history_length=0, starts_at__gt=timezone.now()),
}


def troubled() -> Q:
    """The open runs that do not get on."""
    return _TROUBLED | _untaken()


def held() -> Q:
    """Those that no further try helps: stuck, without a worker, quarantined."""
    return (_TROUBLED & ~Q(stuck_reason="")) | _untaken()


def _untaken() -> Q:
    """The `unserved`, for queries: while a node lives, its reconciler tells of them, at no cost for pages."""
    return _NONE if fleet.queues() else _not_taken()


def _not_taken() -> Q:
    """The open runs on queues of the registry's workers that nobody took, though it is time."""
    late = timezone.now() - TAKEN_EXPECTED
    began = Q(starts_at=None, started_at__lt=late) | Q(starts_at__lt=late)
    return Q(status=Run.Status.RUNNING, history_length=0, elsewhere=False) & began & ~Q(task_queue="")


def retries(run: Run) -> dict[str, Any]:
    """What the feed tells of a run that is Retrying."""
    first: Mapping[str, Any] = run.retrying[0]
    return {name: first.get(name) for name in ("name", "attempt", "kind", "message", "next")}


def _retrying(first: Mapping[str, Any], others: int) -> State:
    why = first.get("message") or "it did not answer in time"
    more = f" ({others} more)" if others else ""
    reason = f"{first['name']}, attempt {first['attempt']}: {why}{more}"
    return State(RETRYING, reason, first["name"], first["attempt"], why, _moment(first.get("next")))


def _by_itself(run: Run) -> State:
    """A run that nothing keeps and that asks nobody."""
    if run.starts_at is not None and not run.history_length and run.starts_at > timezone.now():
        return State(SCHEDULED, next_at=run.starts_at)
    deadlines = [wait["deadline"] for wait in run.waiting if wait.get("kind") == "timer" and wait.get("deadline")]
    if deadlines and set(run.waiting_totals or [wait.get("kind") for wait in run.waiting]) == {"timer"}:
        return State(SLEEPING, until=datetime.fromtimestamp(min(deadlines) / 1e9, UTC))
    return State(RUNNING)


def queue_in(reason: str) -> str:
    """The queue that a `stuck_reason` says nobody serves, "" in others."""
    return reason.partition(QUEUE)[2].partition(CALL)[0]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
