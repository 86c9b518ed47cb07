"""What Django code wants of Temporal, written in its own transaction and sent after that."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Outgoing(models.Model):
    """A start, signal or answer that was not sent yet; the row goes when it was. Its key is Temporal's request id.

    With a user it is sent by their rights, and goes with their account; without one by the account of code.
    """

    class Deed(models.TextChoices):
        """What is wanted."""

        START = "start"
        SIGNAL = "signal"
        ANSWER = "answer"

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
    due_at = models.DateTimeField(default=timezone.now, db_index=True, help_text="when it is tried next")
    tries = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=1000, blank=True, help_text="why it could not be sent")

    class Meta:
        ordering = ["number"]
        verbose_name_plural = "outgoing"
        indexes = [models.Index(fields=["workflow_id", "number"], name="outgoing_of_a_workflow")]

    def __str__(self) -> str:
        return f"{self.deed} {self.entry or self.topic} {self.workflow_id}".strip()
