"""Runs as the projection sees them; rebuildable from Temporal at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models

from wippy_console.database.folding import folded
from wippy_console.database.texts import Texts
from wippy_console.models.masks import Veil, VeiledField, of_entry, whole

ENDED_BADLY = ("failed", "timed_out")
_STARTS_LATER = models.Q(starts_at__isnull=False, closed_at=None)

SEARCHED = Texts("wippy_console_run", "run_id", "search", "started_at")
"""Where runs are found by any part of a text."""


def lines(parts: Iterable[str]) -> str:
    """What is searched: each text folded and on a line of its own, so that one can also be asked for whole."""
    return folded("\n".join(["", *filter(None, parts), ""]))


class SearchField(models.TextField):  # type: ignore[type-arg] # at run time it takes none
    """What a run is found by: its ids, where the projection wrote nothing better."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        """No row is without its ids."""
        run = model_instance
        if not run.search:
            run.search = lines([run.workflow_id, run.run_id, run.entry_id])
        return str(run.search)


class Run(models.Model):
    """One workflow execution. Written by the projection only.

    Input, result and failure are read with dots in place of what its entry masks, unless `unveiled` says otherwise.
    """

    class Status(models.TextChoices):
        """Temporal's words for where an execution stands."""

        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELED = "canceled"
        TERMINATED = "terminated"
        TIMED_OUT = "timed_out"
        CONTINUED_AS_NEW = "continued_as_new"

    run_id = models.CharField(max_length=64, primary_key=True)
    workflow_id = models.CharField(max_length=1000)
    entry_id = models.CharField(max_length=500)
    namespace = models.CharField(max_length=500, blank=True, help_text="of its entry; blank for other systems' runs")
    client = models.CharField(max_length=500, help_text="temporal.client entry")
    worker = models.CharField(
        max_length=500,
        blank=True,
        help_text="temporal.worker entry; blank when unknown",
    )
    task_queue = models.CharField(max_length=500, blank=True)
    program = models.CharField(max_length=64, blank=True, help_text="digest; blank until known")
    registry_version = models.PositiveBigIntegerField(null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.RUNNING)
    stuck_reason = models.TextField(blank=True, help_text="why its workflow task keeps failing, else blank")
    retrying = models.JSONField(
        default=list, help_text="calls that failed three times or more: {id, name, attempt, kind, message, next}"
    )
    troubled_since = models.DateTimeField(null=True, blank=True, help_text="since when it is stuck or retrying")
    elsewhere = models.BooleanField(default=False, help_text="no worker of the registry serves its task queue")
    started_at = models.DateTimeField()
    starts_at = models.DateTimeField(null=True, blank=True, help_text="when its code begins, if later: delay or cron")
    closed_at = models.DateTimeField(null=True, blank=True)
    history_length = models.PositiveIntegerField(default=0)
    waiting = models.JSONField(
        default=list, help_text="list of {kind, name, seq, deadline}: engine.steps.Wait; the first"
    )
    waiting_totals = models.JSONField(default=dict, help_text="how many there are by kind: engine.steps.Waits")
    next_deadline = models.DateTimeField(null=True, blank=True)
    input = VeiledField(null=True, blank=True, help_text="the list of arguments; large ones are cut")
    result = VeiledField(null=True, blank=True)
    failure = VeiledField(null=True, blank=True, help_text="engine.errors.Failure.to_json")
    parent_workflow_id = models.CharField(max_length=1000, blank=True)
    parent_run_id = models.CharField(max_length=64, blank=True)
    first_run_id = models.CharField(max_length=64, blank=True, help_text="of its chain; blank until known")
    previous_run_id = models.CharField(
        max_length=64, blank=True, help_text="the run that it continues, retries or was reset from"
    )
    next_run_id = models.CharField(max_length=64, blank=True, help_text="the run that goes on in its place")
    search = SearchField(blank=True, editable=False, help_text="what is searched: lines, folded")
    keys = models.JSONField(null=True, blank=True, help_text="business keys by path: meta.search; empty until known")
    summary = models.CharField(max_length=200, blank=True, help_text="one line of meta.summary")
    cut = models.JSONField(default=dict, help_text="bytes of what is kept in part: input, result, failure")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    observed_at = models.DateTimeField(auto_now=True)

    unveiled = False
    """Whether this copy of the row shows masked values to whoever asked to see them."""

    class Meta:
        ordering = ["-started_at", "-run_id"]
        indexes = [
            models.Index(fields=["-started_at", "-run_id"]),
            models.Index(fields=["status", "-started_at"]),
            models.Index(fields=["entry_id", "-started_at"]),
            models.Index(fields=["workflow_id", "-started_at"]),
            models.Index(fields=["parent_run_id"]),
            models.Index(fields=["previous_run_id"], name="run_previous", condition=~models.Q(previous_run_id="")),
            models.Index(fields=["namespace", "-started_at", "-run_id"], name="run_room"),
            models.Index(fields=["client", "closed_at"]),
            models.Index(fields=["client", "-started_at", "-run_id"], name="run_of_client"),
            models.Index(fields=["started_by", "-started_at", "-run_id"], name="run_of_starter"),
            models.Index(fields=["-started_at"], name="run_undescribed", condition=models.Q(keys__isnull=True)),
            models.Index(
                fields=["client", "run_id"], name="run_troubled", condition=models.Q(troubled_since__isnull=False)
            ),
            models.Index(
                fields=["-started_at", "-run_id"], name="run_troubles", condition=models.Q(troubled_since__isnull=False)
            ),
            models.Index(
                fields=["client", "run_id"], name="run_elsewhere", condition=models.Q(elsewhere=True, closed_at=None)
            ),
            models.Index(fields=["-closed_at"], name="run_ended_badly", condition=models.Q(status__in=ENDED_BADLY)),
            models.Index(fields=["starts_at"], name="run_starts_later", condition=_STARTS_LATER),
        ]
        permissions = [
            ("start_run", "Can start a run"),
            ("signal_run", "Can answer a run's declared signals"),
            ("raw_signal_run", "Can send a run any signal"),
            ("cancel_run", "Can request a run's cancellation"),
            ("terminate_run", "Can terminate a run"),
            ("reset_run", "Can reset a run to an earlier step"),
            ("unmask_values", "Can see masked values"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id} ({self.run_id[:8]})"

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """As the database has it, whatever is shown of that."""
        with whole():
            super().refresh_from_db(*args, **kwargs)

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """Save what it holds, whatever is shown of that."""
        with whole():
            super().save_base(*args, **kwargs)

    @property
    def mask(self) -> tuple[str, ...]:
        """The paths at which its values are masked: what its entry says now, and said when the run began."""
        return of_entry(self.entry_id, self.registry_version)

    def whole(self, name: str) -> Any:
        """The input, result or failure as it is kept: to work with, not to be shown."""
        with whole():
            return getattr(self, name)

    def veil(self, given: Iterable[Any] = ()) -> Veil:
        """What hides its masked values; those of its input are known, `given` are further ones."""
        paths = self.mask
        return Veil(paths, [self.whole("input"), *given] if paths else ())

    def veiled(self, name: str, value: Any) -> Any:
        """A column as it may be shown."""
        if self.unveiled or not self.mask:
            return value
        veil = self.veil()
        return veil.failure(value) if name == "failure" else veil.value(value)

    @property
    def pid(self) -> str:
        """The workflow's pid; two runs of one workflow id share it."""
        return f"{{{self.client}@{self.worker}|{self.workflow_id}}}"

    @property
    def waiting_unlisted(self) -> dict[str, int]:
        """How many more things of each kind the run waits for than `waiting` lists."""
        listed = Counter(str(wait.get("kind")) for wait in self.waiting)
        return {kind: n - listed[kind] for kind, n in self.waiting_totals.items() if n > listed[kind]}

    @property
    def is_open(self) -> bool:
        """Whether the run goes on."""
        return self.status == self.Status.RUNNING


class HistoryArchive(models.Model):
    """A closed run's whole history, Temporal's History message, compressed (`histories.packed`)."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="archive")
    content = models.BinaryField()
    events = models.PositiveIntegerField()
    archived_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"history of {self.run_id} ({self.events} events)"
