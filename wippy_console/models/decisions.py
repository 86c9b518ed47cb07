"""What runs ask of people, and what people answered."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from wippy_console.models.runs import Run


class Question(models.Model):
    """One instance of a run waiting for an answer that its entry declares. Written by the projection.

    `channel` is the topic listened to, or "" for the inbox; `number` counts the messages taken from
    that channel before: together they name the wait, so one question has one decision.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="questions")
    channel = models.CharField(max_length=500, blank=True)
    number = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    deadline = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["opened_at"]
        constraints = [models.UniqueConstraint(fields=["run", "channel", "number"], name="one_question_per_wait")]
        indexes = [models.Index(fields=["closed_at", "opened_at"])]

    def __str__(self) -> str:
        return f"{self.run.workflow_id} asks {self.channel or 'inbox'} #{self.number}"


class QuestionRole(models.Model):
    """A Django group whose members may give some answer to a question; "" stands for any operator."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "role"], name="one_row_per_question_role")]

    def __str__(self) -> str:
        return self.role or "(any operator)"


class Decision(models.Model):
    """An operator's answer or raw signal: who, what, why. Written before the signal is sent, completed after.

    The id travels as the signal's request id, so sending it again has no second effect.
    """

    class State(models.TextChoices):
        """Where the answer stands; `sent` means that Temporal has it."""

        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    question = models.ForeignKey(Question, null=True, blank=True, on_delete=models.SET_NULL, related_name="decisions")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="decisions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=20, default="signal", help_text="signal, cancel or terminate")
    topic = models.CharField(max_length=500, blank=True)
    label = models.CharField(max_length=200, blank=True)
    payload = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    event_id = models.PositiveBigIntegerField(null=True, blank=True, help_text="the history event it became")
    error = models.TextField(blank=True)

    is_bare = False
    """A signal without any payload; not kept: one that a crash left pending goes with null."""

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["question"],
                condition=models.Q(state__in=["pending", "sent"]),
                name="one_decision_per_question",
            )
        ]

    def __str__(self) -> str:
        return f"{self.label or self.topic or self.action} on {self.run_id}"
