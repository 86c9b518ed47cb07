"""One act over many runs."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from wippy_console.models.runs import Run


class Batch(models.Model):
    """An exact selection of runs and what is to be done to each. Carried out by the worker that leads, in slices.

    `origin` says how the runs were chosen: {"chosen": n} or {"query": the filters of an address}. `options` is what the
    act needs (`services.batches.forms`); what may be secret in it goes when the batch has ended.
    """

    class State(models.TextChoices):
        """A draft waits for somebody to confirm it."""

        DRAFT = "draft"
        RUNNING = "running"
        STOPPED = "stopped"
        DONE = "done"

    key = models.UUIDField(unique=True, default=uuid.uuid4, help_text="from which each run's request id is made")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=20, help_text="signal, cancel, terminate, reset or again")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    reason = models.TextField(blank=True)
    options = models.JSONField(default=dict)
    origin = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0, help_text="chosen, but ended, so that the act can't reach them")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["started_at"], name="batch_running", condition=models.Q(state="running")),
            models.Index(fields=["user", "-id"], name="batch_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.total} runs"

    @property
    def is_running(self) -> bool:
        """Whether the worker that leads works on it."""
        return self.state == self.State.RUNNING


class BatchItem(models.Model):
    """One run of a batch, and what came of it."""

    class State(models.TextChoices):
        """Those that are left stay `pending` when the batch is stopped."""

        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    error = models.TextField(blank=True)
    made_workflow_id = models.CharField(max_length=1000, blank=True, help_text="of the run that came of it")
    made_run_id = models.CharField(max_length=64, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["batch", "run"], name="one_item_per_run")]
        indexes = [models.Index(fields=["batch", "state", "position"])]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.state}"
