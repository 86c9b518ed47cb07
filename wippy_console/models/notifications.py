"""What people are to be told, and how they wish to hear of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from wippy_console.models.decisions import Question
from wippy_console.models.runs import Run


class Notification(models.Model):
    """One message to one address: written with the fact that it tells of, sent later, at least once.

    Receivers tell a repeated one by its id. `fact` names what it tells of, so that nobody is told twice.
    """

    class State(models.TextChoices):
        """Where it stands; a dead one was tried often enough."""

        QUEUED = "queued"
        SENT = "sent"
        DEAD = "dead"

    class Method(models.TextChoices):
        """How it goes out."""

        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"
        CHAT = "chat", "Chat"
        BROWSER = "browser", "Browser"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=20, help_text="asked, due_soon, overdue, escalated, failed, exit, ...")
    fact = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    method = models.CharField(max_length=10, choices=Method)
    address = models.CharField(max_length=2000)
    question = models.ForeignKey(Question, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    data = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["fact", "method", "address"], name="one_notification_per_fact")]
        indexes = [
            models.Index(fields=["next_at"], name="notification_queued", condition=models.Q(state="queued")),
            models.Index(fields=["-created_at"]),
            models.Index(fields=["state", "-created_at"]),
            models.Index(fields=["user", "-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.method}"


class NotificationPreference(models.Model):
    """How a user wishes to hear of what. Without a row, or where nothing is chosen, nothing is sent."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    chosen = models.JSONField(default=dict, help_text="methods by kind: {asked: [email, browser]}")
    chat = models.CharField(max_length=2000, blank=True, help_text="an Apprise address")
    webhook = models.URLField(max_length=2000, blank=True)
    secret = models.CharField(max_length=200, blank=True, help_text="signs webhooks")

    def __str__(self) -> str:
        return f"preferences of {self.user}"
