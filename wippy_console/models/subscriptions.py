"""Subscriptions of other systems to the feed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from wippy_console.models.access import AccessToken


class Subscription(models.Model):
    """What happens is posted to `url`, in order, at least once: as much of it as the bearer of `token` may see.

    `cursor` is the event of the feed up to which all is sent, or was not wanted.
    """

    class State(models.TextChoices):
        """Where it stands; one that fails is tried again, one that is paused waits for somebody to resume it."""

        ACTIVE = "active"
        FAILING = "failing"
        PAUSED = "paused"

    SENDING = (State.ACTIVE, State.FAILING)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    token = models.ForeignKey(AccessToken, models.CASCADE, related_name="subscriptions")
    name = models.CharField(max_length=100, help_text="what it is for")
    url = models.CharField(max_length=2000)
    secret = models.CharField(max_length=200, editable=False, help_text="signs what is sent")
    kinds = models.JSONField(default=list, help_text="of events; none: all, as below")
    namespaces = models.JSONField(default=list, help_text="patterns, as grants have them")
    entry = models.CharField(max_length=500, blank=True)
    run = models.CharField(max_length=1000, blank=True, help_text="a run id, or a workflow id with its runs")
    user = models.CharField(max_length=150, blank=True, help_text="who did it, or started the run")
    text = models.CharField(max_length=2000, blank=True, help_text="words, each anywhere in the event")
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    cursor = models.BigIntegerField(default=0)
    problem = models.TextField(blank=True, help_text="why it fails or is paused")
    lost = models.JSONField(default=dict, help_text="{first, last, at}: ids that were gone before they were sent")
    tries = models.PositiveIntegerField(default=0, help_text="that failed, one after the other")
    next_at = models.DateTimeField(default=timezone.now, help_text="when it is tried next")
    sending_until = models.DateTimeField(null=True, help_text="for so long it is a worker's")
    last_at = models.DateTimeField(null=True, help_text="when events were last taken")
    test_wanted_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)
    test_problem = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_subscription_per_name")]
        indexes = [
            models.Index(fields=["next_at"], name="subscription_due", condition=~models.Q(state="paused")),
            models.Index(
                fields=["test_wanted_at"], name="subscription_test", condition=models.Q(test_wanted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def stands(self) -> str:
        """Its state; `stopped` when it paused itself."""
        return "stopped" if self.state == self.State.PAUSED and self.problem else self.state
