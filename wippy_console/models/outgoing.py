"""What Django code wants of Temporal, written in its own transaction and sent after that."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

GRACE = timedelta(seconds=5)
"""So long whoever wrote a row has time to send it; then it is for the worker that leads."""


def after_grace() -> datetime:
    """When a new row is for the worker that leads."""
    return timezone.now() + GRACE


class Outgoing(models.Model):
    """A start, signal or answer that was not sent yet; the row goes when it was. Its key is Temporal's request id.

    With a user it is sent by their rights, and goes with their account; without one by the account of code.
    """

    class Deed(models.TextChoices):
        """What is wanted."""

        START = "start"
        SIGNAL = "signal"
        ANSWER = "answer"

    class State(models.TextChoices):
        """Whether it is sent by itself; what lacks its entry or run lets starts pass, what is refused everything."""

        WAITING = "waiting", "Waiting"
        LACKING = "lacking", "Lacks its entry or run"
        REFUSED = "refused", "Refused for good"

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveBigIntegerField(default=0, help_text="ns since the epoch: they are sent in this order")
    deed = models.CharField(max_length=10, choices=Deed)
    entry = models.CharField(max_length=500, blank=True, help_text="of a start")
    topic = models.CharField(max_length=500, blank=True, help_text="of a signal or answer")
    reason = models.TextField(blank=True, db_default="", help_text="of an answer")
    label = models.CharField(
        max_length=200, blank=True, db_default="", help_text="of an answer: which of several of its topic"
    )
    workflow_id = models.CharField(max_length=1000, blank=True)
    args = models.JSONField(default=list)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=after_grace, db_index=True, help_text="when it is tried next")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING)
    tries = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=1000, blank=True, help_text="why it could not be sent")

    class Meta:
        ordering = ["number"]
        verbose_name_plural = "outgoing"
        indexes = [models.Index(fields=["workflow_id", "number"], name="outgoing_of_a_workflow")]

    def __str__(self) -> str:
        return f"{self.deed} {self.entry or self.topic} {self.workflow_id}".strip()

    @property
    def why(self) -> str:
        """Why it is still here, in words."""
        return self.problem or "It is sent by the worker that leads."
